from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.loop.sources import source_of
from ftkit.ratings.sides.names import Side
from ftkit.ratings.sides.service import SideService
from ftkit.records import Export, Model
from ftkit.serving.engines.asking import Source
from ftkit.store.files import write_json
from tests.finished_run import MODEL, NOW, RUN, Room, SleepingLauncher, add_run, open_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", SleepingLauncher()) as room:
        add_run(room)
        record = Model(id=MODEL, name="Tiny", created_at=NOW, source="here")
        write_json(room.folders.model(MODEL) / "model.json", record.model_dump(mode="json"))
        yield room


def add_export(room: Room, target: str, *files: str) -> Path:
    """A record and files of an export; without files one that is not done."""
    room.artefacts.add(
        Export(
            id=target,
            name=f"First · {target}",
            created_at=NOW,
            parents=(RUN,),
            run=RUN,
            target=target,
            options={},
        )
    )
    folder = room.folders.export(target) / "files"
    for file in files:
        write_json(folder / file, {})
    return folder


def sides(room: Room) -> SideService:
    return SideService(room.artefacts, room.folders)


@pytest.mark.parametrize("name", ["export:a1", "export:a1@0.5", "run:a1", "checkpoint:a1/3", "base:a1"])
def test_names_come_back(name: str) -> None:
    assert str(Side.parse(name)) == name


@pytest.mark.parametrize("name", ["export:", "export:a/3", "checkpoint:a", "base:a@0.5", "thing:a"])
def test_what_names_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="export:EXPORT"):
        Side.parse(name)


def test_exports_of_weights_can_be_asked(room: Room) -> None:
    adapter = add_export(room, "adapter", "adapter_config.json")
    merged = add_export(room, "merged", "config.json")
    gguf = add_export(room, "gguf", "model.gguf", "Modelfile")
    add_export(room, "docker", "Dockerfile")
    offered = {str(side) for side in sides(room).offered()}
    assert {"export:adapter", "export:merged", "export:gguf"} == {one for one in offered if "export" in one}
    half = Side.parse("export:adapter@0.5")
    assert sides(room).place(half) == (room.folders.model(MODEL), adapter)
    assert sides(room).label(half) == "First · adapter · 0.5×"
    assert (sides(room).run_of(half), sides(room).model_of(half)) == (RUN, MODEL)
    assert sides(room).place(Side.parse("export:merged")).tuned == merged
    assert sides(room).place(Side.parse("export:gguf")).gguf == gguf / "model.gguf"
    with pytest.raises(Refused, match="strength"):
        sides(room).place(Side.parse("export:merged@0.5"))


def test_other_exports_and_unfinished_ones_cannot(room: Room) -> None:
    add_export(room, "docker", "Dockerfile")
    add_export(room, "merged")
    with pytest.raises(Refused, match="docker"):
        sides(room).place(Side.parse("export:docker"))
    with pytest.raises(Refused, match="no files"):
        sides(room).place(Side.parse("export:merged"))
    with pytest.raises(NotFound):
        sides(room).place(Side.parse("export:nothing"))
    assert not [side for side in sides(room).offered() if side.kind == "export"]


def test_where_a_version_comes_from(room: Room) -> None:
    gguf = add_export(room, "gguf", "model.gguf")
    model = room.folders.model(MODEL)
    assert source_of(sides(room), "export:gguf") == Source(
        "First · gguf", model, gguf, gguf / "model.gguf", run=RUN
    )
    tuned = source_of(sides(room), f"run:{RUN}@0.5")
    assert (tuned.tuned, tuned.strength, tuned.gguf) == (room.folders.run(RUN) / "adapter", 0.5, None)
    assert source_of(sides(room), f"base:{MODEL}").tuned is None
    assert source_of(sides(room), "upstream:http://gpu:8000/v1|triage") == Source(
        "triage", url="http://gpu:8000/v1", name="triage"
    )
