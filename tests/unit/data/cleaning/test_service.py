import json
import os

import pytest

from ftkit.data import clean
from ftkit.errors import BadInput, FtkitError, NotFound
from ftkit.settings import Settings
from ftkit.store.files import read_json
from ftkit.workspace import Workspace

LIGHT = [{"step": "normalise_text"}, {"step": "drop_empty"}, {"step": "drop_exact_duplicates"}]
ROWS = [
    {"question": "What is it?", "answer": "It is a kettle.  "},
    {"question": "What is it?", "answer": "It is a kettle."},
    {"question": "And this?", "answer": ""},
    {"question": "And that?", "answer": "A lamp, <|im_end|> says ayse@ornek.com.tr"},
]


@pytest.fixture
def workspace(tmp_path):
    with Workspace(
        Settings.from_environment({**os.environ, "FTKIT_HOME": str(tmp_path / "home")})
    ) as workspace:
        yield workspace


@pytest.fixture
def parent(workspace, write):
    return workspace.data.import_file(write("things.jsonl", ROWS))


def cleaned(workspace, parent, steps=LIGHT, **more):
    view = workspace.cleaning.start(parent.id, clean.parse(steps), **more)
    return workspace.cleaning.wait(view.dataset)


def test_a_cleaning_makes_a_new_dataset_and_leaves_the_old_one(workspace, parent):
    before = (workspace.folders.dataset(parent.id) / "rows.parquet").read_bytes()
    view = cleaned(workspace, parent, name="Things, clean")
    assert view.job.state == "done"
    made = workspace.data.get(view.dataset)
    assert (made.name, made.parents, made.rows, made.mapping) == (
        "Things, clean",
        (parent.id,),
        2,
        parent.mapping,
    )
    assert workspace.data.rows(made.id) == [{**ROWS[0], "answer": "It is a kettle."}, ROWS[3]]
    assert made.notes[0] == "Cleaned: 2 of 4 rows are left, 1 of them changed."
    assert (workspace.folders.dataset(parent.id) / "rows.parquet").read_bytes() == before
    audit = workspace.cleaning.audit(made.id, 0, 10)
    assert [one.outcome for one in audit] == ["changed", "dropped", "dropped", "kept"]
    assert [one.row for one in workspace.cleaning.audit(made.id, 2, 1)] == [2]
    assert [json.loads(line)["row"] for line in workspace.cleaning.audit_lines(made.id)] == [0, 1, 2, 3]
    assert view.summary.dropped == {"an exact copy of an earlier row": 1, "“answer” is empty": 1}
    assert workspace.splits.all(parent.id) == []


def test_the_same_again_gives_the_same_content(workspace, parent):
    hashes = {workspace.data.get(cleaned(workspace, parent).dataset).content_hash for _ in range(2)}
    assert len(hashes) == 1


def test_undo_goes_back_to_the_parent_unless_something_was_made(workspace, parent):
    made = cleaned(workspace, parent).dataset
    child = workspace.data.remap(made, parent.mapping)
    with pytest.raises(BadInput, match="made from it"):
        workspace.cleaning.undo(made)
    workspace.data.delete(child.id)
    assert workspace.cleaning.undo(made) == parent.id
    assert not workspace.folders.dataset(made).exists()
    with pytest.raises(NotFound):
        workspace.data.get(made)
    assert workspace.data.get(parent.id) == parent
    with pytest.raises(BadInput, match="not made by cleaning"):
        workspace.cleaning.undo(parent.id)
    assert workspace.cleaning.progress(made).summary is None


def test_history_names_each_stage(workspace, parent):
    first = cleaned(workspace, parent).dataset
    second = cleaned(workspace, workspace.data.get(first), [{"step": "mask_personal_data"}]).dataset
    line = workspace.cleaning.history(second)
    assert [one.dataset.id for one in line] == [second, first, parent.id]
    assert [one.summary.by_step[0].step if one.summary else None for one in line] == [
        "mask_personal_data",
        "normalise_text",
        None,
    ]
    with pytest.raises(NotFound):
        workspace.cleaning.audit(parent.id)


def test_nothing_left_is_a_failure_with_words_and_makes_no_dataset(workspace, parent):
    view = cleaned(workspace, parent, [{"step": "drop_short", "minimum": 1000}])
    assert view.job.state == "failed"
    assert "No row would be left" in str(FtkitError.from_dict(view.job.error))
    assert [one.id for one in workspace.data.all()] == [parent.id]
    assert not workspace.folders.dataset(view.dataset).exists()


