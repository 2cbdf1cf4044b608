from typing import Any

import pytest

from ftkit.training.watching.samples import gather, why_nothing


def line(step: int, row: int, answer: str) -> dict[str, Any]:
    shown = {"prompt": f"p{row}", "reference": "r", "beginning": False, "bad": False, "cut": False}
    return {"step": step, "row": row, "answer": answer, **shown}


def test_answers_stand_by_prompt_newest_first_and_the_newer_of_two_counts() -> None:
    lines = [line(0, 2, "a"), line(0, 1, "b"), line(4, 1, "torn"), line(4, 1, "c"), line(4, 2, "d")]
    first, second = gather(lines)
    assert (first.row, first.prompt) == (1, "p1")
    assert [(one.step, one.answer) for one in first.answers] == [(4, "c"), (0, "b")]
    assert [(one.step, one.answer) for one in second.answers] == [(4, "d"), (0, "a")]
    assert first.as_dict()["answers"][0] == {"step": 4, "answer": "c", "cut": False}


@pytest.mark.parametrize(
    ("options", "rows", "curves", "ended", "why"),
    [
        ({}, 4, [], True, "earlier"),
        ({"sample_prompts": 0}, 4, [], False, "off"),
        ({"sample_prompts": 2}, 0, [1], False, "no_validation"),
        ({"sample_prompts": 2}, 4, [1], False, "left_out"),
        ({"sample_prompts": 2}, 4, [], False, "not_yet"),
        ({"sample_prompts": 2}, 4, [], True, "ended"),
    ],
)
def test_why_there_are_none(
    options: dict[str, Any], rows: int, curves: list[int], ended: bool, why: str
) -> None:
    assert why_nothing(options, rows, curves, ended) == why
