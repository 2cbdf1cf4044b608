"""What of the traffic could not be kept, counted: a gap in the log must not look like a quiet hour.

Takes losses and the count so far, gives the new count. It stores nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

# Requests whose numbers are lost, requests and feedback whose texts are lost, and why.
Loss = tuple[int, int, str]
NOTHING_LOST: Mapping[str, Any] = {"numbers": 0, "texts": 0, "reasons": {}, "at": None}


def counted(former: Mapping[str, Any], losses: Iterable[Loss], now: datetime) -> dict[str, Any]:
    """The count with these losses."""
    count = {**NOTHING_LOST, **former}
    reasons = dict(count["reasons"])
    for numbers, texts, reason in losses:
        count["numbers"] += numbers
        count["texts"] += texts
        reasons[reason] = reasons.get(reason, 0) + numbers + texts
    return {**count, "reasons": reasons, "at": now.isoformat()}
