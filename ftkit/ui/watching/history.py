"""What happened to a run: last, and all along; what its log says of something; whether it has ended.

Takes views, events and matches, gives escaped ``Markup``. It reads nothing and decides nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.records import ENDED_STATES, OWNER, Event
from ftkit.training.service import RunView
from ftkit.training.watching.log import LogMatches
from ftkit.ui import html
from ftkit.ui.i18n import say, say_error

EVENTS = frozenset(
    {
        *("queued", "resumed", "moved", "requeued", "started", "running", "stalled", "recovered"),
        *("asked_to_stop", "asked_to_pause", "stopped", "paused", "done", "failed", "lost"),
        *("checkpoint_set_aside", "resumed_approximately"),
    }
)
_VALUES = ("checkpoint", "kept_as", "reason", "step", "changes")
# Its own doing, not asked for by anybody.
_WORKER = "worker"
PLACES = ("first", "up", "down", "last")


def goes_on(view: RunView) -> bool:
    """Whether it ended before its end, so that it can be resumed."""
    return view.state in ENDED_STATES and view.state != "done"


def resume_label(step: int | None, lang: str) -> str:
    """What the button says: from which step the run goes on."""
    if step is None:
        return say("runs.resume", lang)
    return say("runs.resume.from", lang, step=html.number(step, lang))


def what_happened(
    view: RunView, events: Sequence[Event], step: int | None, reached: int, lang: str
) -> Markup:
    """What happened last, in words, and what a click on Resume would do.

    Args:
        view: the run.
        events: all that happened to it.
        step: of its newest checkpoint; None where there is none.
        reached: the last step that was measured.
        lang: the reader's language.
    """
    if view.state == "stalled":
        quiet = html.duration(view.progress.quiet if view.progress else None, lang)
        return html.notice("warn", say("runs.last.stalled", lang, time=quiet))
    if view.state == "stopping":
        pausing = _last(events, "asked_to_stop", "asked_to_pause")
        how = "pausing" if pausing and pausing.event == "asked_to_pause" else "stopping"
        return html.notice("info", say(f"runs.last.{how}", lang))
    if not goes_on(view):
        reason = _reason(view.job.error, lang)
        return html.notice("warn", reason) if reason else Markup("")
    tone: html.Tone = "bad" if view.state in {"failed", "lost"} else "warn"
    words = [_reason(view.job.error, lang) or _asked(view, events, lang), _from_where(step, reached, lang)]
    return html.notice(tone, html.join(html.paragraph(one) for one in words))


def timeline(events: Sequence[Event], lang: str) -> Markup:
    """All that happened, newest first, each with its time, who asked for it and why it came to it."""
    headers = [say("runs.history.when", lang), say("runs.history.what", lang)]
    rows = [(_moment(event), _event(name, event, lang)) for name, event in _named(events)]
    return html.table(headers, rows[::-1], say("runs.history", lang))


def log_matches(found: LogMatches, lang: str) -> Markup:
    """Lines of a log as text, each behind its number, and how many there are in all."""
    count = html.number(found.total, lang)
    if not found.lines:
        return html.paragraph(say("runs.log.none", lang))
    shown = len(found.lines)
    key = "runs.log.found" if shown == found.total else "runs.log.found_newest"
    lines = html.join(
        Markup("<li><span>{}</span><code>{}</code></li>").format(number, line) for number, line in found.lines
    )
    listed = Markup('<ol class="ft-lines" tabindex="0" aria-label="{}">{}</ol>').format(
        say("runs.log.search", lang), lines
    )
    return html.paragraph(say(key, lang, n=count, shown=shown)) + listed


def mark(view: RunView, lang: str) -> Markup:
    """What ``ended.js`` looks for: the run, and once it has ended, the words to say."""
    ended = view.state in ENDED_STATES
    state = say(f"views.state.{view.state}", lang)
    words = say("runs.tell.said", lang, name=view.run.name, state=state) if ended else ""
    return Markup('<span hidden data-ft-run="{}" data-ft-ended="{}"></span>').format(view.run.id, words)


def _named(events: Sequence[Event]) -> Iterator[tuple[str, Event]]:
    """Each event with its name; to go on from an end is to be queued as a further job."""
    known: set[str] = set()
    for event in events:
        again = event.event == "queued" and bool(known - {event.job})
        known |= {event.job} - {""}
        yield ("resumed" if again else event.event), event


def _event(name: str, event: Event, lang: str) -> Markup:
    """An event in words; one of a later version keeps its name."""
    parts = [html.paragraph(_said(name, event, lang) if name in EVENTS else name)]
    if event.error:
        parts.append(Markup("<small>{}</small>").format(_reason(event.error, lang)))
    if event.by and event.by != _WORKER:
        parts.append(Markup("<small>{}</small>").format(say("runs.event.by", lang, by=_who(event, lang))))
    return html.join(parts)


def _said(name: str, event: Event, lang: str) -> str:
    where = event.values.get("where")
    if name == "moved" and where in PLACES:
        return say(f"runs.event.moved.{where}", lang)
    values = {key: str(event.values.get(key, "–")) for key in _VALUES}
    return say(f"runs.event.{name}", lang, **values)


def _who(event: Event, lang: str) -> str:
    return say("runs.event.owner", lang) if event.by == OWNER else event.by


def _moment(event: Event) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(
        event.time.isoformat(timespec="seconds"), f"{event.time.astimezone():%Y-%m-%d %H:%M:%S}"
    )


def _reason(error: dict[str, Any] | None, lang: str) -> str:
    return say_error(FtkitError.from_dict(error), lang) if error else ""


def _asked(view: RunView, events: Sequence[Event], lang: str) -> str:
    """Who stopped or paused it."""
    asked = _last(events, "asked_to_stop", "asked_to_pause", "stopped", "paused")
    if view.state not in {"stopped", "paused"} or asked is None:
        return say("runs.last.unknown", lang)
    return say(f"runs.last.{view.state}", lang, by=_who(asked, lang) if asked.by else "–")


def _from_where(step: int | None, reached: int, lang: str) -> str:
    if step is None:
        return say("runs.last.from_start", lang)
    if reached <= step:
        return say("runs.last.from", lang, step=html.number(step, lang))
    return say(
        "runs.last.from_earlier", lang, step=html.number(step, lang), reached=html.number(reached, lang)
    )


def _last(events: Sequence[Event], *names: str) -> Event | None:
    """The newest of some events that says who; without such a one, the newest."""
    found = [event for event in events if event.event in names]
    return next((event for event in reversed(found) if event.by), found[-1] if found else None)
