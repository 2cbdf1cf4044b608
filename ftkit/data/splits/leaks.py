"""How many rows leak from one part into another, measured on the parts as they were written.

Takes the rows of the parts, gives counts. It knows nothing of how they were split.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from ftkit.data.splits.splitting import Row
from ftkit.records import Part

Clusters = Callable[[Sequence[str]], list[list[int]]]


def count(rows: Mapping[Part, Mapping[int, Row]], clusters: Clusters) -> dict[str, int]:
    """Rows that also stand in another part: with the same content, nearly the same text, the same group.

    Args:
        rows: of each part, by their number in the dataset.
        clusters: gives the near-duplicates among texts.
    """
    flat = sorted((number, part, row) for part, members in rows.items() for number, row in members.items())
    parts = [part for _, part, _ in flat]
    near = clusters([row.text for _, _, row in flat])
    return {
        "exact": _across(_places([row.key for _, _, row in flat]), parts),
        "near": _across(near, parts),
        "group": _across(_places([row.group for _, _, row in flat]), parts),
    }


def _places(values: Sequence[str]) -> list[list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, value in enumerate(values):
        if value:
            found[value].append(place)
    return list(found.values())


def _across(clusters: Sequence[Sequence[int]], parts: Sequence[Part]) -> int:
    return sum(len(members) for members in clusters if len({parts[place] for place in members}) > 1)
