"""Which ratings count: each one that does not has a reason, and is counted under it.

Takes ratings and how to look at them, gives those that count and why the others do not. It computes no result.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from ftkit.ratings.results.rated import Rated
from ftkit.ratings.statistics.checks import is_right
from ftkit.ratings.statistics.reading import is_complete
from ftkit.ratings.studies.options import Protocol
from ftkit.records import Record

Reason = Literal["gold", "incomplete", "revoked", "low_gold", "flagged"]
REASONS: tuple[Reason, ...] = ("gold", "incomplete", "revoked", "low_gold", "flagged")


class ResultOptions(Record):
    """How the results are looked at."""

    without_revoked: bool = Field(default=True, description="Leave out raters whose invite was revoked.")
    least_gold: float = Field(
        default=0, ge=0, le=1, description="Leave out raters with a smaller share of gold items right."
    )
    without_flagged: bool = Field(default=True, description="Leave out ratings that the rater has flagged.")


class Asked(NamedTuple):
    """What a study asks, as far as its results need it.

    Args:
        protocol: how answers are rated.
        sides: names of the models.
        criteria: of protocol scales.
        points: best mark of a scale.
        overlap: ratings that each item is to have.
    """

    protocol: Protocol
    sides: tuple[str, ...]
    criteria: tuple[str, ...] = ()
    points: int = 5
    overlap: int = 1


class Selected(NamedTuple):
    """Ratings that count, and why each of the others does not."""

    used: list[Rated]
    reasons: list[Reason | None]

    @property
    def left_out(self) -> dict[str, int]:
        """How many are left out for each reason."""
        counted = Counter(self.reasons)
        return {reason: counted[reason] for reason in REASONS}


def select(
    ratings: Sequence[Rated], asked: Asked, revoked: Collection[str], options: ResultOptions
) -> Selected:
    """Divide ratings into those that count and those that do not; the first reason that holds is given."""
    low = below(ratings, asked, options.least_gold)
    out = revoked if options.without_revoked else ()
    reasons = [_reason(one, asked, out, low, options) for one in ratings]
    used = [one for one, reason in zip(ratings, reasons, strict=True) if reason is None]
    return Selected(used, reasons)


def below(ratings: Sequence[Rated], asked: Asked, least: float) -> set[str]:
    """Raters with a smaller share of their gold items right; who has seen none is not judged."""
    seen: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for one in ratings:
        if one.gold is not None and is_complete(one, asked.protocol, asked.criteria):
            seen[one.rater] += 1
            right[one.rater] += is_right(one, asked.protocol, asked.criteria)
    return {rater for rater, count in seen.items() if right[rater] / count < least}


def names_of(raters: Mapping[str, str], ratings: Sequence[Rated]) -> dict[str, str]:
    """Names of all raters with ratings; an id stands for a name that is gone."""
    return {one.rater: raters.get(one.rater, one.rater) for one in ratings}


def _reason(
    rated: Rated, asked: Asked, revoked: Collection[str], low: Collection[str], options: ResultOptions
) -> Reason | None:
    if rated.gold is not None:
        return "gold"
    if not is_complete(rated, asked.protocol, asked.criteria):
        return "incomplete"
    if rated.rater in revoked:
        return "revoked"
    if rated.rater in low:
        return "low_gold"
    return "flagged" if options.without_flagged and rated.values.get("flag") else None
