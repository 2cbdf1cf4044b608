"""Ratings as comparisons and marks: what each protocol says of two answers, and of one.

Takes ``Rated`` values, gives flat tuples. A rating that lacks something is told apart here and never filled in.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from ftkit.ratings.results.rated import BOTH_BAD, TIE, Rated
from ftkit.ratings.studies.options import Protocol

FIRST, SECOND = "first", "second"
_WORTH = {FIRST: 1.0, SECOND: 0.0, TIE: 0.5, BOTH_BAD: 0.5}


class Comparison(NamedTuple):
    """Two answers of one rating.

    Args:
        cluster: ratings with the same one are not independent: they are of the same prompt.
        rater: who said it.
        first: name of the side of the one answer.
        second: of the other.
        said: "first", "second", "tie" or "both_bad".
    """

    cluster: str
    rater: str
    first: str
    second: str
    said: str

    @property
    def worth(self) -> float:
        """For the first side: 1 a win, 0 a loss, a half where neither is better."""
        return _WORTH[self.said]

    @property
    def better(self) -> str:
        """Name of the better side, "tie" or "both_bad"."""
        return {FIRST: self.first, SECOND: self.second}.get(self.said, self.said)


class Mark(NamedTuple):
    """One answer of one rating: points of a criterion, its rank, or 1 for passed and 0 for not."""

    cluster: str
    rater: str
    side: str
    criterion: str
    value: float


def cluster_of(rated: Rated) -> str:
    """The prompt, of which there can be several items; where it is not known, its row, else the item."""
    return rated.prompt or (rated.item if rated.row is None else f"row {rated.row}")


def is_complete(rated: Rated, protocol: Protocol, criteria: Sequence[str]) -> bool:
    """Whether nothing is missing of what the protocol asks."""
    count, values = len(rated.order), rated.values
    if protocol == "pairs":
        choice = values.get("choice")
        return choice in (TIE, BOTH_BAD) or _is_whole(choice, 0, count - 1)
    if protocol == "scales":
        scores = values.get("scores") or []
        return len(scores) == count and all(
            _is_whole(one.get(name), 1, None) for one in scores for name in criteria
        )
    if protocol == "ranking":
        ranks = values.get("ranks") or []
        return len(ranks) == count and all(_is_whole(rank, 1, None) for rank in ranks)
    passed = values.get("passed") or []
    return len(passed) == count and all(isinstance(one, bool) for one in passed)


def heights(rated: Rated, protocol: Protocol, criteria: Sequence[str]) -> list[float] | None:
    """How good each answer is said to be, higher is better; None where the protocol asks only which is better."""
    if protocol == "scales":
        return [sum(one[name] for name in criteria) / len(criteria) for one in rated.values["scores"]]
    if protocol == "ranking":
        return [-float(rank) for rank in rated.values["ranks"]]
    if protocol == "pass_fail":
        return [float(one) for one in rated.values["passed"]]
    return None


def comparisons(ratings: Iterable[Rated], protocol: Protocol, criteria: Sequence[str]) -> list[Comparison]:
    """Each pair of answers that a rating compares; in other protocols than pairs the better one has more points, or passed alone."""
    found = []
    for rated in ratings:
        height = heights(rated, protocol, criteria)
        for one, other in combinations(range(len(rated.sides)), 2):
            said = (
                _said(rated.values.get("choice"), one, other)
                if height is None
                else _higher(height, one, other)
            )
            if said is not None:
                found.append(
                    _sorted(cluster_of(rated), rated.rater, rated.sides[one], rated.sides[other], said)
                )
    return found


def marks(ratings: Iterable[Rated], protocol: Protocol, criteria: Sequence[str]) -> list[Mark]:
    """Each answer's points, rank, or whether it passed; nothing for protocol pairs."""
    found = []
    for rated in ratings:
        for index, side in enumerate(rated.sides):
            for criterion, value in _marks_of(rated.values, index, protocol, criteria).items():
                found.append(Mark(cluster_of(rated), rated.rater, side, criterion, value))
    return found


def best_of(rated: Rated, protocol: Protocol, criteria: Sequence[str]) -> int | None:
    """Index of the one answer that is said to be better than all others; None where there is none."""
    height = heights(rated, protocol, criteria)
    if height is None:
        choice = rated.values["choice"]
        return None if isinstance(choice, str) else int(choice)
    best = max(height)
    return height.index(best) if height.count(best) == 1 and len(height) > 1 else None


def as_shown(rated: Rated, protocol: Protocol) -> Any:
    """What the rater did on the page, whoever's answers stood there: equal for two ratings of equal clicks."""
    values = rated.values
    if protocol == "pairs":
        choice = values["choice"]
        return choice if isinstance(choice, str) else rated.order.index(choice)
    key = {"scales": "scores", "ranking": "ranks", "pass_fail": "passed"}[protocol]
    told = [values[key][index] for index in rated.order]
    return tuple(tuple(sorted(one.items())) if isinstance(one, dict) else one for one in told)


def _marks_of(
    values: Mapping[str, Any], index: int, protocol: Protocol, criteria: Sequence[str]
) -> dict[str, float]:
    if protocol == "scales":
        return {name: float(values["scores"][index][name]) for name in criteria}
    if protocol == "ranking":
        return {"": float(values["ranks"][index])}
    if protocol == "pass_fail":
        return {"": float(values["passed"][index])}
    return {}


def _said(choice: Any, one: int, other: int) -> str | None:
    """A choice among more than two answers says nothing of two that were both not chosen."""
    if isinstance(choice, str):
        return choice
    return {one: FIRST, other: SECOND}.get(choice)


def _higher(height: Sequence[float], one: int, other: int) -> str:
    if height[one] == height[other]:
        return TIE
    return FIRST if height[one] > height[other] else SECOND


def _sorted(cluster: str, rater: str, first: str, second: str, said: str) -> Comparison:
    """The same two sides always in the same order."""
    if first <= second:
        return Comparison(cluster, rater, first, second, said)
    return Comparison(cluster, rater, second, first, {FIRST: SECOND, SECOND: FIRST}.get(said, said))


def _is_whole(value: Any, least: int, most: int | None) -> bool:
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and value >= least
        and (most is None or value <= most)
    )
