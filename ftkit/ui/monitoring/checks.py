"""Drift checks as such: when the last one was, when the next is due, and what earlier ones found.

Takes records of checks, gives escaped ``Markup``. What a check found in detail stands in ``drift``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.monitoring.drift.schedule import DriftCheck, Standing
from ftkit.ui import html
from ftkit.ui.i18n import say, say_error
from ftkit.ui.monitoring import drift

_TONES: Mapping[str, html.Tone] = {"steady": "good", "drift": "warn", "failed": "bad"}


def standing(found: Standing, keep_texts: bool, lang: str) -> Markup:
    """When the last check was and when the next is due; whether it is overdue, and what is missing for one."""
    parts = []
    if not keep_texts:
        parts.append(html.notice("info", say("monitor.drift.no_texts", lang)))
    if found.overdue and found.due_at is not None:
        parts.append(html.notice("bad", _at("monitor.drift.overdue", found.due_at, lang)))
    elif found.last_at is None and keep_texts:
        parts.append(html.notice("info", say("monitor.drift.never", lang)))
    times = [_at("monitor.drift.last", found.last_at, lang)] if found.last_at else []
    if found.due_at is not None and not found.overdue:
        times.append(_at("monitor.drift.next", found.due_at, lang))
    if found.waiting:
        key = "monitor.drift.waiting" if found.last_at else "monitor.drift.waiting.first"
        times.append(Markup("{}").format(say(key, lang, n=html.number(found.waiting, lang))))
    if times:
        parts.append(Markup('<p class="ft-quiet">{}</p>').format(Markup(" · ").join(times)))
    return html.join(parts)


def doing(state: Mapping[str, Any], lang: str) -> Markup:
    """How far the check is that is being made."""
    text = say("monitor.drift.checking", lang)
    if not state.get("steps"):
        return html.waiting(text)
    return html.bar(state["step"] / state["steps"], text)


def failed(one: DriftCheck, lang: str) -> Markup:
    """Why a check came to nothing, and what to do."""
    error = one.report.get("error")
    reason = say_error(FtkitError.from_dict(error), lang) if error else say("monitor.drift.failed.none", lang)
    return html.notice("bad", say("monitor.drift.failed", lang, reason=reason))


def past(checks: Sequence[DriftCheck], labels: Mapping[str, str], lang: str) -> Markup:
    """Earlier checks, the newest first; nothing where there are none."""
    if not checks:
        return Markup("")
    heads = [say(f"monitor.drift.{key}", lang) for key in ("at", "found", "requests", "version")]
    rows = [
        (
            html.moment(one.at),
            _found(one, lang),
            html.number(one.requests, lang),
            labels.get(one.version, one.version),
        )
        for one in checks
    ]
    title = say("monitor.drift.past", lang)
    return html.details(title, html.table(heads, rows, title))


def pill(one: DriftCheck, lang: str) -> Markup:
    """The outcome in a word."""
    return html.pill(_TONES.get(one.outcome, "plain"), say(f"monitor.drift.pill.{one.outcome}", lang))


def _found(one: DriftCheck, lang: str) -> Markup:
    kinds = [
        drift.name(drift.key_of(line), lang) for line in one.report.get("findings", ()) if line["drifted"]
    ]
    return Markup("{} {}").format(pill(one, lang), ", ".join(kinds))


def _at(key: str, when: datetime, lang: str) -> Markup:
    """A sentence of the catalogue around a point in time."""
    before, _, after = say(key, lang, at="{at}").partition("{at}")
    return Markup("{}{}{}").format(before, html.moment(when), after)
