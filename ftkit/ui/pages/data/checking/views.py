"""A check as HTML: how far it is, and its report: findings by severity, lengths, languages, labels, copies.

Takes views of checks and the language, gives escaped ``Markup``; findings are worded as in the report's own page. It reads
nothing and decides nothing.
"""

from collections.abc import Iterable

from markupsafe import Markup

from ftkit.data.health import page
from ftkit.data.health.report import Clusters, Finding, HealthReport
from ftkit.data.health.service import HealthView
from ftkit.data.health.words import words
from ftkit.records import ENDED_STATES
from ftkit.ui import html, views
from ftkit.ui.i18n import say, say_phrase

_CLUSTERS = 20
_ROWS = 12
_LABELS = 12


def check_card(view: HealthView, lang: str) -> Markup:
    """A check: how far it is, why it failed, or what it found."""
    if view.report is not None:
        return report(view, view.report, lang)
    parts = [html.heading(say("check.running", lang)), views.error_notice(view.job.error, lang)]
    if view.job.state == "queued":
        parts.append(html.notice("info", say("check.waiting", lang)))
    elif view.job.state not in ENDED_STATES:
        parts.append(views.progress_bar(view.progress or views.progress_of({"phase": "starting"}), lang))
    else:
        parts.append(html.notice("warn", say("check.ended", lang)))
    return _card(parts)


def report(view: HealthView, found: HealthReport, lang: str) -> Markup:
    """The whole report, a card for each part."""
    return html.join(
        part
        for part in (
            _summary(view, found, lang),
            _findings(view, found, lang),
            _lengths(found, lang),
            _languages(found, lang),
            _labels(found, lang),
            _copies(found, lang),
        )
        if part
    )


def _summary(view: HealthView, found: HealthReport, lang: str) -> Markup:
    told = words(lang)
    facts = html.facts((tile.name, _toned(tile)) for tile in page.tiles(found, told))
    made = say("check.made", lang, seconds=html.duration(found.seconds, lang))
    steps = list(dict.fromkeys(one.step for one in found.findings if one.step and one.severity != "info"))
    clean = html.url("clean", dataset=view.dataset.id, steps=",".join(steps))
    links = html.actions(html.link(clean, say("check.clean_all", lang), primary=True)) if steps else ""
    return _card([html.heading(say("check.result", lang), made), facts, links])


def _toned(tile: page.Tile) -> str:
    return Markup('<span class="ft-toned">{}</span>').format(tile.value) if tile.tone else tile.value


def _findings(view: HealthView, found: HealthReport, lang: str) -> Markup:
    told = words(lang)
    title = html.heading(told.text("findings"))
    if not found.findings:
        return _card([title, html.notice("good", told.text("no_findings"))])
    return _card([title, *(_finding(view, one, lang) for one in found.findings)])


def _finding(view: HealthView, one: Finding, lang: str) -> Markup:
    told = words(lang)
    count = told.rows(one.count)
    if one.times > one.count:
        count += " · " + told.text("count.times", count=told.number(one.times))
    examples = html.join(
        Markup("<li>{}<small>{}</small></li>").format(
            example.text,
            " · ".join(
                part
                for part in (
                    told.text("row", row=told.number(example.row + 1)),
                    page.remark(one, example, told, lambda text: say_phrase(text, lang)),
                )
                if part
            ),
        )
        for example in one.examples
    )
    clean = html.url("clean", dataset=view.dataset.id, steps=one.step)
    return Markup(
        '<article class="ft-finding"><h3>{}<span>{}</span> <small>{}</small></h3><p>{}</p>{}{}</article>'
    ).format(
        html.pill(one.severity, told.text(f"severity.{one.severity}")),
        told.text(f"title.{one.kind}"),
        count,
        told.why(one.kind),
        Markup('<ul class="ft-examples">{}</ul>').format(examples) if one.examples else "",
        html.actions(html.link(clean, say("check.clean", lang))) if one.step else "",
    )


def _lengths(found: HealthReport, lang: str) -> Markup:
    told = words(lang)
    title = html.heading(told.text("lengths"))
    if found.lengths is None:
        return _card([title, html.notice("info", told.text("lengths.none"))])
    note = html.paragraph(page.lengths_note(found.lengths, told))
    return _card(
        [
            title,
            note,
            Markup('<div class="ft-scroll" tabindex="0">{}</div>').format(
                page.histogram(found.lengths, told)
            ),
        ]
    )


def _languages(found: HealthReport, lang: str) -> Markup:
    if not found.languages:
        return Markup("")
    told = words(lang)
    note = html.paragraph(told.text("languages.note", count=told.number(found.languages_of)))
    return _card([html.heading(told.text("languages")), note, _shares(page.shares(found.languages, told))])


def _labels(found: HealthReport, lang: str) -> Markup:
    if not found.labels:
        return Markup("")
    told = words(lang)
    parts: list[str] = [html.heading(told.text("labels"))]
    for label in found.labels:
        values = list(label.values.items())[:_LABELS]
        parts.append(Markup("<h3>{}</h3>").format(label.field or told.text("labels.whole")))
        parts.append(_shares([(name, count / label.rows, told.number(count)) for name, count in values]))
    return _card(parts)


def _copies(found: HealthReport, lang: str) -> Markup:
    told = words(lang)
    parts: list[str] = [html.heading(told.text("clusters"))]
    for key, clusters in (("exact", found.exact), ("near", found.near)):
        parts.append(
            Markup("<h3>{}</h3><p>{}</p>").format(
                told.text(f"clusters.{key}"), page.clusters_note(clusters, told)
            )
        )
        if clusters.shown:
            parts.append(html.details(say("check.show", lang), _cluster_list(clusters, lang)))
    return _card(parts)


def _cluster_list(clusters: Clusters, lang: str) -> Markup:
    told = words(lang)
    items = []
    for one in clusters.shown[:_CLUSTERS]:
        rows = ", ".join(told.number(row + 1) for row in one.rows[:_ROWS]) + (
            " …" if one.size > _ROWS else ""
        )
        count = told.rows(one.size)
        items.append(Markup("<li>{}<small>{}: {}</small></li>").format(one.text, count, rows))
    return Markup('<ul class="ft-examples">{}</ul>').format(html.join(items))


def _shares(rows: Iterable[tuple[str, float, str]]) -> Markup:
    return html.join(
        Markup(
            '<div class="ft-share"><span>{}</span><i><b style="width:{:.1f}%"></b></i><span>{}</span></div>'
        ).format(name, 100 * share, text)
        for name, share, text in rows
    )


def _card(parts: Iterable[str]) -> Markup:
    return Markup('<div class="ft-card">{}</div>').format(html.join(parts))
