"""A judgement as HTML: how far it is, whom the judge prefers, what failed, and some verdicts with their reasons.

Takes judgement views and their rows, gives escaped ``Markup``. It counts nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ftkit.evaluation.judge.address import host_of, stays_here
from ftkit.evaluation.judge.service import JudgementView
from ftkit.evaluation.judge.words import failure_text, judge_words, judged_facts, verdict_sentence
from ftkit.evaluation.report.words import words
from ftkit.records import ENDED_STATES
from ftkit.ui import html, views
from ftkit.ui.i18n import say

_PARTS = ("tuned", "base", "tie", "inconsistent", "none")
_TONES: Mapping[str, html.Tone] = {"tuned": "good", "base": "bad"}
_VERDICT_TONES: Mapping[str, html.Tone] = {"better": "good", "worse": "bad"}
_EXAMPLES = 8


def judgement_card(view: JudgementView, rows: Sequence[Mapping[str, Any]], lang: str) -> Markup:
    """A judgement: its state, its result so far, and examples."""
    title = Markup('<h3 class="ft-title">{} {}</h3>').format(
        view.judgement.judge, views.state_pill(view.job.state, lang)
    )
    parts = [title, views.error_notice(view.job.error, lang)]
    if view.job.state == "queued":
        parts.append(html.notice("info", say("evaluate.waiting", lang)))
    elif view.job.state not in ENDED_STATES:
        parts.append(views.progress_bar(views.progress_of(view.state), lang))
    if view.report["judged"]:
        tone = _VERDICT_TONES.get(view.report["verdict"], "info")
        parts += [html.notice(tone, verdict_sentence(view.report, lang)), shares(view.report, lang)]
    if view.missing and view.job.state in ENDED_STATES:
        missing = say("judge.missing", lang, n=html.number(view.missing, lang))
        parts.append(html.notice("warn", missing))
    parts += [_facts(view.report, lang), examples(rows, lang)]
    return html.join(parts)


def shares(report: Mapping[str, Any], lang: str) -> Markup:
    """All rows as one bar: who won how many, and how many have no verdict."""
    counts = {**report["outcomes"], "none": report["rows"] - report["judged"]}
    shown = [(name, counts[name]) for name in _PARTS if counts[name]]
    pieces = html.join(
        Markup('<i class="ft-{}" style="flex-grow:{}"></i>').format(name, count) for name, count in shown
    )
    keys = html.join(
        Markup('<li><i class="ft-{}"></i>{} <b>{}</b></li>').format(
            name, say(f"judge.outcome.{name}", lang), html.number(count, lang)
        )
        for name, count in shown
    )
    return Markup(
        '<div class="ft-shares" aria-hidden="true">{}</div><ul class="ft-legend ft-outcomes">{}</ul>'
    ).format(pieces, keys)


def examples(rows: Sequence[Mapping[str, Any]], lang: str) -> Markup:
    """A few rows of each outcome, with what the judge said in both orders."""
    chosen = _varied(rows)
    if not chosen:
        return Markup("")
    heads = [
        say(f"judge.example.{key}", lang)
        for key in ("row", "preferred", "reason", "question", "base", "tuned")
    ]
    body = [
        (
            html.number(row["row"] + 1, lang),
            html.pill(
                _TONES.get(row["outcome"] or "", "plain"),
                say(f"judge.outcome.{row['outcome'] or 'none'}", lang),
            ),
            html.join(_said(line, lang) for line in row["lines"]),
            html.answer(row["prompt"], lang),
            html.answer(row["base_answer"], lang),
            html.answer(row["tuned_answer"], lang),
        )
        for row in chosen
    ]
    title = say("judge.examples", lang)
    return html.details(title, html.table(heads, body, title))


def others(found: Sequence[JudgementView], shown: str, run: str, lang: str) -> Markup:
    """Earlier judgements of the same evaluation, each a link."""
    left = [view for view in found if view.judgement.id != shown]
    if not left:
        return Markup("")
    heads = [say(f"judge.other.{key}", lang) for key in ("judge", "state", "judged", "made")]
    body = [
        (
            html.link_text(
                html.url("evaluate", run=run, evaluation=one.judgement.evaluation, judgement=one.judgement.id)
                + "#judge",
                one.judgement.judge,
            ),
            views.state_pill(one.job.state, lang),
            f"{html.number(one.report['judged'], lang)} / {html.number(one.report['rows'], lang)}",
            html.moment(one.judgement.created_at),
        )
        for one in left
    ]
    title = say("judge.others", lang)
    return html.details(title, html.table(heads, body, title))


def sent_note(endpoint: str | None, rows: int, lang: str) -> Markup:
    """What goes where when the judge is asked; ``endpoint`` is None for a model on this machine."""
    calls = html.number(2 * rows, lang)
    if endpoint is None:
        return html.notice("info", say("judge.sent.local", lang, calls=calls))
    if endpoint and stays_here(endpoint):
        return html.notice("info", say("judge.sent.here", lang, calls=calls))
    where = host_of(endpoint) or say("judge.sent.address", lang)
    return html.notice(
        "warn", say("judge.sent.away", lang, host=where, calls=calls, rows=html.number(rows, lang))
    )


def _facts(report: Mapping[str, Any], lang: str) -> Markup:
    told = words(lang)
    names = {name: told.sentences.get(f"metric.{name}", name) for name in report["agreement"]["metrics"]}
    return Markup('<div class="ft-judged">{}</div>').format(html.facts(judged_facts(report, lang, names)))


def _varied(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows that something was said of, as many kinds of outcome among them as there are."""
    asked = [row for row in rows if any(line["order"] != "same" for line in row["lines"])]
    kinds: dict[Any, list[Mapping[str, Any]]] = {}
    for row in asked:
        kinds.setdefault(row["outcome"], []).append(row)
    rounds = max(map(len, kinds.values()), default=0)
    mixed = [of_kind[place] for place in range(rounds) for of_kind in kinds.values() if place < len(of_kind)]
    return sorted(mixed[:_EXAMPLES], key=lambda row: int(row["row"]))


def _said(line: Mapping[str, Any], lang: str) -> Markup:
    """One order: which place the judge chose and why, or what failed."""
    order = say(f"judge.order.{line['order']}", lang)
    if "failure" in line:
        failed = failure_text(line["failure"], judge_words(lang))
        said = Markup("<em>{}</em> {}").format(failed, html.shorten(line["detail"], 300))
    else:
        said = Markup("<strong>{}</strong> {}").format(
            say("judge.tie", lang) if line["choice"] == "tie" else line["choice"],
            html.shorten(line["reason"], 400),
        )
    return Markup('<p class="ft-said"><small>{}</small> {}</p>').format(order, said)
