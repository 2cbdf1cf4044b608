"""Shares and means with 95 % intervals that allow for several ratings of one prompt not being independent.

Takes values with the prompt that each is of, gives estimates. Why these intervals: docs/decisions/2026-11-26-intervals-of-ratings.md.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ftkit.statistics import student, wilson

Numbers = NDArray[np.float64]
_HALF = 0.5
# The difference is called too small to be decided where more than so many times the ratings there are would be needed.
MOST_TIMES = 10.0


class Estimate(NamedTuple):
    """A value with its 95 % interval; ``low`` and ``high`` are None where one prompt alone, or no spread at all, says nothing.

    Args:
        value: mean or share.
        low: end of the interval.
        high: other end.
        ratings: that it rests on.
        prompts: that these are of.
    """

    value: float
    low: float | None
    high: float | None
    ratings: int
    prompts: int

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return self._asdict()


class Share(NamedTuple):
    """A share, and what is needed until it is clearly above or below one half.

    Args:
        estimate: the share.
        effective: independent ratings that would tell as much.
        more: ratings until an even chance that the interval leaves one half out; 0 where it does, None where the share is too near it.
    """

    estimate: Estimate
    effective: float
    more: int | None


def sums_by(values: Sequence[float], clusters: Sequence[str]) -> tuple[Numbers, Numbers]:
    """Sum and count of the values of each cluster."""
    _, place = np.unique(np.asarray(clusters), return_inverse=True)
    sums: Numbers = np.bincount(place, weights=np.asarray(values, dtype=np.float64)).astype(np.float64)
    return sums, np.bincount(place).astype(np.float64)


def share_of(values: Sequence[float], clusters: Sequence[str]) -> Share | None:
    """Share of a whole (0, 1, or a half each) over all ratings; None without any.

    Wilson's interval with the effective number of ratings (Korn and Graubard, Survey Methodology 24, 1998, 193-201): as many
    independent ratings as have the variance that the prompts show, and Student's t for the number of prompts. Where all prompts
    agree, their number is taken for it.
    """
    if not values:
        return None
    sums, counts = sums_by(values, clusters)
    prompts, ratings = len(sums), len(values)
    share = float(sums.sum() / ratings)
    effective = _effective(share, sums, counts)
    if prompts == 1:
        return Share(Estimate(share, None, None, ratings, 1), effective, None)
    reach = student(prompts - 1)
    low, high = wilson(share, effective, reach)
    distance = abs(share - _HALF) / math.sqrt(_HALF * _HALF / effective)
    return Share(Estimate(share, low, high, ratings, prompts), effective, _more(distance, reach, ratings))


def mean_of(values: Sequence[float], clusters: Sequence[str]) -> Estimate | None:
    """Mean over the prompts of each prompt's mean, with the interval of Student's t over the prompts; None without any."""
    if not values:
        return None
    sums, counts = sums_by(values, clusters)
    means = sums / counts
    low, high = _around(means)
    return Estimate(float(means.mean()), low, high, len(values), len(means))


def _around(means: Numbers) -> tuple[float | None, float | None]:
    prompts = len(means)
    spread = float(means.std(ddof=1)) / math.sqrt(prompts) if prompts > 1 else 0.0
    if not spread:
        return None, None
    reach = student(prompts - 1) * spread
    return float(means.mean() - reach), float(means.mean() + reach)


def _effective(share: float, sums: Numbers, counts: Numbers) -> float:
    prompts, ratings = len(sums), counts.sum()
    if prompts == 1:
        return 1.0
    squares = float(((sums - share * counts) ** 2).sum())
    if squares <= 0 or share in (0, 1):
        return float(prompts)
    # Half a rating more of each kind: where nearly all are ties, the few others show less spread than there is.
    squares += (share**2 + (1 - share) ** 2) / 2
    return float(share * (1 - share) / (squares * prompts / (prompts - 1) / ratings**2))


def _more(distance: float, reach: float, ratings: int) -> int | None:
    """The distance from one half grows with the square root of the ratings; the next ones may as well show less as more of it."""
    if distance > reach:
        return 0
    if distance <= 0 or (times := (reach / distance) ** 2) > MOST_TIMES:
        return None
    return max(1, math.ceil(ratings * (times - 1)))
