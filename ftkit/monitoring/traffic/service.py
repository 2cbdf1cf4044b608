"""The traffic log: numbers of every request, texts only where the owner wants them and only masked.

Takes exchanges and feedback of the gateway at once and stores them behind its back, so that no request waits for the log or fails
by it; gives rows and summaries. Text that cannot be masked is dropped and counted. It judges no answer.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ftkit.errors import BadInput, FtkitError, NotFound, WorkerFault
from ftkit.jobs.resident import Resident
from ftkit.jobs.service import Jobs
from ftkit.monitoring.traffic.behind import Behind
from ftkit.monitoring.traffic.exchange import Exchange, Feedback
from ftkit.monitoring.traffic.kept import Masked, TrafficRow, TrafficSettings, texts_in, together, with_texts
from ftkit.monitoring.traffic.losses import NOTHING_LOST, Loss, counted
from ftkit.monitoring.traffic.masking import mask_texts
from ftkit.monitoring.traffic.summary import MOST_ROWS, Summary, summarise
from ftkit.store.engine import Database
from ftkit.store.files import Folders
from ftkit.store.monitoring.choices import ChoiceTable
from ftkit.store.monitoring.traffic import TrafficTable, Which

__all__ = ["TrafficService", "Which"]

_SETTINGS, _LOST = "traffic", "traffic_lost"
_MOST_WAITING = 10_000  # requests whose numbers wait for the database
_MOST_TEXTS = 2_000  # requests and feedback whose texts wait for the masking worker
_FLUSH_SECONDS = 5.0
_PURGE_EVERY = timedelta(hours=1)


class _Texts(NamedTuple):
    """Texts that wait to be masked, and what keeps them then."""

    value: Any
    keep: Callable[[Any, list[Masked]], None]


class TrafficService:
    """The traffic of one data folder."""

    def __init__(
        self,
        database: Database,
        folders: Folders,
        jobs: Jobs,
        clock: Callable[[], datetime],
        declines: Callable[[str], bool],
    ) -> None:
        """``declines`` says of an answer whether the model refuses."""
        self._table = TrafficTable(database)
        self._choices = ChoiceTable(database, clock)
        self._clock = clock
        self._declines = declines
        self._masker = Resident(jobs, folders, "mask")
        self._numbers = Behind[Exchange]("traffic-numbers", self._store, _MOST_WAITING, batch=200)
        self._texts = Behind[_Texts]("traffic-texts", self._store_texts, _MOST_TEXTS)
        self._purge_at: datetime | None = None
        self._lock = threading.Lock()
        self._uncounted: list[Loss] = []

    def record(self, exchange: Exchange) -> None:
        """Log a request. Returns at once and never raises; what the queue cannot take is counted as lost."""
        if not self._numbers.put(exchange):
            self._lose(numbers=1, reason="queue_full")

    def feedback(self, request: str, key: str, said: Feedback) -> bool:
        """Keep what a key says of an answer, in place of what it said before; tells whether its texts will be kept, too.

        Any key may speak of any request whose id it knows: the application that asks and the page on which its users click have
        keys of their own.

        Raises:
            NotFound: no such request is known.
        """
        now = self._clock()
        line = {
            "request": request,
            "key": key,
            "at": now,
            "thumb": said.thumb,
            "rating": said.rating,
            "correction": None,
            "comment": None,
        }
        if not self._table.say(line):
            self._numbers.flush(_FLUSH_SECONDS)  # the answer may be younger than the last look at the queue
            if not self._table.say(line):
                raise NotFound(
                    "traffic.unknown_request",
                    "There is no request {id}. Give the id of the answer, as the header x-request-id has it.",
                    id=repr(request[:80]),
                )
        texts = {name: text for name in ("correction", "comment") if (text := getattr(said, name))}
        if not texts or not self.settings().keep_texts:
            return False

        def keep(masked: Any, _: list[Masked]) -> None:
            self._table.put_said(request, key, now, **masked)

        return self._queue_texts(_Texts(texts, keep))

    def settings(self) -> TrafficSettings:
        """What is kept now."""
        return TrafficSettings(**(self._choices.get(_SETTINGS) or {}))

    def choose(self, settings: TrafficSettings) -> None:
        """Keep this from now on. Texts that are kept already stay until they are too old, or ``forget_texts``."""
        self._choices.put(_SETTINGS, settings.model_dump())
        self.purge()

    def get(self, id_: str) -> TrafficRow:
        """One request.

        Raises:
            NotFound: it is not known, or too old.
        """
        found = self.rows(Which(ids=[id_]), limit=1)
        if not found:
            raise NotFound(
                "traffic.no_longer",
                "There is no request {id}; it may be too old. Reload the page.",
                id=repr(id_),
            )
        return found[0]

    def rows(self, which: Which | None = None, limit: int = 100, offset: int = 0) -> list[TrafficRow]:
        """Requests with their feedback, the newest first.

        Raises:
            BadInput: there cannot be so many.
        """
        if limit < 1 or offset < 0:
            raise BadInput(
                "traffic.bad_limit", "{limit} requests cannot be shown. Ask for one at least.", limit=limit
            )
        return [TrafficRow.model_validate(row) for row in self._table.rows(which or Which(), limit, offset)]

    def count(self) -> int:
        """How many requests are kept."""
        return self._table.count()

    def summary(self, since: datetime, version: str | None = None, until: datetime | None = None) -> Summary:
        """What can be counted of the requests since then."""
        until = until or self._clock()
        which = Which(since=since, until=until, version=version)
        rows = self._table.numbers(which, MOST_ROWS + 1)
        return summarise(rows, self._table.said(which), since, until, version)

    def lost(self) -> dict[str, Any]:
        """What could not be kept: ``numbers`` and ``texts`` count requests, ``reasons`` says why, ``at`` when last."""
        self._count_lost()
        return {**NOTHING_LOST, **(self._choices.get(_LOST) or {})}

    def forget_texts(self) -> int:
        """Erase all texts that are kept; tells of how many requests."""
        self._texts.flush(_FLUSH_SECONDS)
        return self._table.forget_texts()

    def purge(self) -> int:
        """Delete requests that are older than the owner wants; tells how many."""
        return self._table.forget(self._clock() - timedelta(days=self.settings().days))

    def tick(self) -> None:
        """Write down what was lost, and purge when an hour has passed. Cheap; call it often."""
        self._count_lost()
        now = self._clock()
        if self._purge_at is None or now >= self._purge_at:
            self._purge_at = now + _PURGE_EVERY
            self.purge()

    def flush(self, seconds: float = 60.0) -> bool:
        """Wait until all that was recorded is stored; tells whether that came."""
        return self._numbers.flush(seconds) and self._texts.flush(seconds)

    def close(self) -> None:
        """Store what waits, as far as that is quick; texts that are not masked yet are dropped and counted."""
        left = self._numbers.close(_FLUSH_SECONDS)
        texts = self._texts.close(0)
        if left or texts:
            self._lose(numbers=len(left), texts=len(texts), reason="closed")
        self._count_lost()

    def _store(self, batch: list[Exchange]) -> None:
        try:
            self._table.add([self._line(one) for one in batch])
            keep = self.settings().keep_texts
        except Exception as error:  # noqa: BLE001 - the log must not end with one batch: it is counted
            self._lose(numbers=len(batch), reason=type(error).__name__)
            return
        for one in batch:
            if keep and one.messages:
                self._queue_texts(_Texts([list(one.messages), one.answer], self._keeper(one)))

    def _line(self, exchange: Exchange) -> dict[str, Any]:
        line = exchange.model_dump(exclude={"messages", "answer"})
        refused = self._declines(exchange.answer) if exchange.answer else None
        return {**line, "error": line["error"] or None, "finish": line["finish"] or None, "refused": refused}

    def _keeper(self, exchange: Exchange) -> Callable[[Any, list[Masked]], None]:
        def keep(masked: Any, all_masked: list[Masked]) -> None:
            messages, answer = masked
            asked = sum(1 for _ in texts_in(list(exchange.messages)))
            personal = together([one.found for one in all_masked[:asked]])
            self._table.put_texts(exchange.id, messages=messages, answer=answer or None, personal=personal)

        return keep

    def _queue_texts(self, texts: _Texts) -> bool:
        if self._texts.put(texts):
            return True
        self._lose(texts=1, reason="queue_full")
        return False

    def _store_texts(self, batch: list[_Texts]) -> None:
        told = [list(texts_in(one.value)) for one in batch]
        try:
            masked = self._masked([text for texts in told for text in texts])
            if self._texts.closed or not self.settings().keep_texts:  # the owner may have changed their mind
                return
        except FtkitError as error:
            self._lose(texts=len(batch), reason=error.key)
            return
        except Exception as error:  # noqa: BLE001 - as above
            self._lose(texts=len(batch), reason=type(error).__name__)
            return
        place = 0
        for one, texts in zip(batch, told, strict=True):
            self._keep(one, masked[place : place + len(texts)])
            place += len(texts)

    def _masked(self, texts: list[str]) -> list[Masked]:
        """Asked twice where the worker went away or was slow to start: it ends by itself when nobody asks."""
        try:
            return mask_texts(self._masker.ask, texts)
        except WorkerFault:
            if self._texts.closed:
                raise
            return mask_texts(self._masker.ask, texts)

    def _keep(self, one: _Texts, masked: list[Masked]) -> None:
        try:
            one.keep(with_texts(one.value, iter([each.text for each in masked])), masked)
        except Exception as error:  # noqa: BLE001 - as above
            self._lose(texts=1, reason=type(error).__name__)

    def _lose(self, numbers: int = 0, texts: int = 0, reason: str = "") -> None:
        """Count what is lost, in memory: where the database hangs, nobody may wait for it."""
        with self._lock:
            self._uncounted += [(numbers, texts, reason)]

    def _count_lost(self) -> None:
        """Write the count down; where that fails it is tried again with the next look."""
        with self._lock:
            losses, self._uncounted = self._uncounted, []
        if not losses:
            return
        try:
            self._choices.change(_LOST, lambda former: counted(former, losses, self._clock()))
        except Exception:  # noqa: BLE001 - the database is gone, and says so itself
            with self._lock:
                self._uncounted = losses + self._uncounted
