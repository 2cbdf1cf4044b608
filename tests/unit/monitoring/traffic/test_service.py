"""What of the traffic is kept, and what is not."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ftkit.data.cleaning.quality import is_refusal
from ftkit.errors import NotFound, Refused, WorkerFault
from ftkit.monitoring.traffic.exchange import Feedback
from ftkit.monitoring.traffic.kept import TrafficSettings
from ftkit.monitoring.traffic.service import TrafficService, Which
from ftkit.store.tables import harvested
from tests.finished_run import Room, SleepingLauncher, open_room
from tests.monitored import NOON, NearMasker, exchange, failed

MAIL, CARD, PHONE = "ayse@example.com", "4111 1111 1111 1111", "+90 532 123 45 67"
LIFETIME = timedelta(days=30)


class Log:
    """A traffic service with a clock that stands still until it is moved."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.now = NOON + timedelta(minutes=10)
        self.service = TrafficService(room.database, room.folders, room.jobs, self.clock, is_refusal)
        self.masker = NearMasker()
        self.service._masker = self.masker  # type: ignore[assignment]

    def clock(self) -> datetime:
        return self.now

    def keep_texts(self) -> None:
        self.service.choose(TrafficSettings(keep_texts=True))

    def record(self, *exchanges: Any) -> None:
        for one in exchanges:
            self.service.record(one)
        assert self.service.flush(20)

    def bytes_on_disk(self) -> bytes:
        with sqlite3.connect(self.room.home / "ftkit.sqlite") as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return b"".join(path.read_bytes() for path in self.room.home.rglob("*") if path.is_file())


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    room = Room(tmp_path / "home", SleepingLauncher())
    log = Log(room)
    yield log
    log.service.close()
    room.database.close()


def test_numbers_are_always_kept_and_texts_only_on_request(log: Log) -> None:
    log.record(exchange(1, f"I am {MAIL}"), failed(2))
    second, first = log.service.rows()
    assert (first.id, first.status, first.prompt_tokens, first.answer_tokens) == ("req-1", 200, 10, 5)
    assert (first.messages, first.answer, first.personal, first.refused) == (None, None, None, False)
    assert (second.status, second.error, second.refused) == (503, "serving.nothing_live", None)
    assert log.masker.asked == []
    assert b"I am" not in log.bytes_on_disk()


@pytest.mark.training
def test_kept_texts_are_masked_before_they_reach_the_disk(tmp_path: Path) -> None:
    with open_room(tmp_path / "home") as room:
        log = Log(room)
        log.service = TrafficService(room.database, room.folders, room.jobs, log.clock, is_refusal)
        log.keep_texts()
        messages = (
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": f"Mail {MAIL} or {MAIL}, call {PHONE}"},
            {"role": "assistant", "tool_calls": [{"type": "function", "arguments": f'{{"to": "{CARD}"}}'}]},
        )
        log.service.record(exchange(1, messages=messages, answer=f"I charged {CARD}."))
        assert log.service.feedback(
            "req-1", "k1", Feedback(correction=f"Ask {MAIL}", comment=f"Call me: {PHONE}")
        )
        assert log.service.flush(90)
        row = log.service.get("req-1")
        assert row.messages is not None
        assert row.messages[1] == {"role": "user", "content": "Mail [EMAIL] or [EMAIL], call [PHONE]"}
        assert row.messages[2]["tool_calls"] == [{"type": "function", "arguments": '{"to": "[CARD]"}'}]
        assert (row.answer, row.personal) == ("I charged [CARD].", {"email": 2, "phone": 1, "card": 1})
        (said,) = row.feedback
        assert (said.correction, said.comment) == ("Ask [EMAIL]", "Call me: [PHONE]")
        kept = log.bytes_on_disk()  # the database, and all that the worker wrote
        for secret in (MAIL, CARD, PHONE):
            assert secret.encode() not in kept
        log.service._masker.stop()
        room.jobs.wait("mask", seconds=20)
        log.service.close()


def test_text_that_cannot_be_masked_is_dropped_and_counted(log: Log) -> None:
    log.keep_texts()

    def asleep(_: dict[str, Any]) -> Iterator[dict[str, Any]]:
        raise Refused("jobs.resident_asleep", "It made room for {artefact}.", artefact="a run")

    log.masker.ask = asleep  # type: ignore[method-assign]
    log.record(exchange(1, f"I am {MAIL}"), exchange(2))
    assert [(row.messages, row.answer) for row in log.service.rows()] == [(None, None)] * 2
    assert log.service.lost()["texts"] == 2
    assert log.service.lost()["reasons"] == {"jobs.resident_asleep": 2}
    log.masker.ask = lambda _: iter([{"masked": []}])  # type: ignore[method-assign]
    log.record(exchange(3, f"I am {MAIL}"))
    assert log.service.get("req-3").messages is None
    assert log.service.lost()["reasons"] == {"jobs.resident_asleep": 2, "traffic.mask_incomplete": 1}
    assert MAIL.encode() not in log.bytes_on_disk()


