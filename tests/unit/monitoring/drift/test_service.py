"""Drift checks over a real store and real workers; the gateway is played by lines of its traffic table."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from ftkit.data.storage import write_rows
from ftkit.errors import NotFound, Refused, WorkerFault
from ftkit.monitoring.drift.schedule import DriftSettings
from ftkit.monitoring.drift.service import DriftService, TrainedOn
from ftkit.store.files import write_json
from ftkit.store.monitoring.traffic import TrafficTable
from ftkit.store.tables import served_versions
from tests import drifting
from tests.finished_run import NOW, Room, SleepingLauncher, open_room

MAPPING = {"user": "question", "assistant": "answer"}


class Watch:
    """A drift service with a clock that is set by hand, and the alarms that it raised."""

    def __init__(self, room: Room, reference: list[str] | None = None) -> None:
        self.room = room
        self.now = NOW
        self.alarms: list[tuple[str, dict[str, Any]]] = []
        self.numbers = itertools.count()
        self.file = room.home / "train.parquet"
        rows = [{"question": text, "answer": "yes"} for text in reference or drifting.texts()[:100]]
        write_rows(self.file, rows, ("question", "answer"))
        self.service = self.another()
        self.traffic = TrafficTable(room.database)
        self.add_version("v1", "run:run1")

    def another(self) -> DriftService:
        """As after a restart."""
        return DriftService(
            self.room.database,
            self.room.folders,
            self.room.jobs,
            lambda: self.now,
            self.room.new_id,
            trained_on=lambda target: (
                TrainedOn("run1", str(self.file), MAPPING) if target == "run:run1" else None
            ),
            on_drift=lambda version, values: self.alarms.append((version, values)),
        )

    def add_version(self, id_: str, target: str) -> None:
        values = {"id": id_, "target": target, "label": id_, "engine": "resident", "state": "live"}
        with self.room.database.write() as connection:
            connection.execute(insert(served_versions).values(**values, created_at=NOW, changed_at=NOW))

    def ask(self, texts: list[Any], version: str = "v1", **values: Any) -> None:
        """Requests, a second after each other up to now."""
        lines = [
            {
                "id": f"q{next(self.numbers)}",
                "at": self.now - timedelta(seconds=len(texts) - n),
                "version": version,
                "key": "k",
                "kind": "chat",
                "status": 200,
                "streamed": False,
                "seconds": 1.0,
                "refused": False,
                "confidence": None,
                "answer": "x",
                "messages": text and [{"role": "user", "content": text}],
                **values,
            }
            for n, text in enumerate(texts)
        ]
        self.traffic.add(lines)

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def play(self, id_: str, outcome: str = "steady", **more: Any) -> None:
        """The worker's part."""
        write_json(self.room.folders.work(id_) / "report.json", {"outcome": outcome, "findings": [], **more})
        self.room.end(id_)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with open_room(tmp_path, SleepingLauncher()) as room:
        yield Watch(room)


def texts(count: int) -> list[str]:
    return [f"where is parcel {n}" for n in range(count)]


def test_a_drift_is_found_by_the_worker_told_once_and_its_texts_are_deleted(tmp_path):
    with open_room(tmp_path) as room:
        watch = Watch(room, drifting.texts())
        watch.ask(drifting.texts("house-voice-tr"))
        id_ = watch.service.start_check()
        assert watch.service.start_check() == id_
        assert watch.service.latest() is None
        phases = set()
        found = watch.service.wait(id_, lambda _, state: phases.add(state.get("phase")))
        assert (found.outcome, found.report["cause"], found.requests) == ("drift", "language", 124)
        assert set(found.report["findings"][0]["examples"]) <= {f"q{n}" for n in range(124)}
        watch.service.tick()
        watch.another().checks()
        ((version, values),) = watch.alarms
        assert (version, values["cause"], values["words"], values["check"]) == ("v1", "language", ["tr"], id_)
        assert not (room.folders.work(id_) / "inputs.json").exists()
        assert not (room.folders.work(id_) / "report.json").exists()
        assert not any("bekliyor" in file.read_text("utf-8", "replace") for file in _files(room, id_))
        assert watch.service.latest("v1").id == id_
        assert watch.service.standing("v1").outcome == "drift"


def test_a_check_looks_at_the_newest_requests_in_their_order(watch):
    watch.service.choose(DriftSettings(window=30))
    watch.ask(texts(50))
    check = watch.service.get(watch.service.start_check("v1"))
    assert (check.requests, check.begins, check.ends) == (
        30,
        NOW - timedelta(seconds=30),
        NOW - timedelta(seconds=1),
    )
    inputs = watch.room.folders.work(check.id) / "inputs.json"
    assert '"q20"' in inputs.read_text()
    assert watch.service.state(check.id) == {}


def test_an_empty_window_is_too_few_and_starts_nothing(watch):
    watch.ask([None] * 40)  # numbers are kept, texts are not
    check = watch.service.get(watch.service.start_check("v1"))
    assert (check.outcome, check.report["reason"], check.requests) == ("too_few", "window", 0)
    assert watch.alarms == []
    watch.later(days=2)
    watch.service.tick()
    assert watch.room.launcher.started == []


