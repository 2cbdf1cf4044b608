"""Bytes to text: which encoding, and lines of bounded length.

Takes a path, gives decoded lines. UTF-8 unless a byte-order mark or the content says otherwise; bytes that do not fit
are kept as lone surrogates, which the admission of rows then refuses by name. It never replaces a character.
"""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from ftkit.data.reading.report import ROW_LENGTH_LIMIT, Report
from ftkit.errors import BadInput

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = [
    *("cp1252", "cp1254", "cp1250", "cp1251", "cp1253", "cp1255", "cp1256"),
    *("cp932", "gb18030", "big5", "cp949"),
]
_TURKISH_LETTERS = frozenset("ĞğİıŞş".encode("cp1254"))
_CONTINUATIONS = frozenset(bytes([value]) for value in range(0x80, 0xC0))
_RARE = 1000
_SAMPLE = 64 * 1024
_PIECE = 1024 * 1024


class Encoding(NamedTuple):
    """What ``open`` needs."""

    name: str
    errors: str


def encoding_of(path: Path, report: Report) -> Encoding:
    """The encoding of a text file; anything but UTF-8 is noted.

    Raises:
        BadInput: it is none that is known.
    """
    if report.options.encoding:
        return _chosen(report.options.encoding, report)
    with path.open("rb") as stream:
        head = stream.read(4)
    for mark, name in _MARKS:
        if head.startswith(mark):
            report.note("encoding_marked", encoding=name.upper())
            return Encoding(name, "surrogatepass")
    broken = _broken_lines(path)
    if not broken:
        return Encoding("utf-8-sig", "surrogateescape")
    guess = _guess(broken)
    report.note("encoding_guessed", encoding=guess)
    return Encoding(guess, "surrogateescape")


def _chosen(name: str, report: Report) -> Encoding:
    try:
        known = codecs.lookup(name)
        "".encode(name)  # base64 and the like are codecs, too, but not of text
    except LookupError as error:
        raise BadInput(
            "data.no_such_encoding",
            "There is no encoding {name}. Use one such as utf-8, windows-1252 or windows-1254.",
            name=name,
        ) from error
    report.note("encoding_chosen", encoding=known.name)
    marked = {"utf-8": "utf-8-sig"}.get(known.name, known.name)
    return Encoding(
        marked, "surrogatepass" if known.name.startswith(("utf-16", "utf-32")) else "surrogateescape"
    )


def count_lines(path: Path) -> int:
    """Line ends in a file, counted in its bytes; a file over the row limit is known by it long before it is read."""
    with path.open("rb") as stream:
        return sum(piece.count(b"\n") for piece in iter(lambda: stream.read(_PIECE), b""))


def open_text(path: Path, encoding: Encoding, newline: str | None = None) -> TextIO:
    """The file as text; ``newline=None`` turns CR LF and CR into LF."""
    return path.open(encoding=encoding.name, errors=encoding.errors, newline=newline)


def numbered_lines(stream: TextIO) -> Iterator[tuple[int, str | None]]:
    """``(line number, line without its end)``; None for a line over the length limit, which is never held whole."""
    number = 0
    while line := stream.readline(ROW_LENGTH_LIMIT + 1):
        number += 1
        if len(line) <= ROW_LENGTH_LIMIT or line.endswith("\n"):
            yield number, line.removesuffix("\n")
            continue
        while (rest := stream.readline(_PIECE)) and not rest.endswith("\n"):
            pass
        yield number, None


def _broken_lines(path: Path) -> bytes:
    """Lines that are not UTF-8, up to a sample; nothing where most of the non-ASCII lines are, or hardly any line is not."""
    good = bad = plain = 0
    sample = bytearray()
    with path.open("rb") as stream:
        while line := stream.readline(_PIECE):
            # A long line is read in pieces; a character must not lie across the cut.
            while len(line) in range(_PIECE, _PIECE + 3) and stream.peek(1)[:1] in _CONTINUATIONS:
                line += stream.read(1)
            if line.isascii():
                plain += 1
                continue
            try:
                line.decode()
                good += 1
            except UnicodeDecodeError:
                bad += 1
                sample += line[: max(0, _SAMPLE - len(sample))]
    # A rare byte is damage, and its row is named; letters of a code page are everywhere.
    return bytes(sample) if bad > good and bad * _RARE > plain else b""


def _guess(sample: bytes) -> str:
    # Costs 0.1 s of import; nearly every file is UTF-8 and never needs it.
    from charset_normalizer import from_bytes  # noqa: PLC0415

    matches = list(from_bytes(sample, cp_isolation=_CANDIDATES))
    if not matches:
        raise BadInput(
            "data.unknown_encoding", "The encoding of the text is not known. Save the file as UTF-8."
        )
    best = matches[0]
    near = {
        name
        for match in matches
        if match.chaos <= best.chaos + 0.02 and match.coherence >= best.coherence - 0.1
        for name in (match.encoding, *match.could_be_from_charset)
    }
    # Short texts fit many code pages equally well; then the two that our readers' machines write come first.
    if "cp1254" in near and _TURKISH_LETTERS.intersection(sample):
        return "cp1254"
    return "cp1252" if "cp1252" in near else best.encoding
