import math

import pytest

from ftkit.evaluation.errors.measures import Measure, badness, is_right, loss, measures, outcome, value
from tests.unit.evaluation.sample import sample

RIGHT = Measure("mood_accuracy", binary=True)
OVERLAP = Measure("token_f1", binary=False)
PERPLEXITY = Measure("perplexity", binary=False, lower=True)


def scored(base: float | None, tuned: float | None, name: str = "mood_accuracy") -> dict[str, float | None]:
    return {f"base_{name}": base, f"tuned_{name}": tuned}


def test_fields_come_before_whole_answers_and_graded_scores_last():
    overlap = {f"{side}_{name}": 1.0 for side in ("base", "tuned") for name in ("token_f1", "json_valid")}
    found = measures([sample(0) | overlap, sample(1) | overlap])
    names = ["mood_accuracy", "note_accuracy", "exact_match", "token_f1", "json_valid", "perplexity"]
    assert [one.name for one in found] == names
    assert {one.name for one in found if one.binary} == {*names[:3], "json_valid"}
    assert [one.name for one in found if one.lower] == ["perplexity"]


def test_whole_answers_of_which_none_is_right_do_not_come_first():
    rows = [{"reference": "a", **scored(0.0, 0.0, "exact_match"), **scored(0.1, 0.4, "token_f1")}]
    assert [one.name for one in measures(rows)] == ["token_f1", "exact_match", "perplexity"]


def test_what_is_no_score_of_both_sides_is_no_measure():
    row = {
        "tuned_answer": "a",
        "base_answer": "a",
        "tuned_x": 1.0,
        **scored(3, 4, "length"),
        **scored(None, None, "y"),
    }
    assert [one.name for one in measures([row])] == ["perplexity"]


@pytest.mark.parametrize(
    ("base", "tuned", "expected"),
    [
        (1, 0, "regression"),
        (0, 1, "improvement"),
        (0, 0, "both_wrong"),
        (1, 1, "both_right"),
        (None, 1, None),
    ],
)
def test_a_right_or_wrong_row(base, tuned, expected):
    assert outcome(scored(base, tuned), RIGHT) == expected


@pytest.mark.parametrize(
    ("base", "tuned", "expected"),
    [
        (0.5, 0.4, "regression"),
        (0.5, 0.6, "improvement"),
        (0.5, 0.45, "both_wrong"),
        (0.6, 0.62, "both_right"),
    ],
)
def test_a_graded_row_has_changed_from_a_tenth_of_the_scale_on(base, tuned, expected):
    assert outcome(scored(base, tuned, "token_f1"), OVERLAP) == expected


@pytest.mark.parametrize(("tuned", "expected"), [(12.0, "regression"), (8.0, "improvement"), (10.5, "alike")])
def test_a_lower_perplexity_is_the_better_one(tuned, expected):
    row = {"base_nll": 2 * math.log(10), "tuned_nll": 2 * math.log(tuned), "scored_tokens": 2}
    assert value(row, PERPLEXITY, "tuned") == pytest.approx(tuned)
    assert outcome(row, PERPLEXITY) == expected
    assert is_right(tuned, PERPLEXITY) is None


def test_a_score_of_a_hundred_has_its_own_scale():
    rows = [scored(20.0, 80.0, "chrf"), scored(50.0, 45.0, "chrf")]
    (measure, _) = measures(rows)
    assert measure == Measure("chrf", binary=False, scale=100.0)
    assert [outcome(row, measure) for row in rows] == ["improvement", "both_wrong"]


def test_the_worst_come_first_and_rows_without_a_score_last():
    rows = [scored(1.0, 0.5, "token_f1"), scored(0.1, 0.2, "token_f1"), scored(None, None, "token_f1")]
    assert sorted(rows, key=lambda row: -badness(row, OVERLAP)) == [rows[1], rows[0], rows[2]]
    assert sorted(rows, key=lambda row: -loss(row, OVERLAP)) == rows
