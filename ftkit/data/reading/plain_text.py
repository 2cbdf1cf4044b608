"""Plain text: one row per line, or per paragraph where the lines stand in paragraphs; the column is ``text``.

Text in which ``### Instruction:`` and ``### Response:`` (or ``### Talimat:`` and ``### Yanıt:``) mark who says what becomes
rows with ``instruction``, ``input`` and ``output``. Takes a path, gives rows. It changes no character inside a row.
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ftkit.data.reading.encodings import Encoding, count_lines, encoding_of, numbered_lines, open_text
from ftkit.data.reading.report import (
    ROW_LENGTH_LIMIT,
    ROWS_LIMIT,
    Numbered,
    Report,
    Row,
    too_many_rows,
)

# Longer "paragraphs" are lists of one-line rows with a gap somewhere.
_PARAGRAPH_LINES = 20
_LOOKED_AT = 400
_WORDS = {
    **dict.fromkeys(("instruction", "question", "talimat", "yönerge", "soru"), "instruction"),
    **dict.fromkeys(("input", "context", "girdi", "giriş", "bağlam"), "input"),
    **dict.fromkeys(("response", "answer", "output", "yanit", "cevap", "çikti"), "output"),
}
# Without regard to case, dotted and dotless i are one letter.
_MARK = re.compile(
    rf"(?:(?<=\s)|^)#{{2,4}}[ \t]*({'|'.join(_WORDS)})[ \t]*(?::|(?=\r?\n))", re.IGNORECASE | re.MULTILINE
)


def marked(text: str) -> Row | None:
    """What the marks in a text divide it into; None where they do not make one instruction with one answer.

    Text before the first mark becomes ``system``.
    """
    if "##" not in text:
        return None
    pieces = _MARK.split(text)
    names = [_meaning(word) for word in pieces[1::2]]
    if names not in (["instruction", "output"], ["instruction", "input", "output"]):
        return None
    row: Row = {name: part.strip() for name, part in zip(names, pieces[2::2], strict=True)}
    if before := pieces[0].strip():
        row["system"] = before
    return row if row["instruction"] else None


def read_text(path: Path, filename: str, report: Report) -> Numbered:
    """Rows of a text file, whatever its name."""
    encoding = encoding_of(path, report)
    if _has_marked_blocks(path, encoding):
        report.note("marked_blocks")
        yield from _marked_rows(path, encoding, report)
    elif _has_paragraphs(path, encoding):
        report.note("paragraphs")
        yield from _paragraphs(path, encoding, report)
    else:
        refuse_too_many_lines(path)
        report.note("text_lines")
        yield from _lines(path, encoding, report)


def refuse_too_many_lines(path: Path) -> None:
    """Refuse a file of more lines than rows can be taken, before the first of them is.

    Raises:
        BadInput: it has more.
    """
    if count_lines(path) <= ROWS_LIMIT:
        return
    with path.open("rb") as stream:
        filled = sum(1 for _ in islice((line for line in stream if line.strip()), ROWS_LIMIT + 1))
    if filled > ROWS_LIMIT:
        raise too_many_rows()


def _meaning(word: str) -> str:
    return _WORDS[word.lower().replace("\u0307", "").replace("ı", "i")]


def _has_paragraphs(path: Path, encoding: Encoding) -> bool:
    """Whether most blocks between blank lines have several lines, and not too many."""
    blocks, length = [], 0
    with open_text(path, encoding) as stream:
        for _, line in numbered_lines(stream):
            if line is None or line.strip():
                length += 1
            elif length:
                blocks.append(length)
                length = 0
    if length:
        blocks.append(length)
    several = sum(1 < block <= _PARAGRAPH_LINES for block in blocks)
    return len(blocks) > 1 and several > len(blocks) / 2


def _has_marked_blocks(path: Path, encoding: Encoding) -> bool:
    """Whether marks stand at the beginning of lines and the answer on another line than the instruction."""
    with open_text(path, encoding) as stream:
        lines = [line or "" for _, line in islice(numbered_lines(stream), _LOOKED_AT)]
    found = [_marks(line) for line in lines]
    alone = [marks[0] for marks in found if len(marks) == 1]
    return bool({"instruction", "output"} <= {*alone}) and not any(len(marks) > 1 for marks in found)


def _marks(line: str) -> list[str]:
    if "##" not in line:
        return []
    return [_meaning(mark[1]) for mark in _MARK.finditer(f"{line}\n")]


def _marked_rows(path: Path, encoding: Encoding, report: Report) -> Numbered:
    opening = ""
    for first, lines in _blocks(path, encoding, report):
        text = "\n".join(lines)
        row = marked(text)
        if row is None:
            if text.strip():
                report.skip(first, "marks_without_answer")
            continue
        opening = opening or row.get("system", "")
        # A text that stands before each instruction ends up behind the answer before it.
        if opening and row["output"].endswith(opening):
            row["output"] = row["output"].removesuffix(opening).strip()
        yield first, {**row, "system": opening} if opening else row


def _blocks(path: Path, encoding: Encoding, report: Report) -> Iterator[tuple[int, list[str]]]:
    """Lines from one instruction to the next; what stands before the first one belongs to it."""
    block: list[str] = []
    first, begun = 1, False
    with open_text(path, encoding) as stream:
        for number, line in numbered_lines(stream):
            if line is None:
                report.skip(number, "row_too_long", limit=ROW_LENGTH_LIMIT)
                continue
            if _marks(line) == ["instruction"]:
                if begun:
                    yield first, block
                    block, first = [], number
                begun = True
            block.append(line)
    if block:
        yield first, block


def _lines(path: Path, encoding: Encoding, report: Report) -> Numbered:
    with open_text(path, encoding) as stream:
        for number, line in numbered_lines(stream):
            if line is None:
                report.skip(number, "row_too_long", limit=ROW_LENGTH_LIMIT)
            elif line.strip():
                yield number, {"text": line}
            else:
                report.blank()


def _paragraphs(path: Path, encoding: Encoding, report: Report) -> Numbered:
    block: list[str] = []
    first = 1
    with open_text(path, encoding) as stream:
        for number, line in numbered_lines(stream):
            if line is None:
                report.skip(number, "row_too_long", limit=ROW_LENGTH_LIMIT)
            elif line.strip():
                first = first if block else number
                block.append(line)
            elif block:
                yield first, {"text": "\n".join(block)}
                block = []
    if block:
        yield first, {"text": "\n".join(block)}
