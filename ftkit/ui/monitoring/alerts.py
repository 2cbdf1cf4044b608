"""Alerts in sentences: what was noticed, of which version, and whether another program was told.

Takes records of alerts, gives escaped ``Markup``. It notices nothing itself.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.monitoring.alerts.alert import Alert, AlertKind, Delivery
from ftkit.ui import html
from ftkit.ui.i18n import say, say_error
from ftkit.ui.monitoring import drift
from ftkit.ui.monitoring.traffic import seconds

Labels = Mapping[str, str]
_TONES: Mapping[AlertKind, html.Tone] = {"errors": "bad", "overdue": "bad", "masking": "bad"}
_WORDS_SHOWN = 6


def open_ones(found: Sequence[Alert], labels: Labels, lang: str) -> Markup:
    """What nobody has seen yet, or that there is nothing."""
    if not found:
        return html.notice("good", say("monitor.alerts.none", lang))
    return html.join(html.notice(_TONES.get(one.kind, "warn"), _told(one, labels, lang)) for one in found)


def past(found: Sequence[Alert], labels: Labels, lang: str) -> Markup:
    """What was seen before; nothing where there is none."""
    if not found:
        return Markup("")
    heads = [say(f"monitor.alerts.{key}", lang) for key in ("at", "what", "webhook")]
    rows = [
        (html.moment(one.at), sentence(one, labels, lang), delivery(one.delivery, lang) or Markup("–"))
        for one in found
    ]
    title = say("monitor.alerts.past", lang)
    return html.details(title, html.table(heads, rows, title))


def sentence(one: Alert, labels: Labels, lang: str) -> str:
    """What an alert says."""
    values = one.values
    told: dict[str, Any] = {"version": labels.get(one.version, values.get("label", one.version))}
    if one.kind == "drift":
        return _drifted(values, told["version"], lang)
    if one.kind in {"errors", "feedback"}:
        told |= {
            name: html.percent(values[name], lang, 0 if values[name] >= 0.1 else 1)
            for name in ("share", "limit")
        }  # noqa: PLR2004
        told |= {name: html.number(values[name], lang) for name in ("count", "of", "hours")}
    elif one.kind == "latency":
        told |= {name: seconds(values[name], lang) for name in ("p95", "limit")} | {"hours": values["hours"]}
    elif one.kind == "overdue":
        told |= {"at": _time(values.get("due_at"))}
    elif one.kind == "masking":
        return _lost(values, lang)
    return say(f"alerts.{one.kind}", lang, **told)


def delivery(found: Delivery | None, lang: str) -> Markup:
    """Whether another program was told; nothing where none is to be."""
    if found is None:
        return Markup("")
    if found.state == "sent" and found.at is not None:
        before, _, after = say("monitor.alerts.sent", lang, at="{at}").partition("{at}")
        return Markup("{}{}{}").format(before, html.moment(found.at), after)
    if found.reason is None:
        return Markup("{}").format(say("monitor.alerts.sending", lang))
    reason = say_error(FtkitError.from_dict(found.reason), lang)
    key = "monitor.alerts.not_sent" if found.state == "failed" else "monitor.alerts.again"
    return Markup("{}").format(say(key, lang, reason=reason))


def _told(one: Alert, labels: Labels, lang: str) -> Markup:
    told = delivery(one.delivery, lang)
    note = html.moment(one.at) + (Markup(" · ") + told if told else Markup(""))
    return Markup("<p>{}</p><p><small>{}</small></p>").format(sentence(one, labels, lang), note)


def _drifted(values: Mapping[str, Any], version: str, lang: str) -> str:
    kinds = ", ".join(dict.fromkeys(_kind(kind, lang) for kind in values["kinds"]))
    told = say(
        "alerts.drift", lang, version=version, kinds=kinds, requests=html.number(values["requests"], lang)
    )
    words = [_word(word, values["cause"], lang) for word in values.get("words", ())[:_WORDS_SHOWN]]
    return f"{told} {say('alerts.drift.words', lang, words=', '.join(words))}" if words else told


def _lost(values: Mapping[str, Any], lang: str) -> str:
    """Texts that could not be masked, numbers that could not be stored, or both."""
    kinds = ((name, values.get(name, 0)) for name in ("texts", "numbers"))
    return " ".join(say(f"alerts.masking.{name}", lang, n=html.number(n, lang)) for name, n in kinds if n)


def _kind(kind: str, lang: str) -> str:
    return drift.name(kind, lang) if kind != "quality" else say("alerts.quality", lang)


def _word(word: str, cause: str, lang: str) -> str:
    if cause == "language":
        return drift.language(word, lang)
    return drift.personal(word, lang) if cause == "personal_data" else word


def _time(when: str | None) -> str:
    if when is None:
        return "–"
    return datetime.fromisoformat(when).astimezone().strftime("%Y-%m-%d %H:%M")
