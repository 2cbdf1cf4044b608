"""What a base model said of a part, remembered: the next run on the same rows is measured against it without asking again.

Takes a folder and all that the answers depend on, gives one record a row. It knows no tuned model.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftkit.store.files import keep_newest, read_json, short_hash, write_json

# What is kept of a sample, beside the place of its row.
FIELDS = ("base_nll", "base_answer", "base_tokens", "base_cut")
_MOST = 50  # parts; the ones used longest ago go first


class BaseAnswers:
    """Answers and likelihoods of one base model on one part.

    Args:
        folder: where all of them lie; None remembers nothing.
        depends_on: model, rows, limits, numbers and libraries; another value of any is another part.
    """

    def __init__(self, folder: Path | None, depends_on: Mapping[str, Any]) -> None:
        self._path = folder / f"{short_hash(depends_on, 32)}.json" if folder else None

    def recall(self, rows: Sequence[int]) -> list[dict[str, Any]] | None:
        """What is known of these rows, in their order; None where it is not known of all."""
        kept = read_json(self._path) if self._path else None
        if kept is None or [one["row"] for one in kept] != list(rows):
            return None
        assert self._path is not None  # noqa: S101 - it was read
        self._path.touch()
        return [{name: one[name] for name in FIELDS if name in one} for one in kept]

    def remember(self, samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep what the base model said."""
        if self._path is None:
            return
        write_json(
            self._path, [{name: one[name] for name in ("row", *FIELDS) if name in one} for one in samples]
        )
        keep_newest(self._path.parent, "*.json", _MOST)
