"""Tests by permutation: how often a window drawn at random from both sides differs as much as the real one.

Takes which rows are the window, gives many random windows of the same size over the same rows, and p values. Where window and
reference come from one source, the real window is just one of these, whatever is computed from it and however few or alike the rows
are: the p value is exact, and nothing is assumed of the rows but that their order says nothing (Fisher 1935; Phipson and Smyth,
Statistical Applications in Genetics and Molecular Biology 9, 2010, for the 1 in numerator and denominator).
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]
_AT_ONCE = 250  # windows
_ROUNDING = 1e-9


class Windows:
    """The real window and random ones over the same rows.

    Args:
        size: rows of the window; they are the first ones.
        rows: of window and reference together.
        count: random windows.
        seed: another seed, other windows.
    """

    def __init__(self, size: int, rows: int, count: int, seed: int) -> None:
        self.size, self.rows, self.count = size, rows, count
        self._seed = seed
        self._drawn: list[NDArray[np.intp]] = []

    def test(self, statistic: Statistic) -> tuple[float, float, float]:
        """Value of the real window, mean of the random ones, and p.

        Args:
            statistic: takes windows as rows of ones and zeros over all rows, gives a number for each, large where it differs.
        """
        values = np.concatenate([statistic(some) for some in self._some()])
        observed, others = float(values[0]), values[1:]
        as_large = int(np.sum(others >= observed - _ROUNDING * max(1.0, abs(observed))))
        return observed, float(others.mean()), (1 + as_large) / (1 + len(others))

    def _some(self) -> Iterator[Numbers]:
        """Windows, a few at a time so that they fit in memory; the first one is the real one, and every test gets the same."""
        if not self._drawn:
            self._draw()
        for places in ([np.arange(self.size)[np.newaxis]], self._drawn):
            for some in places:
                windows = np.zeros((len(some), self.rows))
                np.put_along_axis(windows, some, 1.0, axis=1)
                yield windows

    def _draw(self) -> None:
        rng = np.random.default_rng(self._seed)
        for begin in range(0, self.count, _AT_ONCE):
            many = min(_AT_ONCE, self.count - begin)
            drawn = np.argpartition(rng.random((many, self.rows), dtype=np.float32), self.size - 1, axis=1)
            self._drawn.append(drawn[:, : self.size].copy())


def sides(windows: Numbers, table: Numbers) -> tuple[Numbers, Numbers]:
    """Sums over the window and over the reference of each column of ``table`` (rows × columns)."""
    inside = windows @ table
    return inside, table.sum(axis=0) - inside


def largest_rise(windows: Numbers, table: Numbers) -> Numbers:
    """How far the mean of a column rises in the window, in standard errors, for the column where it does most."""
    size = windows.sum(axis=1, keepdims=True)
    inside, outside = sides(windows, table)
    spread = table.std(axis=0)
    error = np.where(spread > 0, spread, np.inf) * np.sqrt(1 / size + 1 / (table.shape[0] - size))
    rise = (inside / size - outside / (table.shape[0] - size)) / error
    largest: Numbers = rise.max(axis=1)
    return largest


def unlike(windows: Numbers, table: Numbers) -> Numbers:
    """Chi-square of a table of categories (rows × categories, ones and zeros) between window and reference; other rows have no category."""
    inside, _ = sides(windows, table)
    known, total = inside.sum(axis=1, keepdims=True), max(1.0, table.sum())
    expected = known * (table.sum(axis=0) / total)
    rest = total - known
    spread = (
        expected * rest / total
    )  # variance of a draw without replacement but for (1 - share), as in chi-square
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(spread > 0, (inside - expected) ** 2 / spread, 0.0)
    whole: Numbers = parts.sum(axis=1)
    return whole


def furthest_apart(windows: Numbers, values: Numbers) -> Numbers:
    """Largest distance between the distributions of a value in window and reference (Kolmogorov and Smirnov)."""
    order = np.argsort(values, kind="stable")
    placed = windows[:, order]
    size = windows.sum(axis=1, keepdims=True)
    inside = placed.cumsum(axis=1) / size
    outside = (1 - placed).cumsum(axis=1) / (len(values) - size)
    last = np.append(np.diff(values[order]) > 0, True)  # of equal values
    distance: Numbers = np.abs(inside - outside)[:, last].max(axis=1)
    return distance
