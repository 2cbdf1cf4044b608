"""A folder as one zip file, made piece by piece while it is sent.

Takes names and paths, gives bytes. Weights do not shrink, so that nothing is packed; the same files give the same bytes. It follows
no link: the caller gives plain files.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

PIECE = 1024 * 1024
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class _Taken(io.RawIOBase):
    """What the archive writes, until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, piece: object) -> int:
        """Keep a piece."""
        content = bytes(piece)  # type: ignore[call-overload]  # bytes-like, as zipfile gives it
        self._pieces.append(content)
        return len(content)

    def take(self) -> bytes:
        """All pieces so far."""
        content = b"".join(self._pieces)
        self._pieces.clear()
        return content


def zipped(files: Mapping[str, Path]) -> Iterator[bytes]:
    """The archive.

    Args:
        files: name in the archive → file.
    """
    taken = _Taken()
    with zipfile.ZipFile(taken, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files.items():
            about = zipfile.ZipInfo(name, _NO_TIME)
            about.external_attr = 0o644 << 16
            with archive.open(about, "w", force_zip64=True) as target, path.open("rb") as source:
                while piece := source.read(PIECE):
                    target.write(piece)
                    yield taken.take()
            yield taken.take()
    yield taken.take()


def pieces_of(path: Path) -> Iterator[bytes]:
    """A file piece by piece."""
    with path.open("rb") as source:
        while piece := source.read(PIECE):
            yield piece
