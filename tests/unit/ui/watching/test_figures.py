from typing import Any

import pytest

from ftkit.training.watching.samples import Samples, gather
from ftkit.training.watching.signs import look
from ftkit.ui.watching import figures


def line(step: int, answer: str, row: int = 3, **more: Any) -> dict[str, Any]:
    shown = {"prompt": "Hi?", "reference": "Hello.", "beginning": False, "bad": False, "cut": False}
    return {"step": step, "row": row, "answer": answer, **shown, **more}


def test_the_newest_and_the_first_answer_are_in_view_the_others_folded() -> None:
    found = Samples(gather([line(step, f"answer {step}") for step in (0, 4, 8, 12)]))
    made = figures.samples(found, "en")
    shown, folded = made.split("<details")
    assert "Step 12" in shown
    assert shown.index("answer 12") < shown.index("Before training") < shown.index("answer 0")
    assert "Answers between (2)" in folded
    assert folded.index("answer 8") < folded.index("answer 4")
    assert "12. adım" in figures.samples(found, "tr")


def test_what_a_reference_is_is_said() -> None:
    plain = figures.samples(Samples(gather([line(0, "a", beginning=True)])), "en")
    assert "The first third of a plain text is the prompt" in plain
    avoid = figures.samples(Samples(gather([line(0, "a", bad=True, cut=True)])), "en")
    assert "Answer to avoid" in avoid
    assert "cut at the longest length" in avoid


@pytest.mark.parametrize(
    ("nothing", "words"),
    [("no_validation", "no validation rows"), ("off", "sample_prompts"), ("left_out", "max_length")],
)
def test_why_there_are_none_is_said(nothing: Any, words: str) -> None:
    assert words in figures.samples(Samples((), nothing), "en")


def test_signs_are_said_in_the_readers_language_and_their_absence_too() -> None:
    curves: list[dict[str, Any]] = [{"step": n, "loss": 2 - n / 40} for n in range(1, 61)]
    assert "nothing to worry about" in figures.signs((), curves, "en")
    assert figures.signs((), curves[:3], "en") == ""
    curves += [
        {"step": step, "eval_loss": loss} for step, loss in ((10, 1.5), (20, 1.2), (30, 1.3), (40, 1.4))
    ]
    found = look(curves, {})
    assert "best there, 1.2, and is 1.4 now" in figures.signs(found, curves, "en")
    assert "orada, 1,2 idi, şimdi 1,4" in figures.signs(found, curves, "tr")


def test_rewards_stand_in_the_numbers_where_there_are_some() -> None:
    plain = figures.numbers_table([{"step": 1, "loss": 2.0, "tokens": 1234}], "en")
    assert "1,234" in plain
    assert "Reward margin" not in plain
    rewarded = figures.numbers_table([{"step": 1, "loss": 2.0, "reward_margin": 0.5}], "en")
    assert "Reward margin" in rewarded
