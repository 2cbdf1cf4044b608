"""Bradley-Terry: one strength for each model from who was preferred to whom, with intervals and ranges of ranks.

Takes comparisons, gives rankings; one for each group of models that comparisons connect, as nothing is known across groups.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ftkit.ratings.statistics.reading import Comparison
from ftkit.statistics import LEVEL, student, wilson

Numbers = NDArray[np.float64]
_Ends = tuple[float | None, float | None]
RESAMPLES = 1000
SEED = 42
_ROUNDS, _STEP = 60, 1e-9
_FARTHEST = 2.0  # log-odds that one round may change: keeps Newton's method from overshooting
_SAME = 1e-9
_HALF = 0.5


class Strength(NamedTuple):
    """One model of a ranking.

    Args:
        side: its name.
        strength: log-odds, centred so that the group's mean is 0; ``low`` and ``high`` bound its 95 % interval, None for one prompt.
        chance: to beat an average model of the group; ``chance_low`` and ``chance_high`` alike.
        rank: 1 is the best; ``rank_low`` to ``rank_high`` holds its rank in 95 % of the resamples.
        ratings: comparisons it took part in.
    """

    side: str
    strength: float
    low: float | None
    high: float | None
    chance: float
    chance_low: float | None
    chance_high: float | None
    rank: int
    rank_low: int
    rank_high: int
    ratings: int

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return self._asdict()


def rankings(
    found: Sequence[Comparison], sides: Sequence[str], resamples: int = RESAMPLES, seed: int = SEED
) -> list[list[Strength]]:
    """A ranking, best first, of each group of sides that comparisons connect; sides that were never compared stand in none."""
    return [
        _ranking([one for one in found if one.first in group], group, resamples, seed)
        for group in _groups(found, sides)
    ]


def fit(wins: Numbers, start: Numbers | None = None) -> Numbers:
    """Strengths in log-odds, centred to 0, of many tables at once.

    Maximises the likelihood of Bradley and Terry (Biometrika 39, 1952, 324-345) in which each model also had one tie with a
    model of strength 0. This keeps a model that was never beaten finite, and is one tie's worth of evidence.

    Args:
        wins: (tables x sides x sides), how often the row's side was preferred to the column's; ties are half a win for both.
        start: where to begin (sides).

    Returns:
        (tables x sides)
    """
    tables, sides = wins.shape[0], wins.shape[1]
    games = wins + wins.transpose(0, 2, 1)
    won = wins.sum(2) + 0.5
    strength = np.zeros((tables, sides)) if start is None else np.tile(start, (tables, 1))
    for _ in range(_ROUNDS):
        chance = _sigmoid(strength[:, :, None] - strength[:, None, :])
        slope = won - (games * chance).sum(2) - _sigmoid(strength)
        step = np.linalg.solve(_information(games, strength), slope[:, :, None])[:, :, 0]
        strength = strength + np.clip(step, -_FARTHEST, _FARTHEST)
        if np.abs(step).max(initial=0.0) < _STEP:
            break
    centred: Numbers = strength - strength.mean(1, keepdims=True)
    return centred


def _ranking(found: Sequence[Comparison], group: Sequence[str], resamples: int, seed: int) -> list[Strength]:
    wins = _tables(found, group)
    seen = fit(wins.sum(0)[None])[0]
    ends, ranks = _spread(wins, seen, resamples, seed)
    rank = _ranks(seen[None])[0]
    ratings = wins.sum(0) + wins.sum(0).T
    best_first = sorted(range(len(group)), key=lambda one: (rank[one], group[one]))
    return [
        Strength(
            side=group[one],
            strength=float(seen[one]),
            low=ends[one][0],
            high=ends[one][1],
            chance=_odds(float(seen[one])),
            chance_low=_chance(ends[one][0]),
            chance_high=_chance(ends[one][1]),
            rank=int(rank[one]),
            rank_low=int(ranks[0][one]),
            rank_high=int(ranks[1][one]),
            ratings=round(float(ratings[one].sum())),
        )
        for one in best_first
    ]


def _spread(
    wins: Numbers, seen: Numbers, resamples: int, seed: int
) -> tuple[list[_Ends], tuple[Numbers, Numbers]]:
    """Ends of the intervals and of the ranges of ranks.

    Bootstrap over prompts. The interval is the estimate and Student's t times the standard error of the resamples, but for a side
    for which all prompts say the same: see ``_ends_alike``.
    """
    prompts, sides = wins.shape[0], len(seen)
    if prompts < 2:  # noqa: PLR2004 - one prompt has no spread
        return [(None, None)] * sides, (np.ones(sides), np.full(sides, float(sides)))
    drawn = resample(wins, seen, resamples, seed)
    reach = student(prompts - 1) * drawn.std(0, ddof=1)
    ends: list[_Ends] = [(float(one - r), float(one + r)) for one, r in zip(seen, reach, strict=True)]
    for side, share in enumerate(_share_alike(wins)):
        if not np.isnan(share):
            ends[side] = _ends_alike(side, float(share), wins, seen)
    tail = (1 - LEVEL) / 2
    ranks = np.quantile(_ranks(drawn), [tail, 1 - tail], axis=0, method="closest_observation")
    return ends, (ranks[0], ranks[1])


def _ends_alike(side: int, share: float, wins: Numbers, seen: Numbers) -> _Ends:
    """The interval of a side whose prompts show no spread: Wilson's of its share with one rating a prompt.

    A share is turned into log-odds against the others' mean. Where an end is 0 or 1, it is that of the model's standard error.
    """
    games = wins[:, side].sum(1) + wins[:, :, side].sum(1)
    prompts = int((games > 0).sum())
    if prompts < 2:  # noqa: PLR2004 - as above
        return None, None
    strength, part = float(seen[side]), 1 - 1 / len(seen)
    reach = student(prompts - 1)
    low, high = wilson(share, prompts, reach)
    far = reach * float(_by_model(wins, seen)[side])
    return (
        min(strength, part * math.log(low / (1 - low))) if share > 0 else strength - far,
        max(strength, part * math.log(high / (1 - high))) if share < 1 else strength + far,
    )


def resample(wins: Numbers, seen: Numbers, resamples: int, seed: int) -> Numbers:
    """Strengths (resamples x sides) of prompts drawn with replacement.

    Args:
        wins: (prompts x sides x sides).
        seen: strengths of all prompts.
        resamples: how many.
        seed: of the draws.
    """
    prompts, sides = wins.shape[0], wins.shape[1]
    draw = np.random.default_rng(seed)
    weights = draw.multinomial(prompts, np.full(prompts, 1 / prompts), size=resamples).astype(np.float64)
    drawn = (weights @ wins.reshape(prompts, -1)).reshape(resamples, sides, sides)
    # Half a win to and fro between each two: where nearly all are ties, the few others show less spread than there is.
    moved = np.triu(draw.integers(0, 2, size=drawn.shape) - _HALF, 1)
    back = drawn.transpose(0, 2, 1)
    moved = np.clip(moved, -drawn, back) * (drawn + back > 0)
    return fit(drawn + moved - moved.transpose(0, 2, 1), seen)


def _information(games: Numbers, strength: Numbers) -> Numbers:
    """Fisher's information (tables x sides x sides) of the strengths before they are centred."""
    chance, alone = _sigmoid(strength[:, :, None] - strength[:, None, :]), _sigmoid(strength)
    weight = games * chance * (1 - chance)
    information: Numbers = -weight
    diagonal = np.arange(strength.shape[1])
    information[:, diagonal, diagonal] += weight.sum(2) + alone * (1 - alone)
    return information


