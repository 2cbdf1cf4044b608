"""The error analysis over a finished evaluation of the ticket sample."""

import json

import pytest

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.evaluation.errors.selection import Selection
from ftkit.evaluation.measuring.scores import field_labels
from ftkit.records import Evaluation
from ftkit.settings import Settings
from ftkit.workspace import Workspace
from tests.triage import add_triage, answers


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def evaluations(home):
    return add_triage(home)


@pytest.fixture
def workspace(home, evaluations):
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(home)})) as workspace:
        yield workspace


@pytest.fixture
def looked(workspace, evaluations):
    return workspace.mistakes.look(evaluations["validation"])


def test_every_row_stands_in_one_outcome_and_the_first_measure_is_a_field(looked):
    measure = looked.analysis.measure("")
    assert measure.name == "category_accuracy"
    counts = looked.analysis.outcomes(measure)
    assert sum(counts.values()) == len(looked.analysis.samples) == looked.report["rows"]
    # answers() makes every fourth row right for the base model, and every third one wrong for the tuned one
    wanted = [one["row"] for one in looked.analysis.samples if one["row"] % 12 == 0]
    assert [one.row for one in looked.chosen(Selection(kind="regression", sort="row"))] == wanted
    assert counts["regression"] == len(wanted)


def test_the_cells_of_the_confusion_table_hold_the_rows_that_it_counts(looked):
    for field in ("category", "priority"):
        for side in ("base", "tuned"):
            for wanted, line in enumerate(looked.report["fields"][field]["confusion"][side]):
                for given, count in enumerate(line):
                    cell = Selection(field=field, side=side, wanted=wanted, given=given)
                    assert len(looked.chosen(cell)) == count
    labels = looked.analysis.labels("category")
    (one, *_) = looked.chosen(Selection(field="category", side="base", wanted=0, given=len(labels)))
    assert field_labels(one.sample["reference"], "category") == labels[0]
    assert field_labels(one.sample["base_answer"], "category") is None


def test_the_numbers_of_kinds_slices_and_tags_are_those_of_their_rows(workspace, evaluations, looked):
    measure = looked.analysis.measure("")
    errors = looked.analysis.errors(measure)
    assert list(errors) == ["cut", "not_json", "missing_field:priority", "wrong_field:category"]
    for kind, counts in errors.items():
        for side, count in counts.items():
            assert len(looked.chosen(Selection(error=kind, side=side))) == count
    slices = looked.analysis.slices(measure)
    assert {one.dimension.kind for one in slices} >= {
        "prompt_length",
        "reference_length",
        "label",
        "topic",
        "column",
    }
    for one in slices:
        assert len(looked.chosen(Selection(slice=one.dimension.key, value=one.value))) == one.rows
    workspace.mistakes.tag(evaluations["validation"], [3, 5], "to mend", "owner")
    again = workspace.mistakes.look(evaluations["validation"])
    assert [one.row for one in again.chosen(Selection(tag="to mend", sort="row"))] == [3, 5]
    assert again.tag_counts()["to mend"] == 2


def test_the_worst_and_the_most_changed_come_first(looked):
    by = Selection(measure="token_f1")
    scores = [one.scores["tuned"] for one in looked.chosen(by)]
    assert scores == sorted(scores)
    changes = [one.scores["tuned"] - one.scores["base"] for one in looked.chosen(by.having(sort="change"))]
    assert changes == sorted(changes)


@pytest.mark.parametrize(
    "wrong", [Selection(measure="none"), Selection(slice="none"), Selection(field="summary", wanted=0)]
)
def test_what_the_evaluation_has_not_is_refused(looked, wrong):
    with pytest.raises(BadInput, match="none|summary"):
        looked.chosen(wrong)


@pytest.mark.parametrize(
    ("tag", "says"), [("  ", "at least one letter"), ("x" * 41, "41 characters"), ("a\u202eb", "nobody sees")]
)
def test_what_is_no_tag_is_refused(workspace, evaluations, tag, says):
    with pytest.raises(BadInput, match=says):
        workspace.mistakes.tag(evaluations["test"], [0], tag, "owner")


