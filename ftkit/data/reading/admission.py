"""What every row must pass, whatever file it comes from: only what JSON can hold, nothing broken, deep or long.

Takes a row, gives its JSON text with the columns in alphabetical order, or the reason why it is not taken. It also counts
the rows with characters that the eye does not see. It changes no row.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from ftkit.data.reading.report import DEPTH_LIMIT, ROW_LENGTH_LIMIT, Report, Row

# As they stand in JSON text: controls are written as escapes there, all others as themselves.
_CONTROLS = re.compile(r"(?<!\\)(?:\\\\)*\\u00[01][0-9a-f]|[\x7f-\x84\x86-\x9f]")
_UNSEEN = re.compile(
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb]"
)


class Refusal(Exception):  # noqa: N818 - not an error of ours: a row that is not taken
    """The row is not taken; key and values of the reason."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


class Admission:
    """The door of one reading."""

    def __init__(self) -> None:
        self._controls = 0
        self._unseen = 0

    def admit(self, row: Row) -> str:
        """The row as JSON text, without its columns that hold nothing.

        Raises:
            Refusal: it is not taken.
        """
        text = _text({name: row[name] for name in sorted(row) if row[name] is not None})
        plain = text.isascii()
        # The escape may also stand in the text itself, so that it only calls for a closer look.
        if "\\u0000" in text or not plain and not _encodable(text):
            for name, value in row.items():
                _refuse_characters(name, value)
        if len(text) > ROW_LENGTH_LIMIT:
            raise Refusal("row_too_long", limit=ROW_LENGTH_LIMIT)
        self._controls += "\\u00" in text and _has_controls(text) or not plain and _has_controls(text)
        self._unseen += not plain and _UNSEEN.search(text) is not None
        return text

    def finish(self, report: Report) -> None:
        """Say how many rows hold what the eye does not see."""
        if self._controls:
            report.note("control_characters", count=self._controls)
        if self._unseen:
            report.note("unseen_characters", count=self._unseen)


def _has_controls(text: str) -> bool:
    return _CONTROLS.search(text) is not None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _text(row: Row) -> str:
    if any(isinstance(value, list | dict) for value in row.values()) and _is_deep(row):
        raise Refusal("json_too_deep", limit=DEPTH_LIMIT)
    try:
        return _json(row)
    except (ValueError, TypeError):
        for name, value in row.items():
            _refuse_value(name, value)
        raise


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_LIMIT + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_value(name: str, value: Any) -> None:
    try:
        _json(value)
    except ValueError:
        raise Refusal("json_not_finite", value=f"“{name}”") from None
    except TypeError:
        raise Refusal("not_text", name=name, found=type(value).__name__) from None


def _refuse_characters(name: str, value: Any) -> None:
    for text in _texts({name: value}):
        if "\0" in text:
            raise Refusal("nul_character", name=name)
        half = next((character for character in text if "\ud800" <= character <= "\udfff"), None)
        if half and "\udc80" <= half <= "\udcff":
            raise Refusal("bad_byte", name=name, byte=f"{ord(half) - 0xDC00:02x}")
        if half:
            raise Refusal("half_character", name=name, code=f"{ord(half):X}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
