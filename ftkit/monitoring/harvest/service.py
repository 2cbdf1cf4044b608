"""Requests that are worth learning from: found by feedback, drift, refusals and doubt, each taken once.

Takes wishes, gives candidates out of the traffic whose texts were kept, and remembers which became rows. It makes no dataset: that is
the data room's.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from ftkit.errors import BadInput
from ftkit.monitoring.harvest.choosing import chosen, least_sure
from ftkit.monitoring.harvest.wishes import Candidate, HarvestWishes, Reason
from ftkit.monitoring.traffic.kept import TrafficRow
from ftkit.monitoring.traffic.service import TrafficService, Which
from ftkit.records import Record
from ftkit.store.engine import Database
from ftkit.store.monitoring.harvested import HarvestTable

_MOST_LOOKED_AT = 5000  # requests for a reason, the newest
_FLUSH_SECONDS = 5.0


class Harvested(Record):
    """A dataset that requests became rows of."""

    dataset: str
    at: datetime
    requests: int


class HarvestService:
    """The harvests of one data folder."""

    def __init__(
        self,
        database: Database,
        traffic: TrafficService,
        clock: Callable[[], datetime],
        drifted: Callable[[str | None], Sequence[str]],
    ) -> None:
        """``drifted`` gives the requests that the last drift check of a version, or of all, showed as examples."""
        self._table = HarvestTable(database)
        self._traffic = traffic
        self._clock = clock
        self._drifted = drifted

    def candidates(self, wishes: HarvestWishes) -> list[Candidate]:
        """Requests that fit, each once: those with more reasons first, then corrected ones, then the newest.

        Raises:
            BadInput: no reason is chosen.
        """
        if not wishes.reasons:
            raise BadInput(
                "harvest.no_reason",
                "No reason is chosen. Choose which requests are wanted, such as those rated bad.",
            )
        self._traffic.flush(_FLUSH_SECONDS)
        found = {reason: self._rows(reason, wishes) for reason in wishes.reasons}
        return chosen(found, wishes.limit, diverse=wishes.diverse)

    def of(self, requests: Sequence[str]) -> list[Candidate]:
        """These requests, as far as their texts are kept."""
        rows = self._traffic.rows(Which(ids=list(requests), texts=True), limit=max(1, len(requests)))
        reasons: dict[Reason, list[TrafficRow]] = {
            "corrected": [row for row in rows if row.correction],
            "down": [row for row in rows if row.thumb == -1],
            "up": [row for row in rows if row.thumb == 1],
            "refused": [row for row in rows if row.refused],
        }
        return chosen(reasons, len(rows), also=rows)

    def mark(self, requests: Sequence[str], dataset: str) -> int:
        """Remember that these became rows of a dataset; tells how many had not before."""
        return self._table.add(requests, dataset, self._clock())

    def all(self) -> list[Harvested]:
        """Datasets that were harvested, the newest first."""
        return [Harvested(dataset=one, at=at, requests=count) for one, at, count in self._table.datasets()]

    def _rows(self, reason: Reason, wishes: HarvestWishes) -> list[TrafficRow]:
        which = Which(
            since=wishes.since,
            version=wishes.version,
            texts=True,
            answered=True,
            fresh=True if wishes.skip_harvested else None,
        )
        if reason in ("down", "up"):
            which = which._replace(thumb=1 if reason == "up" else -1)
        elif reason == "corrected":
            which = which._replace(corrected=True)
        elif reason == "refused":
            which = which._replace(refused=True)
        elif reason == "uncertain":
            which = which._replace(confident=True)
        else:
            which = which._replace(ids=list(self._drifted(wishes.version)))
        rows = self._traffic.rows(which, limit=_MOST_LOOKED_AT)
        return least_sure(rows) if reason == "uncertain" else rows
