"""Alerts: raised once, seen, and told to another program."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.monitoring.alerts.alert import AlertRules
from ftkit.monitoring.alerts.rules import noticed
from ftkit.monitoring.alerts.service import AlertService
from ftkit.monitoring.traffic.summary import Summary, summarise
from tests.finished_run import Room, SleepingLauncher
from tests.listening import Listener, listening
from tests.monitored import NOON
from tests.unit.monitoring.traffic.test_summary import row


class Desk:
    """An alert service with a clock that stands still until it is moved."""

    def __init__(self, room: Room) -> None:
        self.now = NOON
        self.service = AlertService(room.database, self.clock, room.new_id, ("localhost",))

    def clock(self) -> datetime:
        return self.now


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    room = Room(tmp_path / "home", SleepingLauncher())
    desk = Desk(room)
    yield desk
    desk.service.close()
    room.database.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def test_one_alert_is_open_until_somebody_has_seen_it(desk: Desk) -> None:
    first = desk.service.raise_alert("drift", "v1", {"words": ["kargo"]})
    assert first is not None
    assert desk.service.raise_alert("drift", "v1", {"words": ["fatura"]}) is None
    assert desk.service.raise_alert("drift", "v2") is not None
    assert desk.service.raise_alert("errors", "v1") is not None
    assert {alert.values.get("words", ["-"])[0] for alert in desk.service.unseen()} == {"kargo", "-"}
    assert desk.service.seen(first.id) == 1
    assert desk.service.seen(first.id) == 0
    assert desk.service.raise_alert("drift", "v1") is not None
    assert desk.service.seen() == 3
    assert (len(desk.service.all()), desk.service.unseen()) == (4, [])
    assert first.delivery is None
    for act in (desk.service.seen, desk.service.get):
        with pytest.raises(NotFound, match="Reload"):
            act("nobody")


def test_the_webhook_is_told_and_its_outcome_kept(desk: Desk, listener: Listener) -> None:
    chosen = desk.service.choose_webhook(f"http://localhost:{listener.port}/hook")
    assert chosen is not None
    assert chosen.secret not in repr(chosen)
    assert desk.service.choose_webhook(chosen.url) == chosen
    alert = desk.service.raise_alert("drift", "v1", {"words": ["kargo"]})
    assert alert is not None
    assert desk.service.flush(10)
    told = json.loads(listener.heard[0].body)
    assert (told["id"], told["kind"], told["version"], told["values"]) == (
        alert.id,
        "drift",
        "v1",
        {"words": ["kargo"]},
    )
    delivery = desk.service.get(alert.id).delivery
    assert delivery is not None
    assert (delivery.state, delivery.tries, delivery.at) == ("sent", 1, NOON)
    desk.service.tick()
    desk.service.try_webhook()
    assert [json.loads(one.body)["kind"] for one in listener.heard] == ["drift", "test"]


def test_a_webhook_that_fails_is_tried_again_and_not_for_ever(desk: Desk, listener: Listener) -> None:
    desk.service.choose_webhook(f"http://localhost:{listener.port}/hook")
    listener.status = 503
    alert = desk.service.raise_alert("errors", "v1")
    assert alert is not None
    for wait in (0, 5, 5, 50, 20, 3600, 3600, 3600, 3600):
        desk.now += timedelta(seconds=wait)
        desk.service.tick()
        assert desk.service.flush(10)
    assert len(listener.heard) == 5
    delivery = desk.service.get(alert.id).delivery
    assert delivery is not None
    assert (delivery.state, delivery.tries, delivery.next_at) == ("failed", 5, None)
    assert (delivery.reason or {})["values"]["status"] == "503"


def test_two_processes_send_an_alert_once(desk: Desk, listener: Listener, tmp_path: Path) -> None:
    room = Room(tmp_path / "home", SleepingLauncher())
    other = AlertService(room.database, desk.clock, room.new_id, ("localhost",))
    desk.service.choose_webhook(f"http://localhost:{listener.port}/hook")
    for number in range(5):
        desk.service.raise_alert("errors", f"v{number}")
        other.tick()
    assert desk.service.flush(10)
    assert other.flush(10)
    assert len(listener.heard) == 5
    other.close()
    room.database.close()


def test_an_address_that_is_refused_is_not_kept(desk: Desk, listener: Listener) -> None:
    for url, kind in (
        ("http://169.254.169.254/", Refused),
        (f"http://127.0.0.1:{listener.port}/", Refused),
        ("x", BadInput),
    ):
        with pytest.raises(kind):
            desk.service.choose_webhook(url)
    assert desk.service.webhook() is None
    with pytest.raises(Refused, match="save it first"):
        desk.service.try_webhook()
    desk.service.choose_webhook(f"http://localhost:{listener.port}/hook")
    assert desk.service.choose_webhook(" ") is None
    assert desk.service.webhook() is None
    assert listener.connections == 0


def test_rules_speak_only_when_it_is_sure(desk: Desk) -> None:
    rules = AlertRules(p95_seconds=2.0)
    desk.service.choose_rules(rules)
    assert desk.service.rules() == rules

    def of(failures: int, answers: int, up: int = 0, down: int = 0, seconds: float = 1.0) -> Summary:
        rows = [row(status=500, error="x", refused=None)] * failures + [row(seconds=seconds)] * answers
        said = [{"at": NOON, "thumb": 1, "rating": None, "corrected": False}] * up
        said += [{"at": NOON, "thumb": -1, "rating": None, "corrected": False}] * down
        return summarise(rows, said, NOON, NOON + timedelta(hours=1))

    def kinds(summary: Summary) -> list[str]:
        return [kind for kind, _ in noticed(summary, rules)]

    assert kinds(of(0, 0)) == kinds(of(15, 0)) == kinds(of(0, 100)) == []
    assert kinds(of(2, 18)) == []  # 10 %, but it may as well be 3 %
    assert kinds(of(6, 14)) == ["errors"]
    assert kinds(of(0, 100, seconds=3)) == ["latency"]
    assert kinds(of(0, 10, seconds=3)) == []
    assert kinds(of(0, 100, up=12, down=8)) == []
    assert kinds(of(0, 100, up=5, down=20)) == ["feedback"]
    assert [
        kind for kind, _ in noticed(of(20, 0, down=30), AlertRules(error_share=None, down_share=None))
    ] == []
