"""What every part of a study's page has in common: it is shown anew only when it has changed.

Takes a study's view, gives a mark of all that a part shows and the updates of its components. It asks nobody by itself.
"""

from typing import Any, Protocol

from ftkit.ratings.studies.views import StudyView


class StudyPart(Protocol):
    """A part of the page."""

    shown: list[Any]

    def mark(self, view: StudyView, lang: str) -> str:
        """Changes with all that ``updates`` would show."""
        ...

    def updates(self, view: StudyView, lang: str) -> list[Any]:
        """One for each component of ``shown``."""
        ...
