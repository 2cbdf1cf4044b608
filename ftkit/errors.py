"""The error family: what happened, with the value, and what to do next.

    FtkitError
    ├── UserError      the person can mend it (exit 2)
    │   ├── BadInput     a file, a field or an option is wrong
    │   ├── NotFound     no such dataset, split, run, model …
    │   ├── Refused      it cannot work as asked, so it was not started
    │   └── NotAllowed   the caller may not do this
    └── Fault          ours, or the machine's (exit 1)
        ├── StoreFault   the database or the data folder
        │   └── DiskFull   there is no room; once there is, it can go on
        ├── WorkerFault  a worker process failed or vanished
        └── Offline      a download was needed and the source did not answer

Each error carries a key, so that the page can say it in the reader's language; the English text stands
where the error is raised. It does not log and does not translate.
"""

from collections.abc import Mapping
from typing import Any, Self


class FtkitError(Exception):
    """Base of all errors that ftkit raises on purpose.

    Args:
        key: stable name of the message, e.g. ``data.empty_file``; the translations are found by it.
        text: English sentence with ``{placeholders}``.
        **values: what the placeholders stand for.
    """

    exit_code = 1

    def __init__(self, key: str, text: str, **values: object) -> None:
        super().__init__(text.format(**values))
        self.key = key
        self.text = text
        self.values = values

    def as_dict(self) -> dict[str, Any]:
        """What travels from a worker to the page: key, text with its placeholders, values as text."""
        values = {k: v.as_dict() if isinstance(v, FtkitError) else str(v) for k, v in self.values.items()}
        return {"key": self.key, "text": self.text, "values": values}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The other side of ``as_dict``."""
        values = {k: cls.from_dict(v) if isinstance(v, Mapping) else v for k, v in value["values"].items()}
        return cls(value["key"], value["text"], **values)


class UserError(FtkitError):
    """The person can mend it."""

    exit_code = 2


class BadInput(UserError):
    """A file, a field or an option is wrong."""


class NotFound(UserError):
    """There is no such thing under that id."""


class Refused(UserError):
    """It cannot work as asked, so it was not started."""


class NotAllowed(UserError):
    """The caller may not do this."""


class Fault(FtkitError):
    """Ours, or the machine's."""


class StoreFault(Fault):
    """The database or the data folder cannot be used."""


class DiskFull(StoreFault):
    """There is no room left where something was to be written."""


class WorkerFault(Fault):
    """A worker process failed or vanished."""


class Offline(Fault):
    """A download was needed and its source did not answer."""
