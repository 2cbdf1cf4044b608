"""Whether raters read and whether place decided: speed, always the same click, gold items, agreement with the others, first place.

Takes complete ratings, gives counts and shares. It leaves nobody out: who is left out is decided by who looks at the results.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from ftkit.ratings.results.rated import Rated
from ftkit.ratings.statistics.reading import as_shown, best_of, heights
from ftkit.ratings.studies.options import Protocol
from ftkit.statistics import agreement, binomial_test

# Silent reading is about 238 words a minute (Brysbaert, Journal of Memory and Language 109, 2019, 104047): four times that is skimming.
WORDS_A_MINUTE = 1000
LEAST_SECONDS = 1.0
MANY = 8  # equal clicks in a row that hardly happen by chance: the answers change places
_PLACE_IS_SURE = 0.05


class RaterCheck(NamedTuple):
    """One rater.

    Args:
        rater: id.
        ratings: complete ones, gold items among them.
        seconds: the median one took.
        fast: share of the ratings that were quicker than a person skims the texts; None where no length is known.
        alike: ``MANY`` ratings or more, and each of them the same click.
        gold_right: gold items rated right.
        gold_seen: gold items rated.
        with_others: units that others rated too.
        share: of these on which another rater says the same.
        kappa: that beyond chance.
        meaning: a word for it.
    """

    rater: str
    ratings: int
    seconds: float | None
    fast: float | None
    alike: bool
    gold_right: int
    gold_seen: int
    with_others: int
    share: float | None
    kappa: float | None
    meaning: str

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return self._asdict()


class Position(NamedTuple):
    """How often the answer that stood first was the one best answer.

    Args:
        ratings: with one best answer.
        first: of these, where it stood first.
        expected: share by chance.
        p: exact two-sided binomial test; the places are drawn for each rating, so that ratings are independent in this.
        biased: whether chance hardly explains it.
    """

    ratings: int
    first: int
    expected: float
    p: float
    biased: bool

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return self._asdict()


def check_raters(
    ratings: Sequence[Rated], protocol: Protocol, criteria: Sequence[str], words: Mapping[str, int]
) -> dict[str, RaterCheck]:
    """Each rater's check.

    Args:
        ratings: complete ones, gold items too.
        protocol: of the study.
        criteria: of protocol scales.
        words: how many stand on the page of each item.
    """
    by_rater: dict[str, list[Rated]] = defaultdict(list)
    for rated in ratings:
        by_rater[rated.rater].append(rated)
    by_item: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for rated in ratings:
        if rated.gold is None:
            by_item[rated.item].append((rated.rater, verdict_of(rated, protocol, criteria)))
    return {
        rater: _check(rater, own, (protocol, criteria), words, by_item) for rater, own in by_rater.items()
    }


def is_right(rated: Rated, protocol: Protocol, criteria: Sequence[str]) -> bool:
    """Whether the answer that is known to be the better one of a gold item was said to be so."""
    return best_of(rated, protocol, criteria) == rated.gold


def verdict_of(rated: Rated, protocol: Protocol, criteria: Sequence[str]) -> str:
    """What a rating says of the whole item, in one word that two raters can agree on."""
    height = heights(rated, protocol, criteria)
    if height is None:
        return str(rated.values["choice"])
    if protocol == "pass_fail" or len(height) == 1:
        return str(height)
    best = best_of(rated, protocol, criteria)
    return "tie" if best is None else str(best)


def position_of(ratings: Sequence[Rated], protocol: Protocol, criteria: Sequence[str]) -> Position | None:
    """Whether what stood first was chosen more, or less, often than chance has it; None without a rating that tells."""
    counts = Counter(len(rated.order) for rated in ratings if len(rated.order) > 1)
    if not counts:
        return None
    size = counts.most_common(1)[0][0]
    best = [
        (rated.order[0], best_of(rated, protocol, criteria)) for rated in ratings if len(rated.order) == size
    ]
    decided = [(shown, chosen) for shown, chosen in best if chosen is not None]
    if not decided:
        return None
    first = sum(shown == chosen for shown, chosen in decided)
    p = binomial_test(first, len(decided), 1 / size)
    return Position(len(decided), first, 1 / size, p, p < _PLACE_IS_SURE)


def _check(
    rater: str,
    own: Sequence[Rated],
    asked: tuple[Protocol, Sequence[str]],
    words: Mapping[str, int],
    by_item: Mapping[str, Sequence[tuple[str, str]]],
) -> RaterCheck:
    known = [rated for rated in own if rated.item in words]
    fast = sum(rated.seconds < _least(words[rated.item]) for rated in known)
    clicks = {as_shown(rated, asked[0]) for rated in own}
    gold = [is_right(rated, *asked) for rated in own if rated.gold is not None]
    pairs = [
        (verdict_of(rated, *asked), said)
        for rated in own
        if rated.gold is None
        for other, said in by_item[rated.item]
        if other != rater
    ]
    shared = {rated.item for rated in own if rated.gold is None and len(by_item[rated.item]) > 1}
    with_others = agreement(pairs)
    return RaterCheck(
        rater=rater,
        ratings=len(own),
        seconds=median(rated.seconds for rated in own) if own else None,
        fast=fast / len(known) if known else None,
        alike=len(own) >= MANY and len(clicks) == 1,
        gold_right=sum(gold),
        gold_seen=len(gold),
        with_others=len(shared),
        share=with_others.share,
        kappa=with_others.kappa,
        meaning=with_others.meaning,
    )


def _least(words: int) -> float:
    return max(LEAST_SECONDS, 60 * words / WORDS_A_MINUTE)
