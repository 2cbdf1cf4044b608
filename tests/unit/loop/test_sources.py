"""From the name of a target to where its model lies."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.data.prompts.service import PromptService
from ftkit.errors import BadInput, NotFound
from ftkit.loop.sources import Sources
from ftkit.ratings.sides.service import SideService
from ftkit.records import Model, Run
from ftkit.serving.engines.asking import Source
from ftkit.store.files import write_json
from tests.finished_run import MODEL, NOW, RUN, Room, SleepingLauncher, add_export, add_run, open_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", SleepingLauncher()) as room:
        add_run(room)
        record = Model(id=MODEL, name="Tiny", created_at=NOW, source="here")
        write_json(room.folders.model(MODEL) / "model.json", record.model_dump(mode="json"))
        yield room


@pytest.fixture
def sources(room: Room) -> Sources:
    prompts = PromptService(room.artefacts, room.folders)
    return Sources(
        SideService(room.artefacts, room.folders), prompts, lambda run: room.artefacts.get(Run, run)
    )


def test_every_kind_of_target(room: Room, sources: Sources) -> None:
    gguf = add_export(room, "gguf", "model.gguf")
    model = room.folders.model(MODEL)
    whole = Source("First · gguf", model, gguf, gguf / "model.gguf", run=RUN)
    assert sources.resolve("export:gguf") == whole
    tuned = sources.resolve(f"run:{RUN}@0.5")
    assert (tuned.tuned, tuned.strength, tuned.gguf) == (room.folders.run(RUN) / "adapter", 0.5, None)
    assert sources.resolve(f"base:{MODEL}").tuned is None
    there = sources.resolve("upstream:http://gpu:8000/v1|triage")
    assert there == Source("triage", url="http://gpu:8000/v1", name="triage")


def test_a_bare_id_is_found(room: Room, sources: Sources) -> None:
    add_export(room, "gguf", "model.gguf")
    assert [sources.target(name) for name in ("gguf", RUN, MODEL, f"run:{RUN}")] == [
        "export:gguf",
        f"run:{RUN}",
        f"base:{MODEL}",
        f"run:{RUN}",
    ]
    with pytest.raises(NotFound, match="no run, export or model 'nothing'"):
        sources.target("nothing")


@pytest.mark.parametrize(
    "target",
    [
        "upstream:http://gpu:8000/v1",
        "upstream:http://user@gpu/v1|m",
        "upstream:http:///v1|m",
        "upstream:file:///v1|m",
    ],
)
def test_an_address_without_a_model_is_refused(sources: Sources, target: str) -> None:
    with pytest.raises(BadInput, match="no address of a server"):
        sources.resolve(target)
