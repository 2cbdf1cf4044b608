"""What a split says about itself in words: what unusual ratios cost, which part is far from its share, which labels it lacks.

Takes numbers, gives sentences of ``phrases``. It decides nothing.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ftkit.data.phrases import phrase
from ftkit.data.splits.splitting import USUAL, Assigned, Ratios, Row
from ftkit.records import PARTS, Part

_TOLERANCE = 1e-6
_OFF = 0.05  # a part further from its share than this is worth a sentence, from this many rows on:
_OFF_FROM = 200
_LABELS = 3


def ratio_notes(ratios: Ratios, sizes: Mapping[Part, int]) -> Iterator[str]:
    """What ratios outside the usual ones cost, with the numbers of this split."""
    for part, share in zip(PARTS, ratios, strict=True):
        low, high = USUAL[part]
        values = {"share": f"{100 * share:g}", "rows": sizes[part]}
        if not sizes[part]:
            if not share:
                yield phrase(f"split_without_{part}")
        elif share < low - _TOLERANCE:
            # 1.96 standard errors of a share of one half
            yield phrase(f"split_small_{part}", **values, points=round(98 / math.sqrt(sizes[part])))
        elif share > high + _TOLERANCE:
            yield phrase(f"split_large_{part}", **values)


def result_notes(rows: Sequence[Row], ratios: Ratios, found: Assigned) -> Iterator[str]:
    """Parts that are far from what was asked for."""
    sizes = found.sizes()
    total = sum(sizes.values())
    if total < _OFF_FROM or any(row.held for row in rows):
        return
    for part, share in zip(PARTS, ratios, strict=True):
        if share and sizes[part] and abs(sizes[part] / total - share) > _OFF:
            yield phrase(
                "split_uneven",
                part=phrase(f"part_{part}"),
                got=f"{100 * sizes[part] / total:.0f}",
                share=f"{100 * share:g}",
            )


def label_notes(rows: Sequence[Row], found: Assigned) -> Iterator[str]:
    """Labels that a part lacks although it is filled."""
    counts: defaultdict[str, Counter[Part]] = defaultdict(Counter)
    for at, part in found.part.items():
        if rows[at].label:
            counts[rows[at].label][part] += 1
    sizes = found.sizes()
    lacking = [
        (label, part)
        for label, of in sorted(counts.items(), key=lambda item: (sum(item[1].values()), item[0]))
        for part in PARTS
        if sizes[part] and not of[part]
    ]
    for label, part in lacking[:_LABELS]:
        yield phrase(
            "split_label_missing",
            label=label,
            rows=sum(counts[label].values()),
            part=phrase(f"part_{part}"),
        )
    if len(lacking) > _LABELS:
        yield phrase("split_labels_missing", count=len(lacking) - _LABELS)
