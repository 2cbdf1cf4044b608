"""Plain text: one row per line, or per paragraph where the lines stand in paragraphs; the column is ``text``.

Takes a path, gives rows. It changes no character inside a row.
"""

from pathlib import Path

from ftkit.data.reading.encodings import Encoding, encoding_of, numbered_lines, open_text
from ftkit.data.reading.report import ROW_LENGTH_LIMIT, Numbered, Report

# Longer "paragraphs" are lists of one-line rows with a gap somewhere.
_PARAGRAPH_LINES = 20


def read_text(path: Path, filename: str, report: Report) -> Numbered:
    """Rows of a text file, whatever its name."""
    encoding = encoding_of(path, report)
    if _has_paragraphs(path, encoding):
        report.note("paragraphs")
        yield from _paragraphs(path, encoding, report)
    else:
        report.note("text_lines")
        yield from _lines(path, encoding, report)


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