def _share_alike(wins: Numbers) -> Numbers:
    """Each side's share of wins where it is the same in every prompt that has it, else nan."""
    won, games = wins.sum(2), (wins + wins.transpose(0, 2, 1)).sum(2)
    share = np.divide(won, games, out=np.full(won.shape, np.nan), where=games > 0)
    low, high = np.nanmin(share, axis=0), np.nanmax(share, axis=0)
    alike: Numbers = np.where(high - low < _SAME, low, np.nan)
    return alike


def _by_model(wins: Numbers, seen: Numbers) -> Numbers:
    """Standard errors as if each prompt had one rating of each pair, which is the least that it can tell."""
    games = wins + wins.transpose(0, 2, 1)
    prompts = (games > 0).sum(0).astype(np.float64)
    spread = np.linalg.inv(_information(prompts[None], seen[None])[0])
    centre = np.eye(len(seen)) - 1 / len(seen)
    errors: Numbers = np.sqrt(np.diag(centre @ spread @ centre))
    return errors


def _tables(found: Sequence[Comparison], group: Sequence[str]) -> Numbers:
    """How often each side was preferred to each other, prompt by prompt."""
    place = {side: index for index, side in enumerate(group)}
    clusters = {cluster: index for index, cluster in enumerate(dict.fromkeys(one.cluster for one in found))}
    wins = np.zeros((len(clusters), len(group), len(group)))
    for one in found:
        first, second, cluster = place[one.first], place[one.second], clusters[one.cluster]
        wins[cluster, first, second] += one.worth
        wins[cluster, second, first] += 1 - one.worth
    return wins


def _groups(found: Sequence[Comparison], sides: Sequence[str]) -> list[list[str]]:
    """Sides that comparisons connect, in the order of ``sides``."""
    group = {side: {side} for side in sides}
    for first, second in dict.fromkeys((one.first, one.second) for one in found):
        whole = group[first] | group[second]
        group.update(dict.fromkeys(whole, whole))
    different = {id(one): one for one in group.values() if len(one) > 1}
    return [[side for side in sides if side in one] for one in different.values()]


def _ranks(strengths: Numbers) -> Numbers:
    """1 and how many are stronger; (tables x sides)."""
    ranks: Numbers = 1.0 + (strengths[:, None, :] > strengths[:, :, None] + _SAME).sum(2)
    return ranks


def _sigmoid(values: Numbers) -> Numbers:
    sigmoid: Numbers = 0.5 * (1 + np.tanh(values / 2))
    return sigmoid


def _odds(strength: float) -> float:
    return float(_sigmoid(np.array(strength)))


def _chance(strength: float | None) -> float | None:
    return None if strength is None else _odds(strength)
