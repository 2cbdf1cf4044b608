"""The sample data that comes with ftkit.

Gives a ``Sample`` per file of the folder ``samples``. It reads only line counts; the rows go through the same door
as any other file.
"""

from pathlib import Path

from ftkit.errors import NotFound
from ftkit.records import Record

_FOLDER = Path(__file__).parent / "samples"
_LICENSE = "CC0-1.0"


class Sample(Record):
    """A data set that comes with ftkit."""

    name: str
    title: str
    rows: int
    description: str
    language: str
    license: str = _LICENSE


_ABOUT = {
    "ticket-triage": (
        "Ticket triage",
        "Support messages to an invented maker of kitchen appliances, each with the JSON that a help desk wants: "
        "category, priority, summary.",
        "en",
    ),
    "house-voice-en": (
        "House voice (English)",
        "Customer questions, answered in the voice of an invented maker of kitchen appliances.",
        "en",
    ),
    "house-voice-tr": (
        "House voice (Turkish)",
        "Turkish customer questions, answered in the voice of an invented maker of kitchen appliances.",
        "tr",
    ),
}


def samples() -> list[Sample]:
    """All of them, the one to start with first."""
    return [
        Sample(name=name, title=title, rows=_lines(path_of(name)), description=description, language=language)
        for name, (title, description, language) in _ABOUT.items()
    ]


def sample(name: str) -> Sample:
    """One of them.

    Raises:
        NotFound: there is none of that name.
    """
    found = next((one for one in samples() if one.name == name), None)
    if found is None:
        raise NotFound(
            "data.unknown_sample",
            "There is no sample {name}. Use one of: {known}.",
            name=repr(name),
            known=", ".join(_ABOUT),
        )
    return found


def path_of(name: str) -> Path:
    """The file of a sample that exists."""
    return _FOLDER / f"{name}.jsonl"


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")
