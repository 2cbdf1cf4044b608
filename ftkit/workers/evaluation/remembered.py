"""What a model said of the rows of a part, kept as it comes: asked once, whatever is measured of it later.

Takes a folder and all that the answers depend on, gives what is known of a row. A worker that was killed goes on from it, and
an evaluation with other metrics asks no model. It knows no metric.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftkit.failpoints import reach
from ftkit.jobs.folder import append_lines
from ftkit.store.files import keep_newest, short_hash

_MOST = 200  # models on parts; the ones used longest ago go first


class Remembered:
    """Answers and likelihoods of one model on one part, by the place of the row.

    Args:
        folder: where all of them lie.
        depends_on: model, rows, limits, numbers and libraries; another value of any is another file.
    """

    def __init__(self, folder: Path, depends_on: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{short_hash(depends_on, 32)}.jsonl"
        self._known: dict[int, dict[str, Any]] = {}
        if self._path.exists():
            self._path.touch()
            for line in self._path.read_bytes().splitlines():
                self._take(_object(line))
        keep_newest(folder, "*.jsonl", _MOST)

    def of(self, row: int) -> Mapping[str, Any]:
        """What is known of a row: some of ``nll``, ``answer``, ``tokens``, ``cut``."""
        return self._known.get(row, {})

    def note(self, found: Sequence[Mapping[str, Any]]) -> None:
        """Keep what a model just said; each value names its ``row``."""
        reach("answers.append")
        append_lines(self._path, found)
        for one in found:
            self._take(dict(one))

    def _take(self, value: dict[str, Any] | None) -> None:
        if value is not None and isinstance(value.get("row"), int):
            self._known.setdefault(value.pop("row"), {}).update(value)


def _object(line: bytes) -> dict[str, Any] | None:
    """The object in a line; None for what a crash tore off."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
