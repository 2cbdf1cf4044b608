import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from ftkit.records import Event, JobState
from ftkit.training.watching.log import LogMatches
from ftkit.training.watching.progress import Progress
from ftkit.ui.i18n import LANGUAGES, catalogue, say
from ftkit.ui.watching import history
from tests.unit.ui.test_views import run_view

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def event(name: str, **more: Any) -> Event:
    return Event(time=NOW, event=name, **more)


def words(made: str) -> str:
    return re.sub(r"<[^>]+>", " ", made)


def test_every_event_has_words_in_every_language() -> None:
    keys = {f"runs.event.{name}" for name in history.EVENTS} | {
        f"runs.event.moved.{place}" for place in history.PLACES
    }
    for lang in LANGUAGES:
        assert keys <= catalogue(lang).keys()


def test_a_failed_run_says_why_and_where_resume_goes_on() -> None:
    failed = run_view("failed")
    assert "It broke at" in history.what_happened(failed, [], 40, 40, "en")
    assert "checkpoint of step 40." in history.what_happened(failed, [], 40, 40, "en")
    assert "steps up to 52 are made again" in history.what_happened(failed, [], 40, 52, "en")
    assert "begins at the first step" in history.what_happened(failed, [], None, 3, "en")
    assert "40. adımın" in history.what_happened(failed, [], 40, 40, "tr")


@pytest.mark.parametrize("state", ["stopped", "paused"])
def test_a_run_that_was_ended_says_by_whom(state: Any) -> None:
    asked = event("asked_to_stop" if state == "stopped" else "asked_to_pause", by="ada")
    view = run_view(state)
    assert "by: ada" in history.what_happened(view, [asked, event(state)], 3, 3, "en")
    assert say("runs.last.unknown", "en") in history.what_happened(view, [], 3, 3, "en")


def test_a_stalled_run_says_how_long_nothing_moved() -> None:
    view = run_view("stalled", Progress("training", 3, 9, None, 0.0, quiet=190.0))
    assert "3 min 10 s" in history.what_happened(view, [], None, 3, "en")


def test_a_pause_is_told_from_a_stop() -> None:
    view = run_view("stopping")
    assert (
        history.what_happened(view, [event("asked_to_pause", by="owner")], None, 3, "en").count("pauses") == 1
    )
    assert "15 seconds" in history.what_happened(view, [event("asked_to_stop", by="owner")], None, 3, "en")


def test_the_newest_event_stands_first_and_going_on_is_told_from_the_beginning() -> None:
    events = [
        event("queued", job="j1", by="owner"),
        event(
            "checkpoint_set_aside",
            by="worker",
            values={"checkpoint": "checkpoint-4", "kept_as": "b", "reason": "r"},
        ),
        event("lost", job="j1"),
        event("queued", job="j2", by="owner"),
        event("of_a_later_version", job="j2"),
    ]
    made = words(history.timeline(events, "en"))
    order = ["of_a_later_version", "Resumed", "gone", "checkpoint-4 is broken", "Put into the queue"]
    places = [made.index(text) for text in order]
    assert places == sorted(places)
    assert made.count("by: the owner") == 2
    assert "worker" not in made


def test_log_lines_are_counted_and_numbered() -> None:
    made = history.log_matches(LogMatches(1234, ((7, "<b>x</b>"),)), "en")
    assert "1,234" in made
    assert "newest 1 are shown" in made
    assert "<span>7</span><code>&lt;b&gt;x&lt;/b&gt;</code>" in made
    assert say("runs.log.none", "en") in history.log_matches(LogMatches(0, ()), "en")


@pytest.mark.parametrize("state", get_args(JobState))
def test_only_an_ended_run_says_so_to_the_script(state: Any) -> None:
    ended = state in {"done", "failed", "stopped", "paused", "lost"}
    assert ('data-ft-ended=""' in history.mark(run_view(state), "en")) != ended
