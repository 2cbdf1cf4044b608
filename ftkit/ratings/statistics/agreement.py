"""How far raters agree beyond chance: Krippendorff's alpha, Fleiss' kappa, and the mean of Cohen's kappa over pairs of raters.

Takes what raters said of units (of an item, of an answer), gives an ``Accord``. It does not say who is right.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np

from ftkit.statistics import agreement, meaning_of

Level = Literal["nominal", "ordinal"]
Trust = Literal["reliable", "tentative", "unreliable", "undefined"]
# Krippendorff, Content Analysis (2004), section 11.4: data to rely on, and data for tentative conclusions alone.
_RELIABLE, _TENTATIVE = 0.8, 2 / 3


class Said(NamedTuple):
    """What a rater said of a unit: a word, or a number of an ordered scale."""

    unit: str
    rater: str
    value: Any


class Accord(NamedTuple):
    """Agreement of all raters on one question.

    Args:
        units: with the words of two raters or more; the others say nothing of agreement.
        share: of the pairs of raters on the same unit who say the same.
        alpha: Krippendorff's; None where everybody says one thing, so that there is no chance to beat.
        trust: a word for alpha.
        fleiss: Fleiss' kappa, on the ``fleiss_units`` with the most frequent number of raters; None for ordered values.
        cohen: mean of Cohen's kappa over the ``pairs`` of raters for which it is defined; None for ordered values.
        meaning: a word for Fleiss' kappa, or for the mean of Cohen's where there is none.
    """

    units: int
    share: float | None
    alpha: float | None
    trust: Trust
    fleiss: float | None
    fleiss_units: int
    cohen: float | None
    pairs: int
    meaning: str

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return self._asdict()


def accord(found: Iterable[Said], level: Level) -> Accord:
    """Agreement on one question.

    Args:
        found: one line for each rater and unit.
        level: nominal for words, ordinal for marks and ranks.
    """
    said = list(found)
    units: dict[str, list[Any]] = defaultdict(list)
    for one in said:
        units[one.unit].append(one.value)
    shared = [values for values in units.values() if len(values) > 1]
    alpha = krippendorff_alpha(shared, level)
    fleiss, fleiss_units, cohen, pairs = None, 0, None, 0
    if level == "nominal":
        fleiss, fleiss_units = fleiss_kappa(shared)
        cohen, pairs = mean_cohen(said)
    meaning = meaning_of(cohen if fleiss is None else fleiss)
    return Accord(
        len(shared), _share(shared), alpha, trust_of(alpha), fleiss, fleiss_units, cohen, pairs, meaning
    )


def krippendorff_alpha(units: Sequence[Sequence[Any]], level: Level) -> float | None:
    """Krippendorff's alpha (Computing Krippendorff's Alpha-Reliability, 2011); None where it is not defined.

    Args:
        units: the values that each unit was given, by any number of raters.
        level: nominal or ordinal.
    """
    values = sorted({value for unit in units for value in unit})
    if len(values) < 2:  # noqa: PLR2004 - where all say one thing nothing is expected by chance
        return None
    import krippendorff  # noqa: PLC0415 - needed by nobody who only reads

    place = {value: index for index, value in enumerate(values)}
    counts = np.zeros((len(units), len(values)), dtype=np.int64)
    for index, unit in enumerate(units):
        for value in unit:
            counts[index, place[value]] += 1
    domain = list(range(len(values))) if level == "nominal" else values
    return float(krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=level))


def fleiss_kappa(units: Sequence[Sequence[Any]]) -> tuple[float | None, int]:
    """Fleiss' kappa (Psychological Bulletin 76, 1971, 378-382) and the units it rests on.

    It wants the same number of raters for each unit: the most frequent one decides which units count.
    """
    if not units:
        return None, 0
    sizes = Counter(len(unit) for unit in units)
    size = max(sizes, key=lambda one: (sizes[one], one))
    counted = [Counter(unit) for unit in units if len(unit) == size]
    total = len(counted) * size
    seen = sum((sum(n * n for n in one.values()) - size) / (size * (size - 1)) for one in counted) / len(
        counted
    )
    overall = sum(counted, Counter())
    if len(overall) == 1:
        return None, len(counted)
    by_chance = sum((n / total) ** 2 for n in overall.values())
    return (seen - by_chance) / (1 - by_chance), len(counted)


def mean_cohen(said: Sequence[Said]) -> tuple[float | None, int]:
    """Mean of Cohen's kappa over pairs of raters with units in common, and the pairs for which it is defined."""
    by_rater: dict[str, dict[str, str]] = defaultdict(dict)
    for one in said:
        by_rater[one.rater][one.unit] = str(one.value)
    found = []
    for first, second in combinations(by_rater.values(), 2):
        both = agreement((value, second[unit]) for unit, value in first.items() if unit in second)
        if both.kappa is not None:
            found.append(both.kappa)
    return (sum(found) / len(found) if found else None), len(found)


def trust_of(alpha: float | None) -> Trust:
    """A word for alpha."""
    if alpha is None:
        return "undefined"
    return "reliable" if alpha >= _RELIABLE else "tentative" if alpha >= _TENTATIVE else "unreliable"


def _share(units: Sequence[Sequence[Any]]) -> float | None:
    """Share of equal pairs within the units, each unit weighing as much as any other."""
    if not units:
        return None
    equal = [
        sum(n * (n - 1) for n in Counter(unit).values()) / (len(unit) * (len(unit) - 1)) for unit in units
    ]
    return sum(equal) / len(equal)
