"""The traffic of a period as figures and drawings: volume, time, tokens, errors, refusals, feedback.

Takes a ``Summary``, gives escaped ``Markup``. A figure that too few requests stand behind is said as counts, never as a share. It counts
nothing itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from ftkit.monitoring.traffic.summary import MOST_ROWS, Share, Summary
from ftkit.ui import html
from ftkit.ui.i18n import say
from ftkit.ui.monitoring.charts import Chart, Series, bars, lines
from ftkit.ui.monitoring.drift import personal

# What a request fails of, by the key of its error; all others are shown by their key.
_ERRORS: Mapping[str, str] = {
    "gateway.no_model": "no_model",
    "gateway.too_slow": "too_slow",
    "gateway.busy": "busy",
    "serving.engine_busy": "busy",
    "gateway.broke_off": "broke_off",
    "serving.broke_off": "broke_off",
    "gateway.failed": "failed",
    "gateway.broke": "failed",
    "serving.engine_failed": "failed",
    "jobs.resident_gone": "failed",
    "serving.engine_refused": "refused",
    "serving.no_prompt": "bad",
    "serving.upstream_down": "down",
    "serving.nothing_live": "nothing_live",
    "keys.too_many_requests": "limit",
    "keys.too_many_tokens": "limit",
}
_TENTHS_UP_TO = 10  # seconds; longer times are whole


def shown(found: Summary, lang: str) -> Markup:
    """Everything that can be counted of the period."""
    if not found.requests:
        return html.notice("info", say("monitor.none_in_period", lang))
    parts = [_figures(found, lang), _drawings(found, lang), _errors(found, lang)]
    if found.capped:
        parts.insert(0, html.notice("info", say("monitor.capped", lang, n=html.number(MOST_ROWS, lang))))
    return html.join(parts)


def losses(lost: Mapping[str, Any], lang: str) -> Markup:
    """What could not be kept; nothing where all was."""
    kinds = (("numbers", "monitor.lost"), ("texts", "monitor.unmasked"))
    notes = (
        html.notice("warn", say(key, lang, n=html.number(lost[kind], lang)))
        for kind, key in kinds
        if lost[kind]
    )
    return html.join(notes)


def seconds(value: float | None, lang: str) -> str:
    """A time of an answer: short ones matter to the tenth."""
    if value is None or value >= _TENTHS_UP_TO:
        return html.duration(value, lang)
    return say("views.seconds", lang, n=html.number(value, lang, 1 if value >= 1 else 2))


def error(key: str, lang: str) -> Markup:
    """What failed, in words, with the key by which logs and metrics name it; the key alone where it has no words here."""
    code = Markup("<code>{}</code>").format(key)
    words = _ERRORS.get(key)
    return Markup("{} {}").format(say(f"monitor.error.{words}", lang), code) if words else code


def share(found: Share, lang: str) -> str:
    """A share, or the counts where a share of so few would say little."""
    if found.share is None:
        return say("monitor.of", lang, n=html.number(found.count, lang), of=html.number(found.of, lang))
    return html.percent(found.share, lang, 1 if 0 < found.share < 0.1 else 0)  # noqa: PLR2004


def _figures(found: Summary, lang: str) -> Markup:
    cells = (
        (say(f"monitor.fact.{key}", lang), _cell(value, note)) for key, value, note in _facts(found, lang)
    )
    return Markup('<div class="ft-figures">{}</div>').format(html.facts(cells))


def _cell(value: str, note: str) -> Markup:
    return Markup("{}<small>{}</small>").format(value, note) if note else Markup("{}").format(value)


def _facts(found: Summary, lang: str) -> Iterator[tuple[str, str, str]]:
    """Key, value and what it means."""
    few = say("monitor.fact.enough", lang)
    yield "requests", html.number(found.requests, lang), _ended(found, lang)
    yield "failed", share(found.failed, lang), _interval(found.failed, lang)
    p95 = seconds(found.latency.p95, lang)
    tail = say("monitor.fact.p50.help", lang, p95=p95) if found.latency.p95 is not None else few
    yield "p50", seconds(found.latency.p50, lang), tail
    if found.first_token.of:
        first = say("monitor.fact.first.help", lang) if found.first_token.p50 is not None else few
        yield "first", seconds(found.first_token.p50, lang), first
    yield "tokens", html.number(found.prompt_tokens + found.answer_tokens, lang), _tokens(found, lang)
    yield "refused", share(found.refused, lang), say("monitor.fact.refused.help", lang)
    yield from _said(found, lang)
    if found.masked:
        held = ", ".join(
            f"{personal(kind, lang)} {html.number(n, lang)}" for kind, n in found.personal.items()
        )
        yield (
            "personal",
            html.number(sum(found.personal.values()), lang),
            held or say("monitor.fact.personal.none", lang),
        )
    if found.confidence is not None:
        yield "confidence", html.percent(found.confidence, lang), say("monitor.fact.confidence.help", lang)


def _said(found: Summary, lang: str) -> Iterator[tuple[str, str, str]]:
    if not (found.thumbs_down.of or found.corrections or found.ratings):
        yield "down", "–", say("monitor.fact.feedback.none", lang)
        return
    counts = {"up": found.up, "down": found.down, "corrected": found.corrections}
    told = say("monitor.fact.feedback.help", lang, **{key: html.number(n, lang) for key, n in counts.items()})
    yield "down", share(found.thumbs_down, lang), told
    if found.rating is not None:
        yield (
            "rating",
            html.number(found.rating, lang, 1),
            say("monitor.fact.rating.help", lang, n=found.ratings),
        )


def _ended(found: Summary, lang: str) -> str:
    """Answers that ended early, and why."""
    kinds = (("cut", found.cut), ("cancelled", found.cancelled))
    return ", ".join(say(f"monitor.fact.{key}", lang, n=html.number(n, lang)) for key, n in kinds if n)


def _tokens(found: Summary, lang: str) -> str:
    told = say(
        "monitor.fact.tokens.help",
        lang,
        prompt=html.number(found.prompt_tokens, lang),
        answer=html.number(found.answer_tokens, lang),
    )
    if not found.tokens_unknown:
        return told
    return f"{told}, {say('monitor.fact.tokens.unknown', lang, n=html.number(found.tokens_unknown, lang))}"


def _interval(found: Share, lang: str) -> str:
    if found.low is None or found.high is None:
        return say("monitor.fact.enough", lang)
    low, high = (html.percent(one, lang, 1) for one in (found.low, found.high))
    return say("monitor.fact.interval", lang, low=low, high=high)


def _drawings(found: Summary, lang: str) -> Markup:
    points, by_day = found.series, found.step == "day"
    moments = [one.at for one in points]

    def series(key: str, tone: str, values: list[float | None]) -> Series:
        return Series(say(f"monitor.chart.{key}", lang), tone, values)

    def chart(key: str, *lines_: Series) -> Chart:
        return Chart(say(f"monitor.chart.{key}", lang), moments, lines_, by_day)

    def whole(value: float) -> str:
        return html.number(value, lang)

    answered = series("answered", "accent", [one.requests - one.failed for one in points])
    drawn = [
        bars(chart("volume", answered, series("failed", "bad", [one.failed for one in points])), whole),
        bars(chart("tokens", series("both", "accent", [one.tokens for one in points])), whole),
    ]
    if any(one.p50 is not None for one in points):  # of so few requests an hour there may be none
        half = series("p50", "accent", [one.p50 for one in points])
        most = series("p95", "warn", [one.p95 for one in points])
        drawn.insert(1, lines(chart("latency", half, most), lambda value: html.number(value, lang)))
    if any(one.up or one.down for one in points):
        up = series("up", "accent", [one.up for one in points])
        drawn.append(bars(chart("feedback", up, series("down", "bad", [one.down for one in points])), whole))
    return Markup('<div class="ft-over-times">{}</div>').format(html.join(drawn))


def _errors(found: Summary, lang: str) -> Markup:
    if not found.errors:
        return Markup("")
    heads = [say("monitor.errors.error", lang), say("monitor.errors.count", lang)]
    rows = [
        (error(key, lang), html.number(n, lang))
        for key, n in sorted(found.errors.items(), key=lambda item: -item[1])
    ]
    title = say("monitor.errors.title", lang)
    return Markup('<h3 class="ft-title">{}</h3>{}').format(title, html.table(heads, rows, title))
