"""Which texts are the same, and which nearly the same.

Takes texts, gives clusters: lists of their numbers. Candidates come from MinHash and its bands; what is said is
always checked on the texts themselves. It decides nothing about which copy to keep.

Texts are compared by their words, without case and marks, in runs of three: at a threshold of 0.7 a copy of thirty
words survives one changed word, of a hundred words five. (Runs of five words, as used on web pages, would lose both.)
Short texts are compared by runs of four characters too.
"""

import hashlib
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Features: TypeAlias = np.ndarray[Any, np.dtype[np.uint64]]

_WORD_RUN = 3
_CHARACTER_RUN = 4
_LONG = (12, sys.maxsize)  # words of the texts that are compared by runs of words
_SHORT = (1, 40)  # and by runs of characters: the two overlap, so that no pair falls between
_HASHES = 128
_BANDS = 32  # of 4 hashes: a pair at 0.7 shares one with a probability of 0.9998
_MARGIN = 0.15  # more than three standard deviations of a similarity estimated from 128 hashes
_BATCH = 2000
_SETS = 20_000  # texts whose features are kept for comparing
_LEADERS = 200  # members of one bucket that are compared with all its others
_OWN_WORDS = "぀-ヿ㐀-鿿가-힯฀-໿"  # scripts without spaces: a character is a word
_WORDS = re.compile(f"[{_OWN_WORDS}]|[^\\W{_OWN_WORDS}]+")


OnStep = Callable[[int, int], None]


def _say_nothing(_done: int, _all: int) -> None:
    """Where nobody asks how far it is."""


