"""Texts that differ most: greedy k-center over hashed counts of words and pairs of words.

Takes texts in the order in which they are wanted, gives places. The first text is always among them, and each further one is the one
that is least like all that were chosen before. It knows no language and no model.
"""

import re
import zlib
from collections.abc import Sequence
from typing import Any

_WORDS = re.compile(r"\w+")
_SIZE = 512


def most_different(texts: Sequence[str], count: int) -> list[int]:
    """Places of ``count`` texts, in the order in which they were chosen."""
    import numpy as np  # noqa: PLC0415 - only who samples pays for it

    if count >= len(texts):
        return list(range(len(texts)))
    vectors = np.stack([_vector(text) for text in texts])
    chosen = [0]
    likeness = vectors @ vectors[0]
    while len(chosen) < count:
        likeness[chosen[-1]] = np.inf
        place = int(np.argmin(likeness))  # the earlier one of equals
        chosen.append(place)
        likeness = np.maximum(likeness, vectors @ vectors[place])
    return chosen


def _vector(text: str) -> Any:
    import numpy as np  # noqa: PLC0415 - as above

    words = _WORDS.findall(text.casefold())
    counts = np.zeros(_SIZE, dtype=np.float32)
    for piece in [*words, *(" ".join(pair) for pair in zip(words, words[1:], strict=False))]:
        counts[zlib.crc32(piece.encode("utf-8", "replace")) % _SIZE] += 1
    length = float(np.linalg.norm(counts))
    return counts / length if length else counts