def test_a_tag_is_kept_in_one_spelling_and_taken_back(workspace, evaluations):
    id_ = evaluations["test"]
    assert workspace.mistakes.tag(id_, [1], "  ki\u0307nd \n of ", "owner") == "ki\u0307nd of"
    workspace.mistakes.untag(id_, 1, "ki\u0307nd of")
    assert workspace.mistakes.look(id_).tags == {}


def test_a_row_has_at_most_twenty_tags(workspace, evaluations):
    for n in range(20):
        workspace.mistakes.tag(evaluations["test"], [2], f"tag {n}", "owner")
    with pytest.raises(BadInput, match=r"Row 2 .* has 20 tags"):
        workspace.mistakes.tag(evaluations["test"], [2], "one more", "owner")


def test_rows_and_evaluations_that_are_not_there_are_refused(workspace, evaluations):
    with pytest.raises(BadInput, match="no row 900"):
        workspace.mistakes.tag(evaluations["test"], [0, 900], "x", "owner")
    with pytest.raises(BadInput, match="no row 900"):
        workspace.send_rows(evaluations["validation"], [900])
    with pytest.raises(NotFound):
        workspace.mistakes.look("nothing")


def test_an_evaluation_that_is_not_done_has_no_rows_yet(workspace, evaluations, monkeypatch):
    view = workspace.evaluation.get(evaluations["test"])
    waiting = type(view)(view.evaluation, view.job.model_copy(update={"state": "running"}), None, None)
    monkeypatch.setattr(workspace.evaluation, "get", lambda _id: waiting)
    with pytest.raises(Refused, match="The evaluation is running"):
        workspace.mistakes.look(evaluations["test"])


def test_a_right_answer_outlives_a_torn_line_and_is_taken_back_by_nothing(workspace, evaluations):
    id_ = evaluations["validation"]
    workspace.mistakes.correct(id_, 4, "first")
    with (workspace.folders.evaluation(id_) / "answers.jsonl").open("a") as stream:
        stream.write('\n{"row": 4, "ans')
    assert workspace.mistakes.look(id_).answers == {4: "first"}
    workspace.mistakes.correct(id_, 4, "second\nline")
    workspace.mistakes.correct(id_, 6, "six")
    assert workspace.mistakes.look(id_).answers == {4: "second\nline", 6: "six"}
    workspace.mistakes.correct(id_, 6, "")
    assert workspace.mistakes.look(id_).answers == {4: "second\nline"}
    with pytest.raises(BadInput, match="longer"):
        workspace.mistakes.correct(id_, 4, "x" * 1_000_001)


def test_a_row_leads_to_its_dataset_and_is_sent_with_its_right_answer(workspace, evaluations):
    id_ = evaluations["validation"]
    dataset, number = workspace.mistakes.source(id_, 7)
    (origin,) = workspace.data.rows(dataset.id, number, 1)
    sample = next(one for one in workspace.mistakes.look(id_).analysis.samples if one["row"] == 7)
    assert (origin["message"], origin["answer"]) == (sample["prompt"], sample["reference"])
    right = json.dumps({"category": "billing", "priority": "low", "summary": "mended"})
    workspace.mistakes.correct(id_, 7, right)
    made = workspace.send_rows(id_, [7, 8], "Next")
    rows = workspace.data.rows(made.id)
    assert [row["answer"] for row in rows if row["message"] == origin["message"]] == [right]
    assert set(made.parents) == {id_, dataset.id}
    with pytest.raises(BadInput, match="made from it"):
        workspace.evaluation.delete(id_)
    assert workspace.artefacts.get(Evaluation, id_)


def test_the_sample_answers_are_what_the_other_tests_count_on():
    reference = '{"category": "billing", "priority": "low", "summary": "x"}'
    assert [answers(place, reference)[0] == reference for place in range(5)] == [
        True,
        False,
        False,
        False,
        True,
    ]