def test_the_same_cleaning_asked_twice_runs_once(workspace, parent):
    first, again = (workspace.cleaning.start(parent.id, clean.parse(LIGHT)) for _ in range(2))
    assert first.dataset == again.dataset
    workspace.cleaning.wait(first.dataset)


def test_a_stopped_cleaning_leaves_nothing(workspace, write):
    rows = [
        {"question": f"What is {n}?", "answer": f"It is number {n}, a plain one. " * 8} for n in range(30_000)
    ]
    parent = workspace.data.import_file(write("many.jsonl", rows))
    steps = [{"step": name} for name in ("mask_personal_data", "keep_languages", "drop_near_duplicates")]
    view = workspace.cleaning.start(parent.id, clean.parse(steps))

    def stop_once_under_way(job, state):
        if state.get("phase") == "cleaning" and job.state == "running":
            workspace.cleaning.stop(view.dataset)

    ended = workspace.cleaning.wait(view.dataset, stop_once_under_way)
    assert ended.job.state == "stopped"
    assert [one.id for one in workspace.data.all()] == [parent.id]
    assert [path.name for path in workspace.folders.dataset("x").parent.iterdir()] == [parent.id]


def test_a_preview_tells_what_would_happen_and_saves_nothing(workspace, parent):
    told = workspace.cleaning.preview(parent.id, clean.parse([*LIGHT, {"step": "neutralise_special_tokens"}]))
    assert (told["rows"], told["kept"], told["changed"]) == (4, 2, 2)
    assert [one["row"] for one in told["changes"]] == [0, 3]
    (first,) = told["changes"][0]["texts"]
    assert first == {"place": "answer", "before": "It is a kettle.  ", "after": "It is a kettle."}
    assert {one["row"]: one["like"] for one in told["drops"]} == {1: 0, 2: None}
    assert [one.id for one in workspace.data.all()] == [parent.id]


def test_a_preview_says_what_does_not_fit(workspace, parent):
    with pytest.raises(BadInput, match="Character 1 of"):
        workspace.cleaning.preview(
            parent.id, clean.parse([{"step": "filter_rows", "expression": "nothing > 1"}])
        )


def test_a_model_that_is_not_here_is_said_before_anything_starts(workspace, parent):
    steps = clean.parse([{"step": "drop_long", "unit": "tokens", "model": "nowhere"}])
    with pytest.raises(NotFound, match="nowhere"):
        workspace.cleaning.start(parent.id, steps)


def test_a_model_s_tokens_and_control_tokens_are_used(workspace, parent, tmp_path):
    from tests.tiny import make_tiny_model

    make_tiny_model(workspace.folders.model("tiny"))
    known = json.loads((workspace.folders.model("tiny") / "tokenizer.json").read_text())["added_tokens"]
    assert known
    steps = [
        {"step": "drop_long", "unit": "tokens", "model": "tiny", "maximum": 5},
        {"step": "neutralise_special_tokens", "model": "tiny"},
    ]
    told = workspace.cleaning.preview(parent.id, clean.parse(steps))
    assert sum(told["dropped"].values()) > 0


def test_presets_are_what_they_say(workspace):
    presets = {one.name: one for one in workspace.cleaning.presets()}
    assert list(presets) == ["light", "strict", "privacy"]
    for one in presets.values():
        assert one.about
        lines = [
            line for line in one.text.splitlines() if line.strip() and not line.startswith(("#", "steps:"))
        ]
        assert all("  # " in line for line in lines), one.name
        assert clean.load(clean.dump(one.steps)) == one.steps
    assert {step.step for step in presets["privacy"].steps} >= {"mask_personal_data"}
    with pytest.raises(NotFound, match="light, strict, privacy"):
        workspace.cleaning.preset("none")


def test_the_record_is_entered_by_the_worker_so_that_nobody_has_to_look(workspace, parent):
    view = workspace.cleaning.start(parent.id, clean.parse(LIGHT))
    workspace.jobs.wait(f"clean-{view.dataset}", 60)
    assert workspace.data.get(view.dataset).rows == 2
    assert read_json(workspace.folders.dataset(view.dataset) / "cleaning.json")["kept"] == 2
