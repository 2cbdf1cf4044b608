"""Finished benchmarks of a run as HTML: base against tuned, task by task.

Takes reports, gives escaped ``Markup``, worded as in the report; nothing where there is none. It starts no benchmark.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ftkit.evaluation.benchmarks.lines import benchmark_lines
from ftkit.evaluation.report.words import words
from ftkit.ui import html

_TONES: Mapping[str, html.Tone] = {"better": "good", "worse": "bad"}


def benchmarks_card(reports: Sequence[Mapping[str, Any]], lang: str) -> Markup:
    """All that was asked of a run; a task that was asked twice stands there once."""
    told = words(lang)
    lines = benchmark_lines(reports, told)
    if not lines:
        return Markup()
    heads = [told.say(f"benchmarks.{key}") for key in ("task", "rows")]
    heads += [told.say(key) for key in ("base", "tuned", "metrics.difference", "metrics.interval")]
    body = [
        (
            Markup("<strong>{}</strong><br><small>{}</small>").format(line.task, line.metric),
            line.rows,
            line.base,
            Markup("<strong>{}</strong>").format(line.tuned),
            line.difference,
            Markup("{}<br>{}").format(line.interval, html.pill(_TONES.get(line.tone, "plain"), line.verdict)),
        )
        for line in lines
    ]
    return Markup('<section class="ft-card" id="benchmarks">{}{}{}</section>').format(
        html.heading(told.say("benchmarks")),
        html.paragraph(told.say("benchmarks.note")),
        html.table(heads, body, told.say("benchmarks")),
    )
