import json

import pytest

from ftkit.data.collecting.service import Picked
from ftkit.errors import BadInput, Refused
from ftkit.records import Dataset
from ftkit.settings import Settings
from ftkit.workspace import Workspace

ROWS = [
    {"question": f"What is {n} and {n}?", "answer": f"It is {2 * n}.", "source": "book"} for n in range(30)
]


@pytest.fixture
def workspace(tmp_path):
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path / "home")})) as workspace:
        yield workspace


@pytest.fixture
def split(workspace, tmp_path):
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(ROWS))
    return workspace.splits.split(workspace.data.import_file(file, "Sums").id, (0.6, 0.2, 0.2), near=False)


def collect(workspace, split, **picked) -> Dataset:
    use = picked.pop("use_test_rows", False)
    name = picked.pop("name", "")
    wanted = {"split": split.id, "part": "validation", "rows": (0, 2), "seen_in": "e1", **picked}
    return workspace._collecting.collect(Picked(**wanted), name, use_test_rows=use)


def test_chosen_rows_become_a_dataset_that_says_where_they_come_from(workspace, split):
    made = collect(workspace, split, rows=(2, 0, 2), answers={2: "It is mended."})
    first, second = workspace.data.rows(made.id)
    assert [row["answer"] == "It is mended." for row in (first, second)] == [False, True]
    assert {row["question"] for row in (first, second)} < {row["question"] for row in ROWS}
    assert [(row["from_part"], row["from_evaluation"], row["source"]) for row in (first, second)] == [
        ("validation", "e1", "book")
    ] * 2
    assert (made.name, made.rows, made.mapping) == ("Sums", 2, split.mapping)
    assert made.parents == ("e1", split.dataset)
    assert made.columns == ("question", "answer", "source", "from_part", "from_evaluation")
    assert made.notes == (
        "Rows of the validation part, chosen in an evaluation: 2.",
        "Answers corrected there: 1.",
    )


def test_the_new_dataset_can_be_split_and_sent_on_again(workspace, split):
    made = collect(workspace, split, rows=tuple(range(6)), name=" Next ")
    assert made.name == "Next"
    again = workspace.splits.split(made.id, (0.5, 0.5, 0), near=False)
    second = collect(workspace, again, rows=(0,), seen_in="e2")
    assert second.columns == made.columns
    assert [row["from_evaluation"] for row in workspace.data.rows(second.id)] == ["e2"]


def test_rows_of_the_test_part_go_only_where_that_is_meant(workspace, split):
    with pytest.raises(Refused, match="2 rows are of the test part"):
        collect(workspace, split, part="test")
    made = collect(workspace, split, part="test", use_test_rows=True)
    assert [row["from_part"] for row in workspace.data.rows(made.id)] == ["test", "test"]
    assert "cannot be judged by them any more" in made.notes[0]


@pytest.mark.parametrize("rows", [(), (-1,), (99,)])
def test_rows_that_are_not_there_are_refused(workspace, split, rows):
    with pytest.raises(BadInput, match="row"):
        collect(workspace, split, rows=rows)
    assert [one.name for one in workspace.data.all()] == ["Sums"]


def test_an_answer_beyond_all_measure_is_refused(workspace, split):
    with pytest.raises(BadInput, match="longer than 1000000"):
        collect(workspace, split, answers={0: "x" * 1_000_001})


def test_a_dataset_of_the_same_rows_has_the_same_hash(workspace, split):
    one, other = collect(workspace, split), collect(workspace, split)
    assert one.id != other.id
    assert one.content_hash == other.content_hash
    assert collect(workspace, split, answers={0: "no"}).content_hash != one.content_hash
