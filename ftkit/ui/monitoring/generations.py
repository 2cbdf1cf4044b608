"""All models that were served, beside each other: how they measured, what people said, how often their requests drifted.

Takes generations of the loop, gives escaped ``Markup``. Measurements of different rows are shown, and said to be not comparable.
"""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.loop.generations import Generation, Measured
from ftkit.loop.reevaluating import Reevaluation
from ftkit.ui import html
from ftkit.ui.i18n import catalogue, say, say_error
from ftkit.ui.monitoring.traffic import share

# The first of these that were measured are shown; the evaluation has them all.
_TOLD = ("token_f1", "rougeL", "exact_match", "chrf", "accuracy", "perplexity")
_SHOWN = 3
_TONES: Mapping[str, html.Tone] = {"live": "good", "canary": "warn"}
_COLUMNS = ("run", "live", "measured", "feedback", "drift")


def table(found: Sequence[Generation], lang: str) -> Markup:
    """One row a generation, the newest first."""
    if not found:
        return html.notice("info", say("monitor.generations.none", lang))
    heads = [say(f"monitor.generations.{key}", lang) for key in _COLUMNS]
    rows = [
        (_name(one, lang), _served(one, lang), _measured(one, lang), _said(one, lang), _drift(one, lang))
        for one in found
    ]
    told = html.table(heads, rows, say("monitor.generations.title", lang))
    return told + _comparable([one.measured for one in found if one.measured], lang)


def again(found: Reevaluation, lang: str) -> Markup:
    """When the live model is measured again, or why it could not be; nothing where that is off."""
    if not found.every_days:
        return Markup("")
    if found.refused is not None:
        reason = say_error(FtkitError.from_dict(found.refused), lang)
        return html.notice("warn", say("monitor.reevaluation.refused", lang, reason=reason))
    if found.due_at is None:
        return Markup('<p class="ft-quiet">{}</p>').format(say("monitor.reevaluation.nothing", lang))
    before, _, after = say("monitor.reevaluation.due", lang, at="{at}").partition("{at}")
    return Markup('<p class="ft-quiet">{}{}{}</p>').format(before, html.moment(found.due_at), after)


def _name(one: Generation, lang: str) -> Markup:
    label = (
        html.link_text(html.url("runs", run=one.run), one.label)
        if one.run
        else Markup("{}").format(one.label)
    )
    return Markup("{} {}").format(
        label, html.pill(_TONES.get(one.state, "plain"), say(f"serve.state.{one.state}", lang))
    )


def _served(one: Generation, lang: str) -> Markup:
    end = html.moment(one.until) if one.until else Markup("{}").format(say("monitor.generations.now", lang))
    key = "request" if one.requests == 1 else "requests"
    requests = say(f"monitor.generations.{key}", lang, n=html.number(one.requests, lang))
    return Markup("{} – {}<br><small>{}</small>").format(html.moment(one.since), end, requests)


def _measured(one: Generation, lang: str) -> Markup:
    if one.measured is None:
        missing = Markup("<small>{}</small>").format(say("monitor.generations.not_measured", lang))
        if one.run is None:
            return missing
        link = html.link_text(html.url("evaluate", run=one.run), say("monitor.generations.evaluate", lang))
        return Markup("{}<br>{}").format(missing, link)
    metrics = [key for key in _TOLD if key in one.measured.metrics][:_SHOWN]
    lines = html.join(
        Markup("<div>{} {}</div>").format(_metric(key, lang), html.number(one.measured.metrics[key], lang, 3))
        for key in metrics
    )
    rows = say("monitor.generations.rows", lang, n=html.number(one.measured.rows, lang))
    return lines + Markup("<small>{}</small>").format(rows)


def _metric(key: str, lang: str) -> str:
    return catalogue(lang).get(f"evaluate.metric.{key}", key)


def _said(one: Generation, lang: str) -> Markup:
    if not (one.thumbs_down.of or one.corrections or one.rating is not None):
        return Markup("–")
    lines = []
    if one.thumbs_down.of:
        lines.append(say("monitor.generations.down", lang, share=share(one.thumbs_down, lang)))
    if one.rating is not None:
        lines.append(say("monitor.recent.rating", lang, n=html.number(one.rating, lang, 1)))
    if one.corrections:
        lines.append(say("monitor.generations.corrected", lang, n=html.number(one.corrections, lang)))
    return html.join(Markup("<div>{}</div>").format(line) for line in lines)


def _drift(one: Generation, lang: str) -> str:
    return (
        say("monitor.of", lang, n=html.number(one.alarms, lang), of=html.number(one.checks, lang))
        if one.checks
        else "–"
    )


def _comparable(found: Sequence[Measured], lang: str) -> Markup:
    """Whether the figures may be held against each other."""
    if len(found) < 2:  # noqa: PLR2004 - nothing to compare
        return Markup("")
    same = len({one.rows_hash for one in found}) == 1
    if same:
        return Markup('<p class="ft-quiet">{}</p>').format(say("monitor.generations.same_rows", lang))
    return html.notice("warn", say("monitor.generations.other_rows", lang))