def test_a_worker_that_went_away_is_asked_once_more(log: Log) -> None:
    log.keep_texts()
    near, calls = log.masker.ask, []

    def gone(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        calls.append(request)
        if len(calls) == 1:
            raise WorkerFault("jobs.resident_gone", "It went away.")
        return near(request)

    log.masker.ask = gone  # type: ignore[method-assign]
    log.record(exchange(1))
    assert log.service.get("req-1").answer == "It is on its way."
    assert (len(calls), log.service.lost()["texts"]) == (2, 0)


def test_the_owner_changes_their_mind_while_a_text_waits(log: Log) -> None:
    log.keep_texts()
    gate, asked = threading.Event(), threading.Event()
    near = log.masker.ask

    def slow(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        asked.set()
        gate.wait(10)
        return near(request)

    log.masker.ask = slow  # type: ignore[method-assign]
    log.service.record(exchange(1))
    assert asked.wait(10)
    log.service.choose(TrafficSettings(keep_texts=False))
    gate.set()
    assert log.service.flush(10)
    assert log.service.get("req-1").messages is None


def test_a_request_waits_neither_for_the_database_nor_for_the_masker(log: Log) -> None:
    log.keep_texts()
    gate = threading.Event()

    def held(_: dict[str, Any]) -> Iterator[dict[str, Any]]:
        gate.wait(10)
        return iter([])

    log.masker.ask = held  # type: ignore[method-assign]
    log.service._numbers._most = 50
    with log.room.database.write():  # somebody holds the write lock
        began = time.monotonic()
        for number in range(400):
            log.service.record(exchange(number))
        assert time.monotonic() - began < 1
    assert log.service._numbers.flush(10)
    lost = log.service.lost()
    assert lost["numbers"] > 0
    assert lost["reasons"]["queue_full"] == lost["numbers"]
    assert len(log.service.rows(limit=1000)) == 400 - lost["numbers"]
    gate.set()


def test_what_waits_at_the_end_is_counted(log: Log) -> None:
    log.keep_texts()
    gate = threading.Event()
    log.masker.ask = lambda _: gate.wait(10) and iter([])  # type: ignore[method-assign, assignment, return-value]
    for number in range(100):
        log.service.record(exchange(number))
    log.service._numbers.flush(10)
    log.service.close()
    gate.set()
    assert log.service.lost()["texts"] > 0
    assert all(row.messages is None for row in log.service.rows())


def test_feedback_is_of_a_known_request_and_the_newest_word_counts(log: Log) -> None:
    with pytest.raises(NotFound, match="x-request-id"):
        log.service.feedback("req-9", "k1", Feedback(thumb=1))
    log.service.record(exchange(1))  # not stored yet: feedback waits for it
    log.service.feedback("req-1", "k1", Feedback(thumb=1, comment=MAIL))
    log.now += timedelta(seconds=1)
    log.service.feedback("req-1", "k2", Feedback(rating=2))
    log.now += timedelta(seconds=1)
    assert not log.service.feedback("req-1", "k1", Feedback(thumb=-1, correction="Tomorrow."))
    row = log.service.get("req-1")
    assert [(one.key, one.thumb, one.rating, one.correction) for one in row.feedback] == [
        ("k2", None, 2, None),
        ("k1", -1, None, None),
    ]
    assert (row.thumb, row.rating, row.correction) == (-1, 2, None)
    assert MAIL.encode() not in log.bytes_on_disk()


def test_rows_are_found_by_what_they_are(log: Log) -> None:
    log.keep_texts()
    log.record(
        exchange(1),
        exchange(2, answer="I'm sorry, but I can't help with that."),
        exchange(3, version="v2", confidence=0.4),
        failed(4, messages=()),
    )
    log.service.feedback("req-1", "k1", Feedback(thumb=-1, correction="Monday."))
    log.service.flush(10)

    def ids(**which: Any) -> list[str]:
        return [row.id for row in log.service.rows(Which(**which))]

    assert ids() == ["req-4", "req-3", "req-2", "req-1"]
    assert ids(version="v2") == ids(confident=True) == ["req-3"]
    assert ids(answered=False) == ids(texts=False) == ["req-4"]
    assert ids(refused=True) == ["req-2"]
    assert ids(thumb=-1) == ids(corrected=True) == ["req-1"]
    assert ids(thumb=1) == ids(ids=[]) == []
    assert ids(since=NOON + timedelta(seconds=3), until=NOON + timedelta(seconds=4)) == ["req-3"]
    with log.room.database.write() as connection:
        connection.execute(harvested.insert().values(request="req-3", dataset="d", at=NOON))
    assert ids(fresh=True) == ["req-4", "req-2", "req-1"]
    assert [row.id for row in log.service.rows(limit=1, offset=1)] == ["req-3"]


def test_old_requests_are_deleted_with_all_that_was_said(log: Log) -> None:
    log.keep_texts()
    log.record(exchange(1), exchange(2))
    log.service.feedback("req-1", "k1", Feedback(thumb=1))
    log.service.tick()
    assert len(log.service.rows()) == 2
    log.now = NOON + LIFETIME + timedelta(seconds=1.5)
    log.service.tick()
    assert [row.id for row in log.service.rows()] == ["req-2"]
    with pytest.raises(NotFound, match="too old"):
        log.service.get("req-1")
    assert log.service.summary(NOON - LIFETIME).up == 0


def test_texts_are_forgotten_and_numbers_stay(log: Log) -> None:
    log.keep_texts()
    log.record(exchange(1))
    log.service.feedback("req-1", "k1", Feedback(correction="Monday.", thumb=-1))
    log.service.flush(10)
    assert log.service.forget_texts() == 1
    row = log.service.get("req-1")
    assert (row.messages, row.answer, row.correction, row.thumb, row.seconds) == (None, None, None, -1, 0.5)
    assert log.service.forget_texts() == 0


def test_the_same_request_twice_is_one(log: Log) -> None:
    log.record(exchange(1), exchange(1, seconds=9))
    log.record(exchange(1, seconds=9))
    (row,) = log.service.rows()
    assert row.seconds == 0.5
