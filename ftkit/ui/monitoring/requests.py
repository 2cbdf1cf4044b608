"""The newest requests as a table: what was asked, what came back, what was said of it.

Takes rows of the traffic log, gives escaped ``Markup``. Texts in it are masked already.
"""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ftkit.monitoring.traffic.kept import TrafficRow
from ftkit.ui import html
from ftkit.ui.i18n import say
from ftkit.ui.monitoring.traffic import error, seconds

_TEXT_SHOWN = 400


def table(found: Sequence[TrafficRow], labels: Mapping[str, str], lang: str) -> Markup:
    """The rows as they come; one without texts says that they were not kept."""
    heads = [
        say(f"monitor.recent.{key}", lang) for key in ("at", "prompt", "answer", "said", "took", "version")
    ]
    rows = [
        (
            html.moment(one.at),
            text(prompt(one), lang),
            _answer(one, lang),
            _said(one, lang),
            seconds(one.seconds, lang),
            labels.get(one.version, one.version),
        )
        for one in found
    ]
    return html.table(heads, rows, say("monitor.recent.title", lang))


def prompt(one: TrafficRow) -> str | None:
    """The last thing that was said to the model; None where texts are not kept."""
    return str(one.messages[-1].get("content", "")) if one.messages else None


def text(said: str | None, lang: str) -> Markup:
    """A text, or that it was not kept."""
    if said is None:
        return Markup("<small>{}</small>").format(say("monitor.recent.no_text", lang))
    return html.answer(said if len(said) <= _TEXT_SHOWN else said[: _TEXT_SHOWN - 1] + "…", lang)


def _answer(one: TrafficRow, lang: str) -> Markup:
    if one.error:
        failed = html.pill("bad", say("monitor.recent.failed", lang))
        return Markup("{} <small>{}</small>").format(failed, error(one.error, lang))
    return text(one.answer, lang)


def _said(one: TrafficRow, lang: str) -> Markup:
    pills = []
    if one.thumb is not None:
        tone: html.Tone = "good" if one.thumb > 0 else "bad"
        pills.append(
            html.pill(tone, say("monitor.recent.up" if one.thumb > 0 else "monitor.recent.down", lang))
        )
    if one.rating is not None:
        pills.append(html.pill("plain", say("monitor.recent.rating", lang, n=one.rating)))
    if one.correction:
        pills.append(html.pill("warn", say("monitor.recent.corrected", lang)))
    comments = [said.comment for said in one.feedback if said.comment]
    told = html.join(Markup("<div>{}</div>").format(html.shorten(comment, 160)) for comment in comments[-1:])
    return html.join(pill + Markup(" ") for pill in pills) + told if pills or told else Markup("–")
