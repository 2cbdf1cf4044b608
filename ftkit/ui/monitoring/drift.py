"""What a drift check found, in sentences: what changed, by how much, in which words, and what to do about it.

Takes the report of a check and the texts of requests that show it, gives escaped ``Markup``. It tests nothing: what counts as drift the
report says.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ftkit.ui import html
from ftkit.ui.i18n import catalogue, say

Report = Mapping[str, Any]
Finding = Mapping[str, Any]
EXAMPLES = 3
_ALIKE = (0.87, 1.15)  # lengths between these shares of the usual one are about the same
_PLACES = 3
_FEWEST = 30  # of a check that had no request at all, so that nothing was counted
_SHARES = frozenset({"language", "personal_data", "topic", "vocabulary", "wording", "quality"})
_LISTED_WORDS = frozenset({"topic", "vocabulary", "wording"})


def examples_of(report: Report) -> list[str]:
    """Ids of the requests that ``shown`` would like the texts of."""
    return [id_ for one in report["findings"] if one["drifted"] for id_ in one["examples"][:EXAMPLES]]


def shown(report: Report, texts: Mapping[str, str], lang: str) -> Markup:
    """The outcome, a section for each thing that drifted, the others folded, and how sure all of it is.

    Args:
        report: of a check that has ended.
        texts: id of a request → what was asked; those that are gone are left out.
        lang: ``en`` or ``tr``.
    """
    if report["outcome"] == "too_few":
        return html.notice("info", _too_few(report, lang))
    drifted = [one for one in report["findings"] if one["drifted"]]
    parts = [html.notice("warn" if drifted else "good", outcome(report, lang))]
    if drifted:
        sections = html.join(_section(one, texts, lang) for one in drifted)
        parts.append(Markup('<div class="ft-drifts">{}</div>').format(sections))
    steady = [one for one in report["findings"] if not one["drifted"]]
    if steady:
        parts.append(html.details(say("monitor.drift.steady_ones", lang), _table(steady, lang)))
    return html.join([*parts, _how_sure(report, lang)])


def outcome(report: Report, lang: str) -> str:
    """One sentence."""
    if report["outcome"] == "too_few":
        return _too_few(report, lang)
    count = sum(one["drifted"] for one in report["findings"])
    key = {0: "steady", 1: "drift_one"}.get(count, "drift")
    return say(
        f"monitor.drift.outcome.{key}",
        lang,
        requests=html.number(report["requests"], lang),
        rows=html.number(report["reference_rows"], lang),
        n=count,
    )


def name(kind: str, lang: str) -> str:
    """What a comparison is called; ``quality`` with its figure behind a point."""
    return say(f"drift.name.{kind}", lang)


def sentence(one: Finding, lang: str) -> str:
    """What a finding says."""
    kind, value, reference = one["kind"], _value(one, "value", lang), _value(one, "reference", lang)
    if kind == "length":
        return _length(one["values"], lang)
    if kind == "language":
        languages = ", ".join(language(code, lang) for code in one["words"])
        if not languages:
            return say("drift.language.mix", lang)
        return say("drift.language.more", lang, languages=languages, value=value, reference=reference)
    key = f"drift.quality.{one['statistic']}" if kind == "quality" else f"drift.{kind}"
    told = say(key, lang, value=value, reference=reference)
    if kind == "personal_data" and one["words"]:
        kinds = ", ".join(personal(word, lang) for word in one["words"])
        told += " " + say("drift.personal_data.kinds", lang, kinds=kinds)
    return told


def language(code: str, lang: str) -> str:
    """What a language is called; its code where it has no name here."""
    return catalogue(lang).get(f"mistakes.language.{code}", code)


def personal(kind: str, lang: str) -> str:
    """What a kind of personal data is called."""
    return catalogue(lang).get(f"drift.personal.{kind}", kind)


def key_of(one: Finding) -> str:
    """What a finding is of: its kind, and of ``quality`` the figure behind a point."""
    return f"quality.{one['statistic']}" if one["kind"] == "quality" else str(one["kind"])


def _section(one: Finding, texts: Mapping[str, str], lang: str) -> Markup:
    told = [texts[id_] for id_ in one["examples"][:EXAMPLES] if texts.get(id_)]
    items = html.join(Markup("<li>{}</li>").format(html.shorten(text, 240)) for text in told)
    listed = Markup('<ul class="ft-examples">{}</ul>').format(items) if told else Markup("")
    shows = html.details(say("drift.examples", lang), listed) if told else Markup("")
    words = one["words"] if one["kind"] in _LISTED_WORDS else ()
    return Markup(
        '<section class="ft-finding"><h3>{} <small>{}</small></h3><p>{}</p>{}<p class="ft-quiet">{}</p>{}</section>'
    ).format(
        name(key_of(one), lang),
        _by_chance(one, lang),
        sentence(one, lang),
        _words(words),
        _todo(one, lang),
        shows,
    )


def _words(words: Sequence[str]) -> Markup:
    if not words:
        return Markup("")
    return Markup('<div class="ft-words">{}</div>').format(
        html.join(Markup("<code>{}</code>").format(word) for word in words)
    )


def _todo(one: Finding, lang: str) -> Markup:
    if follows := one.get("follows"):
        return Markup("{}").format(say("drift.follows", lang, kind=name(follows, lang)))
    return Markup("{}").format(say(f"drift.todo.{one['kind']}", lang))


def _by_chance(one: Finding, lang: str) -> str:
    """How often chance alone would do it; a p value of a permutation test is never 0."""
    p = max(one["p"], 0.001)
    key = "drift.p.never" if one["p"] <= 0.001 else "drift.p"  # noqa: PLR2004 - finer than anybody needs
    return say(key, lang, p=html.percent(p, lang, 1))


def _length(values: Mapping[str, Any], lang: str) -> str:
    ratio = values["ratio"]
    alike = ratio is not None and _ALIKE[0] <= ratio <= _ALIKE[1]
    longer = values["median"] > values["reference_median"]
    return say(
        f"drift.length.{'spread' if alike else 'longer' if longer else 'shorter'}",
        lang,
        value=html.number(round(values["median"]), lang),
        reference=html.number(round(values["reference_median"]), lang),
    )


def _value(one: Finding, side: str, lang: str) -> str:
    """A figure of one side in its unit."""
    if one["kind"] == "length":
        median = one["values"]["median" if side == "value" else "reference_median"]
        return say("drift.value.characters", lang, n=html.number(round(median), lang))
    value = float(one[side])
    if one["kind"] in _SHARES:
        return html.percent(value, lang, 0 if value >= 0.1 or value == 0 else 1)  # noqa: PLR2004
    return html.number(max(value, 0.0), lang, _PLACES)  # a distance below 0 is one of 0


def _table(findings: Sequence[Finding], lang: str) -> Markup:
    heads = [say(f"drift.head.{key}", lang) for key in ("what", "value", "reference", "p")]
    rows = [
        (
            name(key_of(one), lang),
            _value(one, "value", lang),
            _value(one, "reference", lang),
            html.number(one["p"], lang, _PLACES),
        )
        for one in findings
    ]
    return html.table(heads, rows, say("monitor.drift.steady_ones", lang))


def _too_few(report: Report, lang: str) -> str:
    key = (
        "monitor.drift.outcome.few_rows"
        if report["reason"] == "reference"
        else "monitor.drift.outcome.too_few"
    )
    return say(
        key,
        lang,
        requests=html.number(report.get("different_requests", report["requests"]), lang),
        rows=html.number(report.get("different_reference_rows", 0), lang),
        needed=html.number(report.get("fewest", _FEWEST), lang),
    )


def _how_sure(report: Report, lang: str) -> Markup:
    lines = [
        say(
            "monitor.drift.alpha",
            lang,
            share=html.percent(report["alpha"], lang, 0 if report["alpha"] >= 0.01 else 1),
        )
    ]  # noqa: PLR2004
    if report["different_requests"] < report["requests"]:
        different, every = (html.number(report[key], lang) for key in ("different_requests", "requests"))
        lines.append(say("drift.distinct", lang, different=different, all=every))
    if report["not_tested"]:
        what = ", ".join(
            say(f"drift.not_tested.{reason}", lang, kind=name(kind, lang))
            for kind, reason in report["not_tested"].items()
        )
        lines.append(say("drift.not_tested", lang, what=what))
    return Markup('<p class="ft-quiet">{}</p>').format(" ".join(lines))
