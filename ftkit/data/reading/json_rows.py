"""JSON and JSON Lines: rows with the line each one begins on.

Takes a path, gives objects. What Python's parser would let through silently (a key twice, NaN, 1e999, a second value
on the line) is refused row by row; broken syntax of a whole document is refused with line and column.
"""

import json
import math
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ftkit.data.phrases import kind_of_value
from ftkit.data.reading.encodings import Encoding, encoding_of, numbered_lines, open_text
from ftkit.data.reading.plain_text import refuse_too_many_lines
from ftkit.data.reading.report import DEPTH_LIMIT, ROW_LENGTH_LIMIT, Numbered, Report, Row
from ftkit.errors import BadInput

_WHOLE_LIMIT = 256 * 1024**2
_LOOKED_AT = 20
_DIGITS_LIMIT = 4300  # Python's own limit for turning text into an integer
_SPACE = re.compile(r"[ \t\n\r]*")
_TRAINING = ("train", "training", "egitim", "eğitim")
_LINE_ENDINGS = (".jsonl", ".ndjson")


class _Problem(NamedTuple):
    key: str
    values: dict[str, object]


class _Decoder:
    """A JSON decoder that remembers what Python would have let through."""

    def __init__(self) -> None:
        self.problem: _Problem | None = None
        self._json = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=self._constant,
            parse_float=self._float,
            parse_int=self._int,
        )

    def at(self, text: str, position: int) -> tuple[Any, int]:
        """The value that begins at ``position`` and where it ends; ``problem`` says what is wrong with it."""
        self.problem = None
        return self._json.raw_decode(text, position)

    def _object(self, pairs: list[tuple[str, Any]]) -> Row:
        value = dict(pairs)
        if len(value) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            self._remember("json_duplicate_key", name=twice)
        return value

    def _constant(self, text: str) -> None:
        self._remember("json_not_finite", value=text)

    def _float(self, text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            self._remember("json_not_finite", value=text)
        return value

    def _int(self, text: str) -> int:
        if len(text) > _DIGITS_LIMIT:
            self._remember("json_huge_number", digits=len(text))
            return 0
        return int(text)

    def _remember(self, key: str, **values: object) -> None:
        self.problem = self.problem or _Problem(key, values)


def read_json(path: Path, filename: str, report: Report) -> Numbered:
    """Rows of a JSON document or of JSON Lines, whichever the content is."""
    encoding = encoding_of(path, report)
    named_lines = Path(filename).suffix.lower() in _LINE_ENDINGS
    if _is_lines(path, encoding, named_lines):
        refuse_too_many_lines(path)
        if not named_lines:
            report.note("json_lines")
        yield from _read_lines(path, encoding, report)
        return
    if named_lines:
        report.note("json_whole")
    yield from _read_document(_whole(path, encoding), report)


def _is_lines(path: Path, encoding: Encoding, named_lines: bool) -> bool:
    """Whether there is one value per line; the name of the file decides only where the content leaves it open."""
    first: list[str] = []
    with open_text(path, encoding) as stream:
        for _, line in numbered_lines(stream):
            if line is None or line.strip():
                first.append(line or "")
            if len(first) == _LOOKED_AT:
                break
    if not first:
        return named_lines
    complete = [_is_complete(line) for line in first]
    if complete[0]:
        return len(first) > 1 or (named_lines and not first[0].lstrip().startswith("["))
    begins_document = first[0].strip() == "[" or (
        first[0].lstrip().startswith(("[", "{")) and not any(complete)
    )
    return named_lines and not begins_document


def _is_complete(line: str) -> bool:
    try:
        value, end = _Decoder().at(line, _skip_space(line, 0))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict | list) and _skip_space(line, end) == len(line)


def _read_lines(path: Path, encoding: Encoding, report: Report) -> Numbered:
    decoder = _Decoder()
    with open_text(path, encoding) as stream:
        for number, line in numbered_lines(stream):
            if line is None:
                report.skip(number, "row_too_long", limit=ROW_LENGTH_LIMIT)
            elif not line.strip():
                report.blank()
            else:
                yield from _line(number, line, decoder, report)


def _line(number: int, line: str, decoder: _Decoder, report: Report) -> Numbered:
    try:
        value, end = decoder.at(line, _skip_space(line, 0))
    except json.JSONDecodeError as error:
        report.skip(number, "json_syntax", column=error.colno, problem=error.msg)
        return
    except RecursionError:
        report.skip(number, "json_too_deep", limit=DEPTH_LIMIT)
        return
    end = _skip_space(line, end)
    if end < len(line):
        report.skip(number, "json_extra", column=end + 1)
        return
    yield from _checked(number, value, decoder, report)


def _checked(number: int, value: Any, decoder: _Decoder, report: Report) -> Numbered:
    if decoder.problem:
        report.skip(number, decoder.problem.key, **decoder.problem.values)
    elif not isinstance(value, dict):
        report.skip(number, "not_an_object", found=kind_of_value(value))
    else:
        yield number, value


