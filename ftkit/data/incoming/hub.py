"""Names of data sets on the Hub: ``hub:owner/name``, with ``@revision`` where one is wanted.

Takes what a person typed, gives its parts. It asks no server.
"""

import re
from typing import NamedTuple

from ftkit.errors import BadInput

PREFIX = "hub:"
_NAME = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}", re.ASCII)
_REVISION = re.compile(r"\w[\w./-]{0,99}", re.ASCII)


class HubName(NamedTuple):
    """A data set of the Hub and which state of it."""

    name: str
    revision: str = "main"


def is_hub(text: str) -> bool:
    """Whether a person means a data set of the Hub, not a file."""
    return text.startswith(PREFIX)


def parse(text: str) -> HubName:
    """The parts of a name, with or without ``hub:`` in front.

    Raises:
        BadInput: it is no name of a data set.
    """
    name, _, revision = text.strip().removeprefix(PREFIX).partition("@")
    revision = revision or "main"
    if not _NAME.fullmatch(name) or not _REVISION.fullmatch(revision) or ".." in text:
        raise BadInput(
            "data.not_a_hub_name",
            "{given} is not the name of a data set on the Hub. Write owner/name, or owner/name@revision.",
            given=repr(text[:120]),
        )
    return HubName(name, revision)
