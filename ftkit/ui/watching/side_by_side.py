"""Runs side by side as HTML: their figures with the best one marked, and the settings in which they differ.

Takes run views, gives escaped ``Markup``. It reads nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ftkit.training.service import RunView
from ftkit.training.watching.comparing import FIGURES, OF_THE_DATA, best
from ftkit.ui import html, views
from ftkit.ui.i18n import say


def names(runs: Sequence[RunView]) -> list[str]:
    """One name per run that no other of them has."""
    count = Counter(view.run.name for view in runs)
    return [
        view.run.name if count[view.run.name] == 1 else f"{view.run.name} ({view.run.id})" for view in runs
    ]


def same_data(runs: Sequence[RunView]) -> bool:
    """Whether the losses of the runs mean the same."""
    return len({(v.run.split, v.run.model, v.run.spec.get("method", "sft")) for v in runs}) == 1


def figures_table(runs: Sequence[RunView], lang: str) -> Markup:
    """State and figures, one column per run."""
    rows: list[list[str]] = [[say("runs.list.state", lang), *(views.state_pill(v.state, lang) for v in runs)]]
    comparable = same_data(runs)
    for name in FIGURES:
        values = [view.metrics.get(name) for view in runs]
        if all(value is None for value in values):
            continue
        marked = best(name, values, comparable)
        label = Markup("{}<br><small>{}</small>").format(
            say(f"curves.figure.{name}", lang), say(f"curves.says.{name}", lang)
        )
        rows.append(
            [label, *(_figure(name, value, place in marked, lang) for place, value in enumerate(values))]
        )
    table = html.table(_headers(runs, lang), rows, say("curves.figures.title", lang))
    known = any(view.metrics.get(name) is not None for view in runs for name in OF_THE_DATA)
    note = html.notice("warn", say("curves.other_data", lang)) if known and not comparable else ""
    return note + table


def legend(runs: Sequence[RunView], colours: Mapping[str, str]) -> Markup:
    """Which colours are whose; ``colours`` has the full and the pale tone of each run, one run after another."""
    tones = iter(colours.values())
    items = (
        Markup('<li><i style="background:{}"></i><i style="background:{}"></i>{}</li>').format(
            full, pale, name
        )
        for name, full, pale in zip(names(runs), tones, tones, strict=False)
    )
    return Markup('<ul class="ft-legend">{}</ul>').format(html.join(items))


def settings_table(runs: Sequence[RunView], options: Mapping[str, Sequence[Any]], lang: str) -> Markup:
    """The settings in which the runs differ, under the names of the form."""
    rows = [
        [say("curves.split", lang), *(html.link_text(html.url("train", split=v.run.split), v.run.split) for v in runs)]
    ]  # fmt: skip
    rows.append([say("runs.list.recipe", lang), *(view.run.recipe for view in runs)])
    differing = [row for row in rows if len(set(row[1:])) > 1]
    differing += [
        [
            Markup("{}<br><small><code>{}</code></small>").format(say(f"spec.{name}.label", lang), name),
            *(_setting(value, lang) for value in values),
        ]
        for name, values in options.items()
    ]
    if not differing:
        return html.notice("info", say("curves.same_settings", lang))
    return html.table(_headers(runs, lang), differing, say("curves.settings.title", lang))


def _headers(runs: Sequence[RunView], lang: str) -> list[str]:
    links = (
        html.link_text(html.url("runs", run=view.run.id), name)
        for view, name in zip(runs, names(runs), strict=True)
    )
    return [Markup('<span class="ft-unseen">{}</span>').format(say("curves.what", lang)), *links]


def _figure(name: str, value: float | None, is_best: bool, lang: str) -> Markup:
    if name == "train_seconds":
        text = html.duration(value, lang)
    elif name == "peak_memory_mb":
        text = html.megabytes(value, lang)
    elif name == "eval_reward_accuracy":
        text = html.percent(value, lang)
    else:
        text = html.number(value, lang, 0 if name == "tokens_per_second" else None)
    mark = Markup(" {}").format(html.pill("good", "✓ " + say("curves.best", lang))) if is_best else ""
    return Markup("<strong>{}</strong>{}").format(text, mark) if is_best else Markup("{}").format(text)


def _setting(value: Any, lang: str) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return say("curves.yes" if value else "curves.no", lang)
    if isinstance(value, float):
        text = f"{value:g}"
        return text.replace(".", ",") if lang == "tr" else text
    return str(value)
