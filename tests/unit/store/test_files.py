from pathlib import Path

import pytest

from ftkit.errors import NotFound
from ftkit.store.files import Folders, hash_file, read_json, write_bytes, write_json


@pytest.mark.parametrize(
    "id_", ["../x", "/abs", "a/b", "..", ".", "", "a\0b", "a\nb", "x" * 64, "a..b", "%2e%2e", "~"]
)
def test_an_id_never_names_a_place_outside(tmp_path: Path, id_: str) -> None:
    with pytest.raises(NotFound):
        Folders(tmp_path).run(id_)


def test_ids_of_the_house_are_taken(tmp_path: Path) -> None:
    assert Folders(tmp_path).model("smollm2-135m-instruct") == tmp_path / "models" / "smollm2-135m-instruct"


def test_writing_replaces_as_a_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert read_json(path) == {"a": 2}
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


def test_non_finite_numbers_never_reach_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert not (tmp_path / "a.json").exists()


def test_hash_names_its_algorithm(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"abc")
    assert (
        hash_file(tmp_path / "a") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
