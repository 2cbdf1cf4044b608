"""What kind of file this is, by its first bytes and then by its name.

Takes a path and the name that the file came with, gives a kind, or refuses with the reason. It reads no rows.
"""

import zipfile
from pathlib import Path
from typing import Literal

from ftkit.data.phrases import phrase
from ftkit.errors import BadInput

Kind = Literal["delimited", "json", "text", "parquet", "workbook", "gzip", "zip"]

_BY_ENDING: dict[str, Kind] = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".txt": "text",
    ".parquet": "parquet",
    ".xlsx": "workbook",
}
# What an upload may be called.
ENDINGS: tuple[str, ...] = (*_BY_ENDING, ".gz", ".zip")
_BINARY = {
    b"\x89PNG": "file_png",
    b"\xff\xd8\xff": "file_jpeg",
    b"GIF8": "file_gif",
    b"%PDF": "file_pdf",
    b"\x7fELF": "file_program",
    b"MZ\x90": "file_program",
    b"BZh": "file_bzip2",
    b"\xfd7zXZ": "file_xz",
    b"7z\xbc\xaf": "file_7z",
    b"\x28\xb5\x2f\xfd": "file_zstd",
    b"\xd0\xcf\x11\xe0": "file_office",
    b"\x93NUMPY": "file_numpy",
    b"SQLite format 3": "file_sqlite",
    b"ARROW1": "file_arrow",
}
_PICKLE = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
_GZIP = b"\x1f\x8b"
_UNPACKED_LIMIT = 500 * 1024**2
UNPACKED_RATIO = 100
UNPACKED_SAFE = 10 * 1024**2  # below this any ratio does
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument"
_TAR_MARK = slice(257, 262)


def kind_of(path: Path, filename: str) -> Kind:
    """The kind of a file.

    Raises:
        BadInput: it is empty, of a kind that cannot be read, or not what its name says.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
    if not head:
        raise BadInput("data.empty_file", "The file is empty. Choose a file with rows in it.")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return _zip(path, Path(filename).suffix.lower())
    if head.startswith(_GZIP):
        return "gzip"
    _refuse_binary(head)
    ending = Path(filename).suffix.lower()
    kind = _BY_ENDING.get(ending)
    if kind in ("parquet", "workbook"):
        raise BadInput(
            "data.wrong_content",
            "The name ends in {ending}, but the content is something else. Save it again in that format.",
            ending=ending,
        )
    if not ending and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return "json"
    if kind is None:
        raise BadInput(
            "data.unknown_kind",
            "Files ending in “{ending}” cannot be read. Use one of: {known}.",
            ending=ending[:20],
            known=", ".join(ENDINGS),
        )
    return kind


def _refuse_binary(head: bytes) -> None:
    found = next((name for mark, name in _BINARY.items() if head.startswith(mark)), None)
    if found is None and head.startswith(_PICKLE):
        found = "file_pickle"
    if found is None and head[_TAR_MARK] == b"ustar":
        found = "file_tar"
    if found is None and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower().startswith(
        (b"<!doctype html", b"<html")
    ):
        found = "file_html"
    if found:
        raise _not_rows(found)


def _zip(path: Path, ending: str) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if (
                entries
                and entries[0].filename == "mimetype"
                and archive.read("mimetype")[:34] == _OPEN_DOCUMENT
            ):
                raise _not_rows("file_ods")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        if ending == ".xlsx":
            raise BadInput(
                "data.damaged_workbook", "The workbook is damaged. Save it again as .xlsx."
            ) from error
        raise damaged_archive() from error
    names = {entry.filename for entry in entries}
    if "xl/workbook.xml" not in names:
        return "zip"
    if "xl/vbaProject.bin" in names:
        raise BadInput("data.macros", "The workbook contains macros. Save it as .xlsx or CSV.")
    unpacked = sum(entry.file_size for entry in entries)
    ratio = unpacked / path.stat().st_size
    if unpacked > _UNPACKED_LIMIT or (unpacked > UNPACKED_SAFE and ratio > UNPACKED_RATIO):
        raise BadInput(
            "data.workbook_bomb",
            "The workbook unpacks to {size} MB, more than can be opened safely. Save the sheet as CSV.",
            size=round(unpacked / 1024**2),
        )
    return "workbook"


def damaged_archive() -> BadInput:
    """The refusal of zip and gzip files alike."""
    return BadInput(
        "data.damaged_archive", "The archive is damaged or breaks off. Pack or download it again."
    )


def _not_rows(kind: str) -> BadInput:
    return BadInput(
        "data.binary_file",
        "This is {found}. Use a file of rows, such as CSV or JSONL.",
        found=phrase(kind),
    )