def exact(texts: Iterable[str]) -> list[list[int]]:
    """Clusters of equal texts: the numbers of at least two each, in order."""
    places: defaultdict[bytes, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        places[_digest(text)].append(number)
    return [numbers for numbers in places.values() if len(numbers) > 1]


def near(
    texts: Sequence[str], threshold: float = 0.7, seed: int = 1, on_step: OnStep = _say_nothing
) -> list[list[int]]:
    """Clusters of texts that say nearly the same; equal texts are among them.

    Args:
        texts: one per row; a text without any letter or digit is like its equals only.
        threshold: the smallest Jaccard similarity of a pair; pairs that share a text are one cluster.
        seed: of the hashes.
        on_step: told how many steps of how many are done.

    Returns:
        The numbers of at least two texts each, in order.
    """
    groups = _same_words(texts)
    found = _Clusters(len(groups))
    forms = _forms(texts, groups)
    steps = _Steps(forms, on_step)
    for form in forms:
        _join(form, found, threshold, seed, steps)
    clusters = [
        sorted(number for place in places for number in groups[place].numbers) for places in found.all()
    ]
    return sorted(cluster for cluster in clusters if len(cluster) > 1)


def words(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return _WORDS.findall(text.replace("İ", "i").replace("ı", "i").casefold())


class Neighbours:
    """Which of the texts added so far another text is nearly the same as, for those who add text after text.

    Whether two texts are alike depends on them and on what was added before: what comes later changes nothing. Texts of
    the same words share one place.
    """

    def __init__(
        self, texts: Sequence[str], threshold: float = 0.7, seed: int = 1, on_step: OnStep = _say_nothing
    ) -> None:
        """Read all texts; the other arguments as for ``near``."""
        groups = _same_words(texts)
        self.place = {number: place for place, group in enumerate(groups) for number in group.numbers}
        self._threshold = threshold
        self._forms = _forms(texts, groups)
        steps = _Steps(self._forms, on_step)
        self._digests: list[Any] = [
            _digests(form, seed, steps) if len(form.places) > 1 else None for form in self._forms
        ]
        self._rows = [{place: row for row, place in enumerate(form.places)} for form in self._forms]
        self._members: list[list[int]] = []
        self._buckets: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for kind, (form, digests) in enumerate(zip(self._forms, self._digests, strict=True)):
            for members in _buckets(digests, steps) if digests is not None else ():
                for member in members.tolist():
                    self._buckets[form.places[member]].append((kind, len(self._members)))
                self._members.append([])

    def add(self, place: int) -> None:
        """From now on this place is among the likely ones."""
        for _, bucket in self._buckets.get(place, ()):
            if len(self._members[bucket]) < _LEADERS:
                self._members[bucket].append(place)

    def likely(self, place: int) -> Iterator[tuple[int, int]]:
        """Added places that may be alike, each with the form that says so; ``alike`` decides."""
        members: defaultdict[int, dict[int, None]] = defaultdict(dict)  # in the order of adding, each once
        for kind, bucket in self._buckets.get(place, ()):
            if self._members[bucket]:
                members[kind].update(dict.fromkeys(self._members[bucket]))
        for kind, others in members.items():
            rows, digests = self._rows[kind], self._digests[kind]
            likeness = (digests[[rows[other] for other in others]] == digests[rows[place]]).mean(axis=1)
            for other, share in zip(others, likeness.tolist(), strict=True):
                if share >= self._threshold - _MARGIN:
                    yield other, kind

    def alike(self, place: int, other: int, kind: int) -> bool:
        """Whether two places are nearly the same in this form."""
        return self._forms[kind].similarity(place, other) >= self._threshold


class _Reader:
    """Texts to numbers: the hash of each run of words or characters, the same in every process."""

    def __init__(self) -> None:
        self._of_word: dict[str, int] = {}

    def by_words(self, text: str) -> "Features":
        """Runs of words."""
        import numpy as np  # noqa: PLC0415  not when the dashboard starts

        found = words(text)
        known = self._of_word
        for word in set(found).difference(known):
            known[word] = int.from_bytes(_digest(word)[:8], "little")
        return _runs(np.fromiter(map(known.__getitem__, found), np.uint64, len(found)), _WORD_RUN)

    def by_characters(self, text: str) -> "Features":
        """Runs of characters, spaces around the words included."""
        import numpy as np  # noqa: PLC0415  not when the dashboard starts

        line = f" {' '.join(words(text))} "
        codes = np.frombuffer(line.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        return _runs(codes, min(_CHARACTER_RUN, len(line)))


@dataclass
class _Group:
    """Texts with the same words."""

    words: int
    numbers: list[int]


class _Form:
    """The texts that have features of one form, and those features on demand."""

    def __init__(
        self, texts: Sequence[str], numbers: Mapping[int, int], read: "Callable[[str], Features]"
    ) -> None:
        self._texts = texts
        self._numbers = numbers
        self._read = read
        self._sets: dict[int, frozenset[int]] = {}
        self.places = list(numbers)

    def features(self) -> "Iterator[Features]":
        """The features of each place, in order."""
        for number in self._numbers.values():
            yield self._read(self._texts[number])

    def similarity(self, one: int, other: int) -> float:
        """The true Jaccard similarity of two texts."""
        first, second = self._set(one), self._set(other)
        shared = len(first & second)
        return shared / (len(first) + len(second) - shared)

    def _set(self, place: int) -> frozenset[int]:
        if place not in self._sets:
            if len(self._sets) >= _SETS:
                self._sets.clear()
            self._sets[place] = frozenset(self._read(self._texts[self._numbers[place]]).tolist())
        return self._sets[place]


class _Clusters:
    """Which places belong together (union-find)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, place: int) -> int:
        """The smallest place of the cluster."""
        parent = self._parent
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    def together(self, one: int, other: int) -> None:
        """Make one cluster of two."""
        first, second = self.root(one), self.root(other)
        self._parent[max(first, second)] = min(first, second)

    def all(self) -> list[list[int]]:
        """The places of every cluster."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for place in range(len(self._parent)):
            found[self.root(place)].append(place)
        return list(found.values())


class _Steps:
    """How far it is: half of the steps are texts read, the other half are texts compared."""

    def __init__(self, forms: Sequence[_Form], on_step: OnStep) -> None:
        self._done = 0
        self._all = 2 * sum(len(form.places) for form in forms if len(form.places) > 1)
        self._on_step = on_step

    def add(self, count: int) -> None:
        """So many more."""
        self._done += count
        self._on_step(self._done, self._all)


def _same_words(texts: Iterable[str]) -> list[_Group]:
    """Texts by their words; one without words is together with its equals only."""
    groups: dict[bytes, _Group] = {}
    for number, text in enumerate(texts):
        found = words(text)
        key = _digest(" ".join(found) or f"\n{text}")
        groups.setdefault(key, _Group(len(found), [])).numbers.append(number)
    return list(groups.values())


def _forms(texts: Sequence[str], groups: Sequence[_Group]) -> list[_Form]:
    reader = _Reader()
    kinds = ((reader.by_words, _LONG), (reader.by_characters, _SHORT))
    return [
        _Form(
            texts,
            {place: group.numbers[0] for place, group in enumerate(groups) if low <= group.words < high},
            read,
        )
        for read, (low, high) in kinds
    ]


def _join(form: _Form, found: _Clusters, threshold: float, seed: int, steps: _Steps) -> None:
    if len(form.places) < 2:
        return
    digests = _digests(form, seed, steps)
    failed: set[tuple[int, int]] = set()
    for members in _buckets(digests, steps):
        rows = [form.places[member] for member in members]
        if len({found.root(row) for row in rows}) == 1:
            continue
        for at in range(min(len(rows) - 1, _LEADERS)):
            likeness = (digests[members[at + 1 :]] == digests[members[at]]).mean(axis=1)
            for step in (likeness >= threshold - _MARGIN).nonzero()[0].tolist():
                pair = rows[at], rows[at + 1 + step]
                if pair in failed or found.root(pair[0]) == found.root(pair[1]):
                    continue
                if form.similarity(*pair) >= threshold:
                    found.together(*pair)
                else:
                    failed.add(pair)


def _digests(form: _Form, seed: int, steps: _Steps) -> Any:
    """A row of hashes for each place."""
    import numpy as np  # noqa: PLC0415  not when the dashboard starts

    features = form.features()
    made = []
    for batch in iter(lambda: list(islice(features, _BATCH)), []):
        made.append(_minhash(batch, seed))
        steps.add(len(batch))
    return np.concatenate(made)


def _minhash(features: "Sequence[Features]", seed: int) -> Any:
    import numpy as np  # noqa: PLC0415  not when the dashboard starts
    from rensa import RMinHash  # noqa: PLC0415  not when the dashboard starts

    ends = np.cumsum([0, *(len(one) for one in features)], dtype=np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(np.concatenate(features), ends, _HASHES, seed)
    return np.array(matrix.to_rows(), np.uint32)


def _buckets(digests: Any, steps: _Steps) -> Iterator[Any]:
    """Members of each bucket with at least two, band by band."""
    import numpy as np  # noqa: PLC0415  not when the dashboard starts

    width = _HASHES // _BANDS
    for band in range(_BANDS):
        columns = digests[:, band * width : (band + 1) * width].astype(np.uint64)
        key = columns[:, 0].copy()
        for at in range(1, width):
            key *= 0x9E3779B97F4A7C15
            key += columns[:, at]
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=~key[order[:1]]))
        sizes = np.diff(starts, append=len(order))
        for bucket in np.flatnonzero(sizes > 1):
            yield order[starts[bucket] : starts[bucket] + sizes[bucket]]
        steps.add(len(digests) * (band + 1) // _BANDS - len(digests) * band // _BANDS)


def _runs(values: "Features", length: int) -> "Features":
    """A hash of every run of this many values."""
    count = max(1, len(values) - length + 1)
    mixed = values[:count].copy()
    for at in range(1, length):
        mixed *= 0x9E3779B97F4A7C15
        mixed += values[at : at + count]
    mixed ^= mixed >> 29
    mixed *= 0xBF58476D1CE4E5B9
    return mixed


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