def _whole(path: Path, encoding: Encoding) -> str:
    if path.stat().st_size > _WHOLE_LIMIT:
        raise BadInput(
            "data.json_too_large",
            "A JSON document over {limit} MB is not read as a whole. Save it as JSON Lines, one object per line.",
            limit=_WHOLE_LIMIT // 1024**2,
        )
    with open_text(path, encoding) as stream:
        return stream.read()


def _read_document(text: str, report: Report) -> Numbered:
    start = _skip_space(text, 0)
    if text[start : start + 1] == "[":
        end = yield from _items(text, start, report)
        if _skip_space(text, end) < len(text):
            raise _syntax(text, _skip_space(text, end), "Extra data")
    elif text[start : start + 1] == "{":
        yield from _rows_inside(text, start, report)
    elif start < len(text):
        _value(_Decoder(), text, start)
        raise BadInput(
            "data.json_no_list",
            "The file holds a single value. Rows must be a list of objects: [{{…}}, {{…}}].",
        )


def _items(text: str, start: int, report: Report) -> Generator[tuple[int, Row], None, int]:
    """The objects of the list that begins at ``start``; returns where the list ends."""
    decoder = _Decoder()
    line, counted = 1 + text.count("\n", 0, start), start
    position = _skip_space(text, start + 1)
    if text[position : position + 1] == "]":
        return position + 1
    while True:
        line, counted = line + text.count("\n", counted, position), position
        value, position = _value(decoder, text, position)
        yield from _checked(line, value, decoder, report)
        position = _skip_space(text, position)
        mark = text[position : position + 1]
        if mark == "]":
            return position + 1
        if mark != ",":
            raise _syntax(text, position, "Expecting ',' delimiter")
        position = _skip_space(text, position + 1)


def _rows_inside(text: str, start: int, report: Report) -> Numbered:
    """Rows of a document that is an object: the one list of objects in it."""
    lists: dict[str, int] = {}
    conversation = False
    for name, position, value in _members(text, start):
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            lists[name] = position
            conversation = conversation or all(_is_message(item) for item in value)
    if not lists:
        raise BadInput(
            "data.json_no_list_inside",
            "The file is one object without a list of rows in it. Rows must be a list of objects: [{{…}}, {{…}}].",
        )
    if conversation:
        decoder = _Decoder()
        value, _ = _value(decoder, text, start)
        report.note("json_one_conversation")
        yield from _checked(1, value, decoder, report)
        return
    name = _chosen_list(list(lists), report)
    yield from _items(text, lists[name], report)


def _chosen_list(names: list[str], report: Report) -> str:
    """The one list, or the one that was asked for, or the training part, or the first."""
    wanted = report.options.list_name
    if wanted and wanted not in names:
        raise BadInput(
            "data.no_such_list",
            "There is no list “{name}” in the file. It holds: {known}.",
            name=wanted,
            known=", ".join(names)[:200],
        )
    if len(names) == 1:
        report.note("json_list_inside", name=names[0])
        return names[0]
    report.offer_lists(names)
    name = wanted or next((known for known in _TRAINING if known in names), names[0])
    others = ", ".join(other for other in names if other != name)
    report.note("json_list_chosen", name=name, others=others)
    return name


def _members(text: str, start: int) -> Iterator[tuple[str, int, Any]]:
    """``(name, position of the value, value)`` of the object at ``start``, which must end the document."""
    decoder = _Decoder()
    _, end = _value(decoder, text, start)
    if _skip_space(text, end) < len(text):
        raise _syntax(text, _skip_space(text, end), "Extra data")
    position = _skip_space(text, start + 1)
    while text[position] != "}":
        name, position = decoder.at(text, position)
        position = _skip_space(text, _skip_space(text, position) + 1)
        value, end = decoder.at(text, position)
        yield name, position, value
        position = _skip_space(text, end)
        if text[position] == ",":
            position = _skip_space(text, position + 1)


def _value(decoder: _Decoder, text: str, position: int) -> tuple[Any, int]:
    try:
        return decoder.at(text, position)
    except json.JSONDecodeError as error:
        raise _syntax(text, error.pos, error.msg) from error
    except RecursionError as error:
        raise BadInput(
            "data.json_too_deep",
            "Line {line}: nested deeper than {limit} levels. Flatten the data.",
            line=1 + text.count("\n", 0, position),
            limit=DEPTH_LIMIT,
        ) from error


def _syntax(text: str, position: int, problem: str) -> BadInput:
    return BadInput(
        "data.json_syntax",
        "Line {line}, column {column}: not valid JSON ({problem}). Mend the file there.",
        line=1 + text.count("\n", 0, position),
        column=position - text.rfind("\n", 0, position),
        problem=problem,
    )


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and bool({"role", "from"} & value.keys())


def _skip_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