def test_a_window_of_nothing_is_no_alarm(tmp_path):
    with open_room(tmp_path) as room:
        watch = Watch(room)
        for content in (float("nan"), "", "  ", None):
            watch.ask([None] * 30, messages=[{"role": "user", "content": content}], confidence=float("nan"))
        found = watch.service.wait(watch.service.start_check())
        assert (found.outcome, found.report["reason"]) == ("too_few", "window")
        assert watch.alarms == []


def test_what_cannot_be_compared_is_refused(watch):
    with pytest.raises(Refused, match="No texts of requests are kept"):
        watch.service.start_check()
    watch.add_version("v2", "base:tiny")
    watch.ask(texts(40), version="v2")
    with pytest.raises(Refused, match="v2 was not trained here"):
        watch.service.start_check()
    with pytest.raises(Refused, match="unknown"):
        watch.service.start_check("unknown")
    with pytest.raises(NotFound, match="no drift check"):
        watch.service.get("drift-9")
    watch.later(days=3)
    watch.service.tick()
    assert watch.service.checks() == []
    assert watch.service.standing().overdue is False


def test_enough_new_requests_start_a_check(watch):
    watch.service.choose(DriftSettings(every_requests=50))
    watch.ask(texts(49))
    watch.service.tick()
    assert watch.service.checks() == []
    watch.later(seconds=40)
    watch.ask(texts(1))
    watch.service.tick()
    (check,) = watch.service.checks()
    assert (check.outcome, check.requests) == ("checking", 50)
    watch.play(check.id)
    watch.later(seconds=40)
    watch.service.tick()
    assert [one.outcome for one in watch.service.checks()] == ["steady"]
    watch.later(seconds=40)
    watch.service.tick()
    assert len(watch.service.checks()) == 1  # nothing new came


def test_time_starts_a_check_where_something_new_came(watch):
    watch.service.choose(DriftSettings(every_minutes=60))
    watch.ask(texts(10))
    assert watch.service.standing().due_at == NOW + timedelta(minutes=60, seconds=-10)
    watch.later(minutes=59)
    watch.service.tick()
    assert watch.service.checks() == []
    watch.later(minutes=2)
    watch.service.tick()
    watch.play(watch.service.checks()[0].id, "too_few")
    watch.later(minutes=500)
    watch.service.tick()
    assert len(watch.service.checks()) == 1
    assert watch.service.standing().model_dump(include={"due_at", "overdue", "waiting"}) == {
        "due_at": None,
        "overdue": False,
        "waiting": 0,
    }


def test_a_stopped_scheduler_is_overdue_within_two_intervals(watch):
    """F36: nobody calls ``tick`` any more."""
    watch.service.choose(DriftSettings(every_minutes=10))
    watch.ask(texts(40))
    id_ = watch.service.start_check()
    watch.play(id_)
    assert watch.service.standing().overdue is False
    watch.later(minutes=2)
    watch.ask(texts(5))
    watch.later(minutes=7)
    standing = watch.service.standing()
    assert (standing.last_at, standing.due_at, standing.overdue) == (NOW, NOW + timedelta(minutes=10), False)
    watch.later(minutes=11)
    standing = watch.another().standing()
    assert (standing.overdue, standing.outcome, standing.waiting) == (True, "steady", 5)
    watch.service.tick()  # it is back
    watch.play(watch.service.checks()[0].id)
    assert watch.service.standing().overdue is False


def test_checks_by_hand_only_are_never_overdue(watch):
    watch.service.choose(DriftSettings(automatic=False))
    watch.ask(texts(400))
    watch.later(days=30)
    watch.service.tick()
    assert watch.service.checks() == []
    standing = watch.service.standing()
    assert (standing.due_at, standing.overdue, standing.waiting) == (None, False, 400)


def test_a_failed_check_is_shown_and_tried_again_after_a_while(watch):
    watch.service.choose(DriftSettings(every_requests=40))
    watch.ask(texts(40))
    watch.service.tick()
    (check,) = watch.service.checks()
    watch.room.end(check.id, "failed", error=WorkerFault("jobs.failed", "{reason}", reason="x").as_dict())
    (check,) = watch.service.checks()
    assert check.outcome == "failed"
    assert check.report["error"]["key"] == "jobs.failed"
    assert watch.service.standing().outcome == "failed"
    watch.later(minutes=5)
    watch.service.tick()
    assert len(watch.service.checks()) == 1
    assert watch.service.standing().overdue is False
    watch.later(minutes=11)
    assert watch.service.standing().overdue is True  # no check came to an end
    watch.service.tick()
    assert [one.outcome for one in watch.service.checks()] == ["checking", "failed"]


def test_feedback_and_refusals_go_with_the_window(watch):
    watch.service.choose(DriftSettings(window=30))
    watch.ask(texts(30), refused=True, confidence=0.4)
    watch.later(minutes=1)
    watch.ask(texts(30))
    watch.traffic.say(
        {
            "request": "q31",
            "key": "k",
            "at": NOW,
            "thumb": -1,
            "rating": None,
            "correction": None,
            "comment": None,
        }
    )
    inputs = (watch.room.folders.work(watch.service.start_check()) / "inputs.json").read_text()
    assert inputs.count('"down": 1.0') + inputs.count('"down":1.0') == 1
    assert inputs.count("0.4") == 30


def _files(room: Room, id_: str) -> list[Path]:
    return [file for file in room.folders.work(id_).rglob("*") if file.is_file()]
