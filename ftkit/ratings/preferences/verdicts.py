"""What the raters of one item say together of its answers, whatever the protocol.

Takes the ratings of an item, gives which answers are better than which, which are good and which are bad. It makes no rows and
knows no edits.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

from ftkit.ratings.preferences.wishes import PreferenceWishes
from ftkit.ratings.results.rated import BOTH_BAD, TIE, Rated
from ftkit.ratings.results.selecting import Asked

# Why an item teaches nothing.
CONFLICT, ALIKE = "conflict", "tie"


class Verdict(NamedTuple):
    """Pairs are (better, worse), answers counted as in the item; ``reason`` says why there is nothing."""

    pairs: tuple[tuple[int, int], ...] = ()
    good: tuple[int, ...] = ()
    bad: tuple[int, ...] = ()
    reason: str = ""


def verdict(asked: Asked, ratings: Sequence[Rated], wishes: PreferenceWishes) -> Verdict:
    """What the majority says.

    Args:
        asked: what the study asks.
        ratings: of one item, at least one.
        wishes: how much agreement is needed.
    """
    if asked.protocol == "pairs":
        return _of_pairs(ratings, wishes)
    if asked.protocol == "pass_fail":
        return _of_passes(ratings, wishes)
    if asked.protocol == "ranking":
        ranks = [[-float(rank) for rank in one.values["ranks"]] for one in ratings]
        return _of_order(ranks, wishes, margin=0.0)
    means = [[_mean(scores.values()) for scores in one.values["scores"]] for one in ratings]
    if wishes.method == "kto":
        return _of_marks(means, wishes, asked.points)
    return _of_order(means, wishes, wishes.margin)


def agreed(share: float, wishes: PreferenceWishes) -> bool:
    """Whether a share of the ratings is a majority, and as large a one as is wished for."""
    return share > 0.5 and share >= wishes.agreement  # noqa: PLR2004 - a half


def _of_pairs(ratings: Sequence[Rated], wishes: PreferenceWishes) -> Verdict:
    choices = [one.values["choice"] for one in ratings]
    best = max(dict.fromkeys(choices), key=choices.count)
    if not agreed(choices.count(best) / len(choices), wishes):
        return Verdict(reason=CONFLICT)
    if best == TIE:
        return Verdict(good=(0, 1) if wishes.ties == "good" else (), reason=ALIKE)
    if best == BOTH_BAD:
        return Verdict(bad=(0, 1), reason=BOTH_BAD)
    return Verdict(((best, 1 - best),), (best,), (1 - best,))


def _of_passes(ratings: Sequence[Rated], wishes: PreferenceWishes) -> Verdict:
    """An answer passed or failed where a majority says so; each that passed is better than each that failed."""
    answers = range(len(ratings[0].sides))
    shares = [_mean(float(one.values["passed"][answer]) for one in ratings) for answer in answers]
    good = tuple(answer for answer in answers if agreed(shares[answer], wishes))
    bad = tuple(answer for answer in answers if agreed(1 - shares[answer], wishes))
    reason = CONFLICT if len(good) + len(bad) < len(shares) else (ALIKE if good else BOTH_BAD)
    return Verdict(tuple((one, other) for one in good for other in bad), good, bad, reason)


def _of_order(values: Sequence[Sequence[float]], wishes: PreferenceWishes, margin: float) -> Verdict:
    """The best answer against the worst, and each against the next one below it, where they differ and a majority says so.

    ``values`` has for each rater one value an answer; higher is better.
    """
    means = [_mean(column) for column in zip(*values, strict=True)]
    order = sorted(range(len(means)), key=lambda answer: (-means[answer], answer))
    wanted = dict.fromkeys([(order[0], order[-1]), *pairwise(order)] if len(order) > 1 else [])
    differing = [(one, other) for one, other in wanted if _differ(means[one] - means[other], margin)]
    pairs = tuple(pair for pair in differing if agreed(_share_for(values, *pair), wishes))
    reason = CONFLICT if differing or _someone_differs(values) else ALIKE
    if not pairs:
        return Verdict(reason=reason)
    return Verdict(pairs, (pairs[0][0],), (pairs[0][1],))


def _of_marks(means: Sequence[Sequence[float]], wishes: PreferenceWishes, points: int) -> Verdict:
    """An answer is good where its mean lies by the margin above the middle of the scale, and bad where it lies below."""
    middle = (1 + points) / 2
    answers = range(len(means[0]))

    def found(sign: int) -> tuple[int, ...]:
        return tuple(
            answer
            for answer in answers
            if _differ(sign * (_mean(one[answer] for one in means) - middle), wishes.margin)
            and agreed(_mean(float(sign * (one[answer] - middle) > 0) for one in means), wishes)
        )

    good, bad = found(1), found(-1)
    spread = any(one[answer] != means[0][answer] for one in means for answer in answers)
    return Verdict((), good, bad, CONFLICT if spread else ALIKE)


def _differ(difference: float, margin: float) -> bool:
    return difference > 0 and difference >= margin - 1e-9


def _share_for(values: Sequence[Sequence[float]], one: int, other: int) -> float:
    return _mean(float(rater[one] > rater[other]) for rater in values)


def _someone_differs(values: Sequence[Sequence[float]]) -> bool:
    """Whether raters disagree on the order of two answers, rather than find them alike."""
    return any(
        _says(values, lambda a, b: a > b, one, other) and _says(values, lambda a, b: a < b, one, other)
        for one, other in combinations(range(len(values[0])), 2)
    )


def _says(
    values: Sequence[Sequence[float]], holds: Callable[[float, float], bool], one: int, other: int
) -> bool:
    return any(holds(rater[one], rater[other]) for rater in values)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
