"""When a check is due."""

from datetime import UTC, datetime, timedelta

from ftkit.monitoring.drift.schedule import DriftSettings, due_at

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOURLY = DriftSettings(every_minutes=60)


def later(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_nothing_new_makes_nothing_due():
    assert due_at(HOURLY, NOON, None, None) is None


def test_the_first_check_is_due_an_interval_after_the_first_request():
    assert due_at(HOURLY, None, NOON, None) == later(60)


def test_enough_requests_make_it_due_earlier():
    assert due_at(HOURLY, NOON, later(1), later(20)) == later(20)
    assert due_at(HOURLY, NOON, later(1), later(90)) == later(60)


def test_patience_is_no_more_than_an_interval():
    assert DriftSettings(every_minutes=5).patience == timedelta(minutes=5)
    assert DriftSettings(every_minutes=1440).patience == timedelta(minutes=15)
