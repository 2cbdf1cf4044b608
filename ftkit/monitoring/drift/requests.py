"""What of a kept request goes into a drift check: what was asked, and what became of it.

Takes lines of the traffic with their feedback, gives plain values; what is no text or no number is left out. It compares nothing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any


def asked(messages: object) -> str:
    """What a request of the traffic asks: the last turn of its user; empty where there is none."""
    if not isinstance(messages, Sequence) or isinstance(messages, str):
        return ""
    turns = [one.get("content") for one in messages if isinstance(one, Mapping) and one.get("role") == "user"]
    content = turns[-1] if turns else ""
    if isinstance(content, Sequence) and not isinstance(content, str):
        content = " ".join(
            str(part.get("text") or "") for part in content if isinstance(part, Mapping) and part.get("text")
        )
    return content if isinstance(content, str) else ""


def outcome(row: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a request, as the measures of quality take it; None where it is not known."""
    thumbs = [said["thumb"] for said in row["feedback"] if said["thumb"] is not None]
    confidence = row["confidence"]
    return {
        "id": row["id"],
        "down": float(thumbs[-1] < 0) if thumbs else None,
        "refused": row["refused"],
        "confidence": confidence if confidence is not None and math.isfinite(confidence) else None,
    }
