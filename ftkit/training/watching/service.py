"""What a run has behind it: which step it would go on from, and what its log says of something.

Takes ids of runs, gives steps and lines. It starts and ends nothing: the training service does.
"""

from ftkit.jobs.folder import JobFolder
from ftkit.records import Run
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders
from ftkit.training.watching.checkpoints import newest_step
from ftkit.training.watching.log import LogMatches, find_lines


class RunHistory:
    """The past of the runs of one data folder."""

    def __init__(self, artefacts: Artefacts, folders: Folders) -> None:
        self._artefacts = artefacts
        self._folders = folders

    def resume_step(self, id_: str) -> int | None:
        """The step of the newest finished checkpoint; None where the run would begin anew."""
        return newest_step(self._folders.run(self._artefacts.get(Run, id_).id) / "checkpoints")

    def search_log(self, id_: str, text: str) -> LogMatches:
        """Lines of the run's whole log that hold a text."""
        log = JobFolder(self._folders.run(self._artefacts.get(Run, id_).id)).log
        try:
            with log.open("rb") as lines:
                return find_lines(lines, text)
        except FileNotFoundError:
            return LogMatches(0, ())
