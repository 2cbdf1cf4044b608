from pathlib import Path

import pytest

from ftkit.errors import BadInput
from ftkit.evaluation.benchmarks.asked import Asked
from tests.task_files import write_tasks


def test_names_are_kept_once_and_the_folder_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tasks(tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    asked = Asked.parse(["colours", " arc_easy", "colours", ""], Path("own"), 5, chat=True)
    assert asked.as_json() == {
        "tasks": ["colours", "arc_easy"],
        "tasks_folder": str(tmp_path / "own"),
        "limit": 5,
        "chat": True,
    }


@pytest.mark.parametrize(
    ("tasks", "limit", "key"),
    [
        ([" "], None, "benchmark.no_task_named"),
        (["../evil.yaml"], None, "benchmark.bad_name"),
        (["/etc/task.yaml"], None, "benchmark.bad_name"),
        (["*"], None, "benchmark.bad_name"),
        (["arc_easy"], 0, "benchmark.bad_limit"),
    ],
)
def test_what_cannot_be_asked_is_refused(tasks: list[str], limit: int | None, key: str) -> None:
    with pytest.raises(BadInput) as caught:
        Asked.parse(tasks, limit=limit)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "text",
    [
        "task: a\nprocess_docs: !function utils.clean",
        "task: a\nprocess_docs: !%66unction utils.clean",
        "task: a\nprocess_docs: !<!function> utils.clean",
        "%TAG !e! !func\n---\ntask: a\nprocess_docs: !e!tion utils.clean",
        "task: a\nmetric_list: [{metric: !function utils.score}]",
        "? !function utils.clean\n: a",
        "task: !!python/name:os.system",
    ],
)
def test_a_task_file_with_code_is_refused_however_it_is_spelled(tmp_path: Path, text: str) -> None:
    write_tasks(tmp_path)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "bad.yaml").write_text(text)
    with pytest.raises(BadInput, match=r"bad\.yaml has the tag") as caught:
        Asked.parse(["colours"], tmp_path)
    assert caught.value.key == "benchmark.code_in_file"


@pytest.mark.parametrize(
    "path", ["../other.yaml", "/etc/other.yaml", "[colours.yaml, ../other.yaml]", "hidden.txt"]
)
def test_what_is_included_lies_in_the_folder(tmp_path: Path, path: str) -> None:
    folder = write_tasks(tmp_path / "own")
    (folder / "bad.yaml").write_text(f"include: {path}\ntask: bad")
    with pytest.raises(BadInput) as caught:
        Asked.parse(["bad"], folder)
    assert caught.value.key == "benchmark.include_outside"


@pytest.mark.parametrize("content", [b"task: [", b"\xff\xfe\x00", b"a: 1\n---\nb: 2"])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.yaml").write_bytes(content)
    with pytest.raises(BadInput, match=r"bad\.yaml cannot be read"):
        Asked.parse(["bad"], tmp_path)


def test_an_alias_that_leads_back_ends(tmp_path: Path) -> None:
    (tmp_path / "turns.yaml").write_text("task: &a [*a]\ninclude: turns.yaml")
    assert Asked.parse(["turns"], tmp_path).folder == tmp_path


def test_a_folder_without_task_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no task file"):
        Asked.parse(["a"], tmp_path / "absent")
