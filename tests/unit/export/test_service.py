import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.export.options import ExportOptions
from ftkit.export.service import ExportService
from ftkit.store.files import hash_file, read_json, write_json
from tests.finished_run import MODEL, RUN, Room, SleepingLauncher, add_run, open_room
from tests.tiny import make_tiny_model, make_tiny_t5

ADAPTER = ExportOptions(target="adapter")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", SleepingLauncher()) as room:
        add_run(room)
        make_tiny_model(room.folders.model(MODEL))
        yield room


def service(room: Room, served: set[str] | None = None) -> ExportService:
    return ExportService(
        room.artefacts,
        room.folders,
        room.jobs,
        room.clock,
        room.new_id,
        lambda id_: id_ in (served or set()),
    )


def finish(room: Room, id_: str) -> None:
    folder = room.folders.export(id_)
    (folder / "files" / "1").mkdir(parents=True)
    manifest = {}
    for name, content in (("README.md", b"# card"), ("1/model.py", b"print()" * 9)):
        path = folder / "files" / name
        path.write_bytes(content)
        manifest[name] = {"sha256": hash_file(path).removeprefix("sha256:"), "size": len(content)}
    write_json(folder / "manifest.json", manifest)
    prompts = [
        {"messages": [{"role": "user", "content": "Hi"}], "answer": "ab", "said": [], "ahead_end": 0.5}
    ]
    write_json(folder / "parity.json", {"rows": [{"way": "trainer"}], "prompts": prompts})
    write_json(folder / "report.json", {"target": "adapter"})
    room.end(id_, metrics={"files": 2})


def test_an_export_is_queued_with_what_its_worker_reads(room: Room) -> None:
    export = service(room).create(RUN, ADAPTER)
    inputs = read_json(room.folders.export(export.id) / "inputs.json")
    assert inputs["options"]["target"] == "adapter"
    assert inputs["tuned"] == str(room.folders.run(RUN) / "adapter")
    assert inputs["name"] == "First--try"
    assert export.parents == (RUN,)
    view = service(room).get(export.id)
    assert (view.files, view.report, view.parity) == ((), None, None)


def test_the_same_request_goes_on_until_it_is_done(room: Room) -> None:
    exports = service(room)
    first = exports.create(RUN, ADAPTER)
    assert exports.create(RUN, ADAPTER).id == first.id
    room.end(first.id, "failed")
    assert exports.retry(first.id).id == first.id
    finish(room, first.id)
    assert exports.create(RUN, ADAPTER).id != first.id
    with pytest.raises(Refused, match="is done"):
        exports.retry(first.id)


def test_files_are_handed_over_by_name_and_nothing_else_is(room: Room) -> None:
    exports = service(room)
    id_ = exports.create(RUN, ADAPTER).id
    with pytest.raises(Refused, match="has no files"):
        exports.archive(id_)
    finish(room, id_)
    assert b"".join(exports.file(id_, "1/model.py").pieces) == b"print()" * 9
    for name in ("../inputs.json", "/etc/passwd", "1", "nothing"):
        with pytest.raises(NotFound):
            exports.file(id_, name)
    readme = room.folders.export(id_) / "files" / "README.md"
    readme.unlink()
    readme.symlink_to("/etc/passwd")
    with pytest.raises(NotFound):
        exports.file(id_, "README.md")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(exports.archive(id_).pieces)))
    assert [name.partition("/")[2] for name in archive.namelist()] == ["1/model.py"]
    assert archive.testzip() is None


def test_an_archive_is_the_same_each_time(room: Room) -> None:
    exports = service(room)
    id_ = exports.create(RUN, ADAPTER).id
    finish(room, id_)
    one, two = (b"".join(exports.archive(id_).pieces) for _ in range(2))
    assert one == two


def test_what_cannot_work_is_refused_before_it_starts(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = service(room)
    with pytest.raises(NotFound, match="no checkpoint of step 7"):
        exports.create(RUN, ExportOptions(target="merged", checkpoint=7))
    with pytest.raises(BadInput, match="needs a name"):
        ExportOptions(target="hub")
    usage = shutil.disk_usage(room.home)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(Refused, match="MB are free"):
        exports.create(RUN, ADAPTER)
    assert exports.all() == []


def test_a_whole_model_has_no_adapter_and_an_empty_run_nothing(room: Room) -> None:
    exports = service(room)
    (room.folders.run(RUN) / "adapter" / "adapter_config.json").unlink()
    with pytest.raises(Refused, match="has left nothing yet"):
        exports.create(RUN, ADAPTER)
    write_json(room.folders.run(RUN) / "model" / "config.json", {})
    with pytest.raises(Refused, match="Export it as merged"):
        exports.create(RUN, ADAPTER)


def test_an_encoder_decoder_is_no_gguf_file(room: Room) -> None:
    shutil.rmtree(room.folders.model(MODEL))
    make_tiny_t5(room.folders.model(MODEL))
    for target in ("gguf", "docker"):
        with pytest.raises(Refused, match="encoder-decoder"):
            service(room).create(RUN, ExportOptions(target=target))


def test_a_served_export_stays(room: Room) -> None:
    served: set[str] = set()
    exports = service(room, served)
    id_ = exports.create(RUN, ADAPTER).id
    with pytest.raises(Refused, match="Stop it first"):
        exports.delete(id_)
    finish(room, id_)
    served.add(id_)
    with pytest.raises(Refused, match="is served"):
        exports.delete(id_)
    served.clear()
    exports.delete(id_)
    assert exports.all() == []
    assert not room.folders.export(id_).exists()


def test_an_address_that_came_later_gets_its_row(room: Room) -> None:
    exports = service(room)
    id_ = exports.create(RUN, ADAPTER).id
    finish(room, id_)
    assert exports.hear(id_, "served", lambda messages: "ab")["note"] == "same"
    exports.hear(id_, "served", lambda messages: "other")
    parity = exports.get(id_).parity
    assert parity is not None
    assert [(row["way"], row.get("note")) for row in parity["rows"]] == [
        ("trainer", None),
        ("served", "differs"),
    ]
