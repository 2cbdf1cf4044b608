from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound
from ftkit.records import Artefact, Dataset, Split, Upload
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    yield Artefacts(database)
    database.close()


def upload(id_: str, minutes: int = 0) -> Upload:
    return Upload(id=id_, name=id_, created_at=NOON + timedelta(minutes=minutes), filename="a.csv", size=3)


def dataset(id_: str, *parents: str) -> Dataset:
    return Dataset(
        id=id_, name=id_, created_at=NOON, parents=parents, rows=1, columns=("a",), mapping={"user": "a"}
    )


def split(id_: str, parent: str) -> Split:
    sizes = {"train": 1, "validation": 0, "test": 0}
    return Split(
        id=id_,
        name=id_,
        created_at=NOON,
        parents=(parent,),
        dataset=parent,
        ratios=(1, 0, 0),
        sizes=sizes,
        mapping={},
    )


def fill(store: Artefacts, *records: Artefact) -> None:
    for record in records:
        store.add(record)


def test_a_record_comes_back_equal(store: Artefacts) -> None:
    fill(store, upload("u"), dataset("d", "u"))
    assert store.get(Dataset, "d") == dataset("d", "u")


def test_an_id_of_another_kind_is_unknown(store: Artefacts) -> None:
    fill(store, upload("u"))
    with pytest.raises(NotFound, match="no dataset with the id u"):
        store.get(Dataset, "u")


def test_a_taken_id_is_refused(store: Artefacts) -> None:
    fill(store, upload("u"))
    with pytest.raises(BadInput, match="taken"):
        store.add(upload("u"))


def test_all_lists_newest_first(store: Artefacts) -> None:
    fill(store, upload("old"), upload("new", minutes=5))
    assert [u.id for u in store.all(Upload)] == ["new", "old"]


def test_lineage_goes_to_the_first_ancestor(store: Artefacts) -> None:
    fill(store, upload("u"), upload("other"), dataset("d", "u"), split("s", "d"))
    assert [(kind, id_) for kind, id_, _ in store.lineage("s")] == [
        ("split", "s"),
        ("dataset", "d"),
        ("upload", "u"),
    ]


def test_what_has_children_is_not_deleted(store: Artefacts) -> None:
    fill(store, upload("u"), dataset("d", "u"))
    with pytest.raises(BadInput, match="dataset d was made from it"):
        store.delete(upload("u"))
    store.delete(dataset("d", "u"))
    store.delete(upload("u"))
    assert store.all(Upload) == []
