"""Measurements, warnings and sample answers of a run as HTML.

Takes curves, signs and samples, gives escaped ``Markup``. It reads nothing and decides nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ftkit.training.watching.samples import Answered, Sample, Samples
from ftkit.training.watching.signs import Sign
from ftkit.ui import html
from ftkit.ui.i18n import say, say_error

_NUMBER_ROWS = 60
_LATEST = ("loss", "eval_loss", "tokens", "tokens_per_second", "memory_mb")
_COLUMNS = ("loss", "eval_loss", "learning_rate", "grad_norm", "tokens", "tokens_per_second", "memory_mb")
_REWARDS = ("reward_accuracy", "eval_reward_accuracy", "reward_margin", "eval_reward_margin")
_WHOLE = frozenset({"tokens", "tokens_per_second", "memory_mb"})
# Fewer points say nothing yet, neither good nor bad.
_TELLING = 15


def latest_figures(curves: Sequence[Mapping[str, Any]], lang: str) -> Markup:
    """The newest value of what matters while a run goes on."""
    newest: dict[str, float] = {}
    for one in curves:
        newest |= {key: one[key] for key in (*_COLUMNS, *_REWARDS) if key in one}
    shown = (
        (say(f"runs.plot.{key}", lang), _measurement(key, newest[key], lang))
        for key in (*_LATEST, "eval_reward_accuracy")
        if key in newest
    )
    return Markup('<div class="ft-figures">{}</div>').format(html.facts(shown)) if newest else Markup("")


def numbers_table(curves: Sequence[Mapping[str, Any]], lang: str) -> Markup:
    """The newest measurements as numbers: what the plots show, for those who cannot see them."""
    newest = list(curves)[-_NUMBER_ROWS:][::-1]
    columns = [*_COLUMNS, *(key for key in _REWARDS if any(key in one for one in newest))]
    headers = [say("runs.numbers.step", lang), *(say(f"runs.plot.{key}", lang) for key in columns)]
    rows = [(str(one["step"]), *(_measurement(key, one.get(key), lang) for key in columns)) for one in newest]
    return html.table(headers, rows, say("runs.numbers.caption", lang))


def signs(found: Sequence[Sign], curves: Sequence[Mapping[str, Any]], lang: str) -> Markup:
    """Warnings that the curves show, or that there are none once they are long enough to tell."""
    if found:
        return html.join(html.notice("warn", say_error(sign, lang)) for sign in found)
    points = sum("loss" in one for one in curves)
    return html.notice("good", say("runs.no_signs", lang)) if points >= _TELLING else Markup("")


def samples(found: Samples, lang: str) -> Markup:
    """For each prompt the answers by step, the newest first; or why there are none."""
    if found.nothing:
        tone: html.Tone = "warn" if found.nothing == "left_out" else "info"
        return html.notice(tone, say(f"runs.samples.none.{found.nothing}", lang))
    return html.join(_sample(one, lang) for one in found.prompts)


def _sample(sample: Sample, lang: str) -> Markup:
    note = say("runs.samples.beginning", lang) if sample.beginning else ""
    row = say("runs.samples.row", lang, row=html.number(sample.row, lang))
    title = Markup("<h3>{} <small>{}</small></h3>").format(row, note)
    reference = "avoid" if sample.bad else "rest" if sample.beginning else "reference"
    asked = [
        (say("runs.samples.prompt", lang), html.answer(sample.prompt, lang)),
        (say(f"runs.samples.{reference}", lang), html.answer(sample.reference, lang)),
    ]
    newest, *earlier = sample.answers
    first = [earlier.pop()] if earlier and earlier[-1].step == 0 else []
    parts = [title, _texts([*asked, *(_said(one, lang) for one in (newest, *first))], lang)]
    if earlier:
        folded = _texts([_said(one, lang) for one in earlier], lang)
        parts.append(html.details(say("runs.samples.earlier", lang, n=len(earlier)), folded))
    return Markup('<div class="ft-sample">{}</div>').format(html.join(parts))


def _said(one: Answered, lang: str) -> tuple[str, Markup]:
    step = html.number(one.step, lang)
    when = say("runs.samples.after", lang, step=step) if one.step else say("runs.samples.before", lang)
    cut = Markup("<small>{}</small>").format(say("runs.samples.cut", lang)) if one.cut else ""
    return when, html.answer(one.answer, lang) + cut


def _texts(rows: Sequence[tuple[str, str]], lang: str) -> Markup:
    unseen = Markup('<span class="ft-unseen">{}</span>')
    headers = [unseen.format(say(f"runs.samples.{key}", lang)) for key in ("when", "answer")]
    return html.table(headers, rows, say("runs.samples.title", lang))


def _measurement(key: str, value: float | None, lang: str) -> str:
    if key == "learning_rate":
        return html.rate(value, lang)
    if key.endswith("accuracy"):
        return html.percent(value, lang)
    return html.number(value, lang, 0 if key in _WHOLE else None)
