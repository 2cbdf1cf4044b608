"""An evaluation as HTML: how far it is, what it measured, and the answers row by row.

Takes evaluation views and their rows, gives escaped ``Markup``; metrics are worded as in the report. It computes no metric.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ftkit.evaluation.report.metrics import MetricRow, metric_rows, other_rows
from ftkit.evaluation.report.page import examples, how_sure, label_tables
from ftkit.evaluation.report.words import looks_sentence, words
from ftkit.evaluation.service import EvaluationView
from ftkit.records import ENDED_STATES
from ftkit.ui import html, views
from ftkit.ui.evaluation import beyond
from ftkit.ui.i18n import say

_TONES: Mapping[str, html.Tone] = {"better": "good", "worse": "bad"}


def evaluation_card(view: EvaluationView, lang: str) -> Markup:
    """An evaluation: how far it is, why it failed, or what it measured."""
    title = Markup('<h2 class="ft-title">{} {}</h2>').format(
        say(f"evaluate.of.{view.evaluation.part}", lang), views.state_pill(view.job.state, lang)
    )
    parts = [title, views.error_notice(view.job.error, lang)]
    more: list[Markup] = []
    if view.report is not None:
        parts += [scores_table(view.report, lang), others(view, lang), labels(view.report, lang)]
        if "looks" in view.report:
            parts.insert(-1, html.paragraph(looks_sentence(view.report["looks"], words(lang))))
        parts.append(_report_links(view, lang))
        more = [beyond.forgotten(view.report, lang), beyond.names(view.report, lang)]
    elif view.job.state == "queued":
        parts.append(html.notice("info", say("evaluate.waiting", lang)))
    elif view.job.state in ENDED_STATES:
        parts.append(html.paragraph(say("evaluate.kept", lang)))
    else:
        parts.append(views.progress_bar(view.progress or views.progress_of({}), lang))
    return Markup('<div class="ft-card">{}</div>{}').format(html.join(parts), html.join(more))


def scores_table(measured: Mapping[str, Any], lang: str) -> Markup:
    """Base against tuned: each metric with its interval and what it means, in the report's own words."""
    told = words(lang)
    note = say(
        "evaluate.rows",
        lang,
        rows=html.number(measured["rows"], lang),
        left_out=html.number(measured["left_out"], lang),
    )
    names = (say("evaluate.table.base", lang), say("evaluate.table.tuned", lang))
    return html.join(
        (
            _metrics_table(metric_rows(measured, told), names, lang),
            _quiet(note),
            html.details(say("evaluate.how", lang), html.join(map(html.paragraph, how_sure(measured, told)))),
        )
    )


def others(view: EvaluationView, lang: str) -> Markup:
    """Each further run against the evaluated one; empty where there is none."""
    told = words(lang)
    found = [
        html.details(
            told.say("metrics.other", name=name),
            _metrics_table(rows, (told.say("metrics.this"), name), lang),
            open_=True,
        )
        for name, rows in other_rows(view.report or {}, told)
    ]
    return html.join(found)


def _metrics_table(rows: Sequence[MetricRow], names: tuple[str, str], lang: str) -> Markup:
    """The second of two models against the first."""
    metric, *rest = (
        say(f"evaluate.table.{key}", lang) for key in ("metric", "difference", "interval", "verdict")
    )
    body = [
        (
            Markup('<strong>{}</strong><br><small>{}</small><div class="ft-only-narrow">{}</div>').format(
                row.name, row.says, _verdict(row)
            ),
            _with_note(row.base, row.base_interval),
            _with_note(Markup("<strong>{}</strong>").format(row.tuned), row.tuned_interval),
            row.difference,
            Markup("{}<small>{}</small>").format(row.bar, row.interval),
            _verdict(row),
        )
        for row in rows
    ]
    table = html.table([metric, *names, *rest], body, say("evaluate.table.caption", lang))
    return Markup('<div class="ft-metrics">{}</div>').format(table)


def _verdict(row: MetricRow) -> Markup:
    return _with_note(html.pill(_TONES.get(row.tone, "plain"), row.verdict), row.sentence)


def labels(measured: Mapping[str, Any], lang: str) -> Markup:
    """Label by label: how often each was right, and what was answered instead; empty where nothing is a label."""
    found = []
    for table in label_tables(measured, words(lang)):
        counts = (
            [label, *map(str, line)] for label, line in zip(table.answered, table.confusion, strict=False)
        )
        confusion = html.table(["", *table.answered], counts, table.caption)
        inside = (
            html.table(table.heads, table.lines, table.name),
            _quiet(table.caption),
            confusion,
            _quiet(table.note),
        )
        found.append(html.details(say("evaluate.labels", lang, name=table.name), html.join(inside)))
    return html.join(found)


def _with_note(value: str, note: str) -> Markup:
    return Markup("{}<br><small>{}</small>").format(value, note) if note else Markup("{}").format(value)


def _quiet(text: str) -> Markup:
    return Markup('<p class="ft-quiet">{}</p>').format(text)


def samples_table(
    samples: Sequence[dict[str, Any]], measured: Mapping[str, Any], offset: int, lang: str
) -> Markup:
    """Answers of both models beside the reference, with what is right and wrong."""
    shown = examples(samples, dict(measured))
    heads = [say(f"evaluate.sample.{key}", lang) for key in ("row", "prompt", "reference", "base", "tuned")]
    cells = [
        (
            str(one.row),
            html.answer(one.prompt, lang),
            html.answer(one.reference, lang),
            html.answer(one.base, lang) + _marks([(score.name, score.base) for score in one.scores], lang),
            html.answer(one.tuned, lang) + _marks([(score.name, score.tuned) for score in one.scores], lang),
        )
        for one in shown
    ]
    # On a narrow screen the cells of a row stand below each other, each with its name.
    name = Markup('<small class="ft-only-narrow">{} </small>{}')
    body = [[name.format(head, cell) for head, cell in zip(heads, row, strict=True)] for row in cells]
    title = html.heading(
        say("evaluate.samples", lang),
        say(
            "evaluate.samples.place", lang, first=offset + 1, last=offset + len(shown), rows=measured["rows"]
        ),
    )
    return title + html.table(heads, body, say("evaluate.samples", lang))


def _marks(scores: Iterable[tuple[str, bool]], lang: str) -> Markup:
    pills = []
    for name, right in scores:
        word = say(f"evaluate.{'right' if right else 'wrong'}", lang)
        pills.append(html.pill("good" if right else "bad", f"{'✓' if right else '✕'} {name or word}"))
        if name:  # the sign is not read out
            pills.append(Markup('<span class="ft-unseen">{}</span>').format(word))
    return Markup('<p class="ft-marks">{}</p>').format(html.join(pills))


def _report_links(view: EvaluationView, lang: str) -> Markup:
    run = view.evaluation.run
    report = Markup('<a class="ft-button ft-primary" href="/report/{0}" target="_blank">{1}</a>').format(
        run, say("evaluate.report", lang)
    )
    errors = html.link(html.url("mistakes", evaluation=view.evaluation.id), say("evaluate.errors", lang))
    return html.actions(
        report,
        errors,
        html.link(f"/card/{run}", say("evaluate.card", lang)),
        html.link(html.url("compare", run=run), say("evaluate.compare", lang)),
        html.link(html.url("ratings", run=run, part=view.evaluation.part), say("evaluate.ratings", lang)),
    )
