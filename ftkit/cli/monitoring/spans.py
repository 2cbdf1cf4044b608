"""A moment as a person types it: how long ago, or a date.

Takes a text, gives a time with its zone. It knows no clock of its own.
"""

import re
from datetime import UTC, datetime, timedelta

from ftkit.errors import BadInput

_AGO = re.compile(r"(\d{1,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
HELP = "How far back: 30m, 24h, 7d, 2w, or a date such as 2026-03-01 (UTC where it names no zone)."


def moment(text: str, now: datetime) -> datetime:
    """The moment.

    Raises:
        BadInput: it is none.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise BadInput(
            "cli.no_moment",
            "{given} is no moment. Write how long ago it was (30m, 24h, 7d, 2w), or a date such as 2026-03-01.",
            given=repr(text[:80]),
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
