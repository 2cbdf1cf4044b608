"""What was heard on each way to the model, and the table that says whether it is the same.

Takes token ids and answers, gives rows of plain values for ``parity.json``. A difference is explained where the trained model itself
held the two tokens for almost equally likely, so that rounding decides between them. It asks no model.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

Rounding = Literal["fp32", "f16", "bf16", "q8_0"]
# How far the trained model's own token may be ahead of the one that another way took, as a share of the distance between the
# likeliest token's logit and the mean of all. A wrong merge, template or tokenizer moves tokens that were several times as sure.
TOLERANCES: Mapping[Rounding, float] = {"fp32": 0.002, "f16": 0.01, "bf16": 0.06, "q8_0": 0.1}


class Heard(NamedTuple):
    """One way, with the same prompts as the others.

    Args:
        way: its name, a word of the catalogue.
        prompts: token ids of each prompt as this way makes them; None where it does not tell.
        texts: the answer to each prompt.
        answers: token ids of each answer; None where the way gives text only.
        rounding: of its numbers.
    """

    way: str
    prompts: Sequence[list[int]] | None
    texts: Sequence[str]
    answers: Sequence[list[int]] | None = None
    rounding: Rounding = "fp32"


class Gap(NamedTuple):
    """How far the trained model's token was ahead of another one, as a share; and both as text."""

    share: float
    expected: str
    got: str


# prompt number, place in the answer, the other token (None where only its text is known) → what the trained model thought of both
Look = Callable[[int, int, int | None], Gap]
# prompt number, number of tokens → text of so much of the trained model's answer
Spell = Callable[[int, int], str]


def served_row(
    way: str, prompts: Sequence[Mapping[str, Any]], texts: Sequence[str], rounding: Rounding
) -> dict[str, Any]:
    """The row of a way that gives text only, long after the trained model was asked.

    Args:
        way: its name.
        prompts: of ``parity.json``: each has ``said``, the trained model's tokens with their text and how far each was ahead.
        texts: the answers.
        rounding: of the numbers behind them.
    """
    said = [prompt["said"] for prompt in prompts]

    def look(number: int, place: int, _: int | None) -> Gap:
        if place >= len(said[number]):
            return Gap(prompts[number]["ahead_end"], "", "")
        return Gap(said[number][place]["ahead"], said[number][place]["text"], "")

    def spell(number: int, tokens: int) -> str:
        return "".join(token["text"] for token in said[number][:tokens])

    trained = Heard("trainer", None, [p["answer"] for p in prompts], [list(range(len(one))) for one in said])
    return row_of(Heard(way, None, texts, None, rounding), trained, look, spell)


def row_of(heard: Heard, trained: Heard, look: Look, spell: Spell) -> dict[str, Any]:
    """One row of the table: what was heard on a way beside what the trained model says.

    ``note`` is ``same``, ``rounding`` where every difference is explained, ``tokens`` where other token ids are made of the same
    prompt, else ``differs``.
    """
    same_ids = None
    if heard.prompts is not None and trained.prompts is not None:
        same_ids = [list(ids) for ids in heard.prompts] == [list(ids) for ids in trained.prompts]
    differences = []
    for number in range(len(trained.texts)):
        place, other = _first_difference(heard, trained, number, spell)
        if place is None:
            continue
        gaps = {one: look(number, one, other) for one in _alike(heard, number, place, spell)}
        place, gap = min(gaps.items(), key=lambda found: found[1].share)
        tolerance = TOLERANCES[heard.rounding]
        differences.append(
            {
                "prompt": number,
                "token": place,
                "expected": gap.expected,
                "got": gap.got or heard.texts[number][len(spell(number, place)) :][:40],
                "gap": round(gap.share, 6),
                "tolerance": tolerance,
                "explained": gap.share <= tolerance,
            }
        )
    count = len(trained.texts)
    return {
        "way": heard.way,
        "token_ids_equal": same_ids,
        "answers_equal": not differences,
        "prompts": count,
        "equal_answers": count - len(differences),
        "rounding": heard.rounding,
        "first_difference": next((one for one in differences if not one["explained"]), None)
        or next(iter(differences), None),
        "note": _note(same_ids, differences),
    }


def _note(same_ids: bool | None, differences: Sequence[Mapping[str, Any]]) -> str:
    if same_ids is False:
        return "tokens"
    if not differences:
        return "same"
    return "rounding" if all(one["explained"] for one in differences) else "differs"


def _alike(heard: Heard, number: int, place: int, spell: Spell) -> list[int]:
    """Where the difference may lie: in a text also at the tokens just before it that are halves of characters, all written alike."""
    if heard.answers is not None:
        return [place]
    return [one for one in range(place + 1) if spell(number, one) == spell(number, place)]


def _first_difference(
    heard: Heard, trained: Heard, number: int, spell: Spell
) -> tuple[int | None, int | None]:
    """Place in the answer and the other token; (None, None) where both are equal."""
    mine = trained.answers
    assert mine is not None, "the trained model was asked for tokens"  # noqa: S101
    if heard.answers is None:
        text = heard.texts[number]
        if text == trained.texts[number]:
            return None, None
        places = range(len(mine[number]))
        return next((n for n in places if not text.startswith(spell(number, n + 1))), len(mine[number])), None
    pairs = zip(mine[number], heard.answers[number], strict=False)
    for place, (expected, got) in enumerate(pairs):
        if expected != got:
            return place, got
    shorter = min(len(mine[number]), len(heard.answers[number]))
    if len(mine[number]) == len(heard.answers[number]):
        return None, None
    rest = heard.answers[number][shorter:]
    return shorter, rest[0] if rest else None
