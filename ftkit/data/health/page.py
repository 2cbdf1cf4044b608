"""A health report as one self-contained HTML page for people who were not there.

Takes a report and its words, gives the page's text. Everything that came from a file is escaped. It reads no store and no
file but its own template.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from ftkit.data.health.report import Clusters, Example, Finding, HealthReport, Lengths
from ftkit.data.health.words import Words, words

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 720, 210, 46, 26, 14
_CLUSTERS = 20
_VALUES = 12
_TICKS = 4
_MEASURED = frozenset({"too_long", "no_room"})  # their note is the length


class Tile(NamedTuple):
    """A number that is seen first."""

    name: str
    value: str
    tone: str = ""


def render(
    report: HealthReport,
    name: str,
    made_at: datetime,
    language: str = "en",
    translate: Callable[[str], str] = str,
) -> str:
    """The page.

    Args:
        report: what was found.
        name: of the dataset.
        made_at: when, in UTC.
        language: ``en`` or ``tr``.
        translate: says a reason of the data room in that language.
    """
    told = words(language)
    return _template().render(
        w=told,
        say=told.text,
        report=report,
        name=name,
        made_at=made_at,
        tiles=tiles(report, told),
        histogram=histogram(report.lengths, told) if report.lengths else None,
        clusters=[
            (key, clusters_note(found, told), found.shown[:_CLUSTERS])
            for key, found in (("exact", report.exact), ("near", report.near))
        ],
        remark=lambda finding, example: remark(finding, example, told, translate),
        places=[
            (told.text(f"title.personal.{kind}"), column, told.number(count))
            for kind, columns in (report.personal or {}).items()
            for column, count in columns.items()
        ],
        shares=shares(report.languages, told),
        labels=[
            (label.field or told.text("labels.whole"), list(label.values.items())[:_VALUES], label.rows)
            for label in report.labels
        ],
    )


def tiles(report: HealthReport, told: Words) -> list[Tile]:
    """The numbers at the top."""
    personal = (
        None
        if report.personal is None
        else sum(sum(columns.values()) for columns in report.personal.values())
    )
    found = [
        Tile(told.text("rows"), told.number(report.rows)),
        Tile(told.text("usable"), told.number(report.usable), "" if report.usable == report.rows else "warn"),
        Tile(told.text("copies"), told.number(report.exact.copies), _tone(report.exact.copies)),
        Tile(told.text("near_copies"), told.number(report.near.copies), _tone(report.near.copies)),
        Tile(
            told.text("personal"),
            told.text("not_checked") if personal is None else told.number(personal),
            _tone(personal),
        ),
    ]
    if report.lengths is not None:
        limit = told.number(report.lengths.max_length)
        found.append(
            Tile(told.text("over", limit=limit), told.number(report.lengths.over), _tone(report.lengths.over))
        )
    return found


def remark(finding: Finding, example: Example, told: Words, translate: Callable[[str], str] = str) -> str:
    """What is to be said beside an example: the column, the row that it is like, or what is wrong."""
    if example.other is not None:
        row = told.number(example.other + 1)
        if example.other_part:
            key = "also_in" if finding.kind == "leak_exact" else "nearly_in"
            return told.text(key, part=told.text(f"part.{example.other_part}"), row=row)
        return told.text("like_row", row=row)
    if finding.kind in _MEASURED:
        return told.text("tokens", count=told.number(int(example.note)))
    return " · ".join(part for part in (example.place, translate(example.note)) if part)


def clusters_note(found: Clusters, told: Words) -> str:
    """How many clusters there are, in a sentence."""
    if not found.count:
        return told.text("clusters.none")
    return told.text("clusters.note", clusters=told.number(found.count), copies=told.number(found.copies))


def shares(languages: Mapping[str, int], told: Words) -> list[tuple[str, float, str]]:
    """Languages with their share from 0 to 1, and that as text."""
    total = sum(languages.values())
    named = [(code or told.text("languages.short"), count / total) for code, count in languages.items()]
    return [(name, share, told.percent(share)) for name, share in named[:_VALUES]]


def histogram(lengths: Lengths, told: Words) -> Markup:
    """Rows by length in tokens as an image in the page, with a line at the limit."""
    most = max((one.rows for one in lengths.bins), default=1)
    end = max(lengths.bins[-1].high if lengths.bins else 1, lengths.max_length * 1.02)
    across = (_WIDTH - _LEFT - 10) / end
    up = (_HEIGHT - _BOTTOM - _TOP) / max(1, most)
    base = _HEIGHT - _BOTTOM
    bars = [
        Markup(
            '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}–{}: {}</title></rect>'
        ).format(
            "over" if one.low >= lengths.max_length else "bar",
            _LEFT + one.low * across,
            base - one.rows * up,
            max(0.5, (one.high - one.low) * across - 1),
            one.rows * up,
            told.number(one.low),
            told.number(one.high - 1),
            told.number(one.rows),
        )
        for one in lengths.bins
    ]
    marks = [
        Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            _LEFT + end * at / _TICKS * across, _HEIGHT - 8, told.number(end * at / _TICKS)
        )
        for at in range(_TICKS)
    ]
    limit = _LEFT + lengths.max_length * across
    end_of_text = limit > _WIDTH * 0.7
    line = Markup(
        '<line class="limit" x1="{0:.1f}" x2="{0:.1f}" y1="2" y2="{1}"/>'
        '<text class="limit" x="{2:.1f}" y="12" text-anchor="{3}">{4} {5}</text>'
    ).format(
        limit,
        base,
        limit + (-5 if end_of_text else 5),
        "end" if end_of_text else "start",
        told.text("lengths.limit"),
        told.number(lengths.max_length),
    )
    frame = Markup(
        '<line class="axis" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/><text class="tick" x="{3}" y="{4}" text-anchor="end">{5}</text>'
    ).format(_LEFT, _WIDTH - 10, base, _LEFT - 6, _TOP + 6, told.number(most))
    return Markup(
        '<svg class="histogram" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}</svg>'
    ).format(
        _WIDTH,
        _HEIGHT,
        lengths_note(lengths, told),
        frame,
        Markup("").join(bars),
        line,
        Markup("").join(marks),
    )


def lengths_note(lengths: Lengths, told: Words) -> str:
    """How long the rows are, in a sentence."""
    return told.text(
        "lengths.note",
        model=lengths.model,
        limit=told.number(lengths.max_length),
        median=told.number(lengths.median),
        p95=told.number(lengths.p95),
        longest=told.number(lengths.longest),
    )


def _tone(count: int | None) -> str:
    return "warn" if count else ""


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["lengths_note"] = lengths_note
    return environment.get_template("page.html")
