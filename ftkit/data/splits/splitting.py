"""Which row goes into which part: seeded, by the content of the rows, rows that belong together never apart.

Takes rows in the order of the dataset, ratios and a seed; gives a part per row. It touches no files.

The rule, row by row from the first to the last, so that rows added at the end never move another one:

1. A row that belongs to rows before it (the same content, the same value of the group column, nearly the same text)
   goes to their part. Where those stand in two parts, the new row goes to none: it is left out and counted.
2. Any other row opens a group. The group's key (its value in the group column, else the row's content) is hashed with
   the seed to a number from 0 to 1, and the ratios say whose stretch that is: test, validation, train.
3. A part with a share s may lie empty only until 1/s groups have come: then the next group goes to it, whatever its
   hash. So with shares of 0.8, 0.1, 0.1 no part is empty from twelve groups on; fewer groups may leave one empty.

Without rule 3 and near-duplicates the part of a row depends on nothing but the row, wherever others are added. With a
column to stratify by, the groups of each label are dealt out in tens: each ten of them has one number from each tenth
of the stretch from 0 to 1, in a seeded order, so that each label keeps the ratios closely.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from ftkit.errors import BadInput
from ftkit.records import PARTS, Part

Ratios = tuple[float, float, float]
Bond = Literal["content", "group", "near"]

# Where the three shares usually lie; outside, ``ratio_notes`` says what it costs.
USUAL: Mapping[Part, tuple[float, float]] = {
    "train": (0.7, 0.8),
    "validation": (0.1, 0.15),
    "test": (0.1, 0.15),
}
_TOLERANCE = 1e-6
_TEN = 10
_ORDER: tuple[Part, ...] = ("test", "validation", "train")


class Row(NamedTuple):
    """What decides about a row. ``group`` and ``label`` are empty where there is none, ``held`` is a row that must go to
    the test part."""

    key: str
    text: str
    group: str = ""
    label: str = ""
    held: bool = False


class Neighbours(Protocol):
    """Near-duplicates among the rows, see ``ftkit.data.health.duplicates.Neighbours``."""

    @property
    def place(self) -> Mapping[int, int]: ...  # noqa: D102 - named by the protocol
    def add(self, place: int) -> None: ...  # noqa: D102 - named by the protocol
    def likely(self, place: int) -> Iterable[tuple[int, int]]: ...  # noqa: D102 - named by the protocol
    def alike(self, place: int, other: int, kind: int) -> bool: ...  # noqa: D102 - named by the protocol


class Assigned(NamedTuple):
    """What ``assign`` found.

    Args:
        part: of each row that is in one.
        apart: rows that are in none, because they belong to rows of two parts.
        like_test: rows that are in none, because they belong to a held row, and by what.
        largest: rows of the largest group that only near-duplicates hold together.
        filled: groups that rule 3 sent to a part.
    """

    part: dict[int, Part]
    apart: list[int]
    like_test: dict[int, Bond]
    largest: int
    filled: int

    def sizes(self) -> dict[Part, int]:
        """Rows of each part."""
        counts = Counter(self.part.values())
        return {part: counts[part] for part in PARTS}


def check_ratios(ratios: Sequence[float]) -> Ratios:
    """Three shares that add up to 1.

    Raises:
        BadInput: they do not.
    """
    shares = tuple(float(share) for share in ratios)
    fit = len(shares) == len(PARTS) and all(math.isfinite(share) and share >= 0 for share in shares)
    if not fit or abs(sum(shares) - 1) > _TOLERANCE:
        raise BadInput(
            "data.bad_ratios",
            "The ratios {ratios} do not work: give three numbers from 0 to 1 that add up to 1, such as 0.8,0.1,0.1.",
            ratios=",".join(f"{share:g}" for share in shares),
        )
    train, validation, test = shares
    return train, validation, test


def number(seed: int, key: str) -> float:
    """A number from 0 to 1, 1 not among them, that depends on nothing but seed and key."""
    digest = hashlib.sha256(f"{seed}:{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def assign(
    rows: Sequence[Row],
    ratios: Ratios,
    seed: int,
    neighbours: Neighbours | None = None,
    on_row: Callable[[int], None] = lambda _row: None,
) -> Assigned:
    """The part of each row; see the rule above.

    Args:
        rows: in the order of the dataset; held ones first.
        ratios: shares of train, validation and test; a share of 0 gives an empty part, if no row is held for it.
        seed: another seed, another split.
        neighbours: what says which rows are nearly the same; None to keep only equal rows and groups together.
        on_row: told which row is next.

    Raises:
        BadInput: there are fewer groups than parts to fill.
    """
    dealer = _Dealer(ratios, seed)
    together = _Together(neighbours)
    found = Assigned({}, [], {}, 0, 0)
    held = any(row.held for row in rows)
    for at, row in enumerate(rows):
        on_row(at)
        bonds = together.of(at, row)
        if row.held:
            part: Part = "test"
        elif held and "test" in bonds:
            found.like_test[at] = bonds["test"]
            continue
        elif len(bonds) > 1:
            found.apart.append(at)
            continue
        else:
            part = next(iter(bonds)) if bonds else dealer.deal(row)
        found.part[at] = part
        together.add(at, row, part)
    wanted = sum(share > 0 for share in ratios)
    if dealer.groups < wanted:
        raise BadInput(
            "data.too_few_rows",
            "{rows} different rows cannot fill {parts} parts. Add rows, or choose the ratios 1,0,0.",
            rows=dealer.groups,
            parts=wanted,
        )
    return found._replace(largest=together.largest(), filled=dealer.filled)


class _Dealer:
    """Rules 2 and 3: the part of a new group."""

    def __init__(self, ratios: Ratios, seed: int) -> None:
        self._seed = seed
        self._share = dict(zip(PARTS, ratios, strict=True))
        self._wanted = sorted((part for part in PARTS if self._share[part]), key=self._share.__getitem__)
        self._groups: Counter[Part] = Counter()
        self._labels: Counter[str] = Counter()
        self.groups = 0
        self.filled = 0

    def deal(self, row: Row) -> Part:
        """The part of the group that this row opens."""
        self.groups += 1
        part = natural = self._part_at(self._place(row))
        for one in self._wanted:
            if not self._groups[one] and self.groups >= 1 / self._share[one] - _TOLERANCE:
                part = one
                break
        self.filled += part != natural
        self._groups[part] += 1
        return part

    def _place(self, row: Row) -> float:
        place = number(self._seed, f"group:{row.group}" if row.group else row.key)
        if not row.label:
            return place
        ten, within = divmod(self._labels[row.label], _TEN)
        self._labels[row.label] += 1
        order = sorted(range(_TEN), key=lambda at: number(self._seed, f"ten:{row.label}:{ten}:{at}"))
        return (order[within] + place) / _TEN

    def _part_at(self, place: float) -> Part:
        end = 0.0
        for part in _ORDER:
            end += self._share[part]
            if place < end - 1e-12:
                return part
        return self._wanted[-1]


class _Together:
    """Rule 1: the parts of the rows that a row belongs to, and by what."""

    def __init__(self, neighbours: Neighbours | None) -> None:
        self._neighbours = neighbours
        self._by_key: dict[str, Part] = {}
        self._by_group: dict[str, Part] = {}
        self._by_place: dict[int, Part] = {}
        self._linked: dict[int, int] = {}
        self._size: Counter[int] = Counter()
        self._alike: list[int] = []

    def of(self, at: int, row: Row) -> dict[Part, Bond]:
        """The parts that hold rows which this one belongs to."""
        found: dict[Part, Bond] = {}
        if row.key in self._by_key:
            found[self._by_key[row.key]] = "content"
        if row.group and row.group in self._by_group:
            found.setdefault(self._by_group[row.group], "group")
        if self._neighbours is not None:
            self._alike = list(self._like(self._neighbours, self._neighbours.place[at]))
            for place in self._alike:
                found.setdefault(self._by_place[place], "near")
        return found

    def add(self, at: int, row: Row, part: Part) -> None:
        """The row that was asked for last is in this part."""
        self._by_key[row.key] = part
        if row.group:
            self._by_group[row.group] = part
        if self._neighbours is not None:
            place = self._neighbours.place[at]
            if place not in self._by_place:
                self._by_place[place] = part
                self._neighbours.add(place)
                for other in self._alike:
                    self._join(other, place)
            self._size[place] += 1

    def largest(self) -> int:
        """Rows of the largest cluster of near-duplicates."""
        sizes: Counter[int] = Counter()
        for place, size in self._size.items():
            sizes[self._root(place)] += size
        return max(sizes.values(), default=0)

    def _like(self, neighbours: Neighbours, place: int) -> Iterator[int]:
        """Places that are nearly the same, one of each cluster."""
        if place in self._by_place:
            yield place
            return
        clusters: set[int] = set()
        for other, kind in neighbours.likely(place):
            cluster = self._root(other)
            if cluster not in clusters and neighbours.alike(place, other, kind):
                clusters.add(cluster)
                yield other

    def _root(self, place: int) -> int:
        linked = self._linked
        while (above := linked.get(place, place)) != place:
            linked[place] = place = linked.get(above, above)
        return place

    def _join(self, one: int, other: int) -> None:
        first, second = self._root(one), self._root(other)
        if first != second:
            self._linked[max(first, second)] = min(first, second)
