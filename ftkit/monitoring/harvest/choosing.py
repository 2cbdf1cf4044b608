"""Which of the requests are taken: each once, those with more reasons first, or those that differ most.

Takes rows of the traffic log by reason, gives candidates. It asks no database.
"""

import json
from collections.abc import Mapping, Sequence

from ftkit.monitoring.harvest.diversity import most_different
from ftkit.monitoring.harvest.wishes import REASONS, Candidate, Reason
from ftkit.monitoring.traffic.kept import TrafficRow

_SURE = 5  # one in so many answers counts as unsure


def least_sure(rows: Sequence[TrafficRow]) -> list[TrafficRow]:
    """The fifth whose confidence is lowest, the lowest first."""
    known = sorted((row for row in rows if row.confidence is not None), key=lambda row: row.confidence or 0.0)
    return known[: -(-len(known) // _SURE)]


def chosen(
    found: Mapping[Reason, Sequence[TrafficRow]],
    limit: int,
    *,
    diverse: bool = False,
    also: Sequence[TrafficRow] = (),
) -> list[Candidate]:
    """Candidates out of the rows that were found for each reason, and of further ones that need none."""
    why: dict[str, list[Reason]] = {row.id: [] for row in also}
    rows = {row.id: row for row in also}
    for reason in REASONS:
        for row in found.get(reason, ()):
            rows[row.id] = row
            why.setdefault(row.id, []).append(reason)
    candidates = [_candidate(rows[id_], tuple(reasons)) for id_, reasons in why.items() if _whole(rows[id_])]
    ordered = sorted(
        candidates, key=lambda one: (-len(one.why), one.correction is None, -one.at.timestamp(), one.request)
    )
    alone = list({_said(one): one for one in reversed(ordered)}.values())[::-1]
    if not diverse:
        return alone[:limit]
    return [alone[place] for place in most_different([_text(one) for one in alone], limit)]


def _candidate(row: TrafficRow, why: tuple[Reason, ...]) -> Candidate:
    return Candidate(
        request=row.id,
        at=row.at,
        version=row.version,
        messages=row.messages or (),
        answer=row.answer or "",
        correction=row.correction,
        thumb=row.thumb,
        rating=row.rating,
        confidence=row.confidence,
        why=why,
    )


def _whole(row: TrafficRow) -> bool:
    """There is a question, and something that can be learnt as its answer."""
    return bool(row.messages) and bool((row.correction or row.answer or "").strip())


def _said(one: Candidate) -> str:
    return json.dumps([one.messages, one.right], sort_keys=True, ensure_ascii=False)


def _text(one: Candidate) -> str:
    """What makes it different: the last thing that was asked."""
    return str(one.messages[-1].get("content") or "")
