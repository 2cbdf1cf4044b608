"""One rating as the results see it: who said what of which answers.

Values only; the studies give them, statistics and preference data are made from them.
"""

from typing import Any, NamedTuple

# Choices of protocol pairs beside the index of the better answer.
TIE, BOTH_BAD = "tie", "both_bad"


class Rated(NamedTuple):
    """One rating. Answers are counted in the order of the item, never in the one that the rater saw.

    Args:
        item: its id.
        place: of the item in the study, from 0.
        rater: the rater's id.
        sides: which model wrote each answer; "" for the answers of a gold item.
        order: ``order[i]`` is the answer that stood in place i on the rater's page.
        values: by protocol: pairs {"choice": index | "tie" | "both_bad"}; scales {"scores": [{criterion: points}]};
            ranking {"ranks": [1, 2, 2]}; pass_fail {"passed": [true, false]}. With each: "comment" (text), "flag" (bool),
            "edits" {index as text: better answer}.
        seconds: that the rater took.
        gold: index of the answer that is known to be the better one; None for all other items.
        row: place of the prompt's row in its part, where it has one.
        prompt: the same for ratings of the same prompt; empty where that is not known.
        slices: labels of the prompt.
    """

    item: str
    place: int
    rater: str
    sides: tuple[str, ...]
    order: tuple[int, ...]
    values: dict[str, Any]
    seconds: float
    gold: int | None = None
    row: int | None = None
    prompt: str = ""
    slices: dict[str, str] = {}  # noqa: RUF012
