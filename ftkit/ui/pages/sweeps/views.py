"""A sweep as HTML that is escaped throughout: its head, its trials, the best one, what mattered.

Takes views of the service, gives ``Markup``. It reads nothing.
"""

from collections.abc import Collection, Mapping, Sequence

from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.records import ENDED_STATES
from ftkit.training.card import RunCard
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.service import SweepView
from ftkit.training.sweeps.trials import Trial, counts
from ftkit.ui import html, views
from ftkit.ui.i18n import say, say_error
from ftkit.ui.pages.sweeps import words

_TONES: Mapping[str, html.Tone] = {
    "running": "info",
    "done": "good",
    "pruned": "warn",
    "failed": "bad",
    "refused": "bad",
    "stopped": "warn",
}


def sweeps_table(every: Sequence[SweepView], lang: str) -> Markup:
    """All sweeps; each name opens one."""
    headers = [say(f"sweeps.list.{key}", lang) for key in ("name", "state", "trials", "goal", "best", "made")]
    rows = [
        (
            html.link_text(html.url("sweeps", sweep=view.sweep.id), view.sweep.name),
            views.state_pill(view.state, lang),
            f"{view.ended} / {view.sweep.trials}",
            say(f"sweeps.metric.{view.sweep.metric}", lang),
            words.value(view.best.value if view.best else None, lang),
            html.moment(view.sweep.created_at),
        )
        for view in every
    ]
    return html.table(headers, rows, say("sweeps.list.title", lang))


def head(view: SweepView, lang: str) -> Markup:
    """Name, state, facts, progress or error."""
    sweep = view.sweep
    title = Markup('<h2 class="ft-title">{} {}</h2>').format(sweep.name, views.state_pill(view.state, lang))
    direction = say(f"sweeps.direction.{sweep.direction}", lang)
    pairs = [
        (say("sweeps.metric.label", lang), f"{say(f'sweeps.metric.{sweep.metric}', lang)} ({direction})"),
        (say("sweeps.sampler.label", lang), say(f"sweeps.sampler.{sweep.sampler}", lang)),
        (say("sweeps.recipe.label", lang), sweep.recipe),
        (say("sweeps.split.label", lang), html.link_text(html.url("train", split=sweep.split), sweep.split)),
        (say("sweeps.seed.label", lang), str(sweep.seed)),
        (say("runs.fact.id", lang), sweep.id),
    ]
    parts = [title, html.facts(pairs), views.error_notice(view.job.error, lang)]
    if view.state == "queued":
        parts.append(html.notice("info", say("sweeps.waiting", lang)))
    elif view.progress is not None:
        parts.append(views.progress_bar(view.progress, lang))
    elif view.state not in ENDED_STATES:
        parts.append(html.bar(0, say("runs.starting", lang)))
    parts.append(_tally(view, lang))
    return html.join(parts)


def _tally(view: SweepView, lang: str) -> Markup:
    """How many trials ended in which way, where some did not end well."""
    found = counts(view.trials)
    if not set(found) - {"done", "running"}:
        return Markup("")
    said = ", ".join(
        f"{html.number(n, lang)} {say(f'sweeps.state.{state}', lang)}" for state, n in found.items()
    )
    return html.notice("warn", say("sweeps.tally", lang, said=said))


def best(view: SweepView, runs: Collection[str], lang: str) -> Markup:
    """The best trial, and what to do with it."""
    found = view.best
    if found is None:
        ended = view.state in ENDED_STATES
        return html.notice("warn", say("sweeps.best.none", lang)) if ended else Markup("")
    pairs = [(say(f"sweeps.metric.{view.sweep.metric}", lang), words.value(found.value, lang))]
    pairs += [(say(f"spec.{name}.label", lang), words.value(one, lang)) for name, one in found.values.items()]
    title = html.heading(say("sweeps.best.title", lang), say("sweeps.best.number", lang, n=found.number))
    links = []
    if found.run in runs:
        again = html.url("train", split=view.sweep.split, copy=found.run)
        links = [
            html.link(again, say("sweeps.best.again", lang), primary=True),
            html.link(html.url("runs", run=found.run), say("sweeps.best.run", lang)),
            html.link(html.url("evaluate", run=found.run), say("runs.evaluate", lang)),
        ]
    return Markup('{}<div class="ft-figures">{}</div>{}').format(
        title, html.facts(pairs), html.actions(*links) if links else ""
    )


def trials_table(view: SweepView, runs: Collection[str], lang: str) -> Markup:
    """Every trial: values, goal, state, time, run."""
    if not view.trials:
        return html.notice("info", say("sweeps.trials.none", lang))
    sweep = view.sweep
    names = [say(f"spec.{name}.label", lang) for name in sweep.space]
    ends = [say(f"sweeps.trials.{key}", lang) for key in ("state", "time", "run")]
    headers = [say("sweeps.trials.number", lang), *names, say(f"sweeps.metric.{sweep.metric}", lang), *ends]
    rows = [
        (
            str(one.number),
            *(words.value(one.values.get(name), lang) for name in sweep.space),
            words.value(one.value, lang),
            _state(view, one, lang),
            html.duration(one.seconds, lang),
            _run(one, runs, lang),
        )
        for one in view.trials
    ]
    numbers = [one.number for one in view.trials]
    chosen = numbers.index(view.best.number) if view.best else None
    return html.table(headers, rows, say("sweeps.trials.title", lang), chosen)


def _state(view: SweepView, one: Trial, lang: str) -> Markup:
    state = one.state
    if state == "running" and view.state in ENDED_STATES:
        return html.pill("warn", say("sweeps.state.interrupted", lang))
    marked = html.pill(_TONES[state], say(f"sweeps.state.{state}", lang))
    if view.best and one.number == view.best.number:
        marked = html.pill("good", say("sweeps.state.best", lang))
    reason = words.why(one, lang)
    return marked + Markup("<br><small>{}</small>").format(reason) if reason else marked


def _run(one: Trial, runs: Collection[str], lang: str) -> str:
    if one.run in runs:
        return html.link_text(html.url("runs", run=one.run), say("sweeps.trials.open", lang))
    return say("sweeps.trials.gone", lang) if one.run else "–"


def importance(view: SweepView, lang: str) -> Markup:
    """Which option made the difference, as bars."""
    if not view.importance:
        return html.paragraph(say("sweeps.importance.few", lang))
    bars = html.join(
        Markup(
            '<div class="ft-share"><span>{}</span><i><b style="width:{:.0f}%"></b></i><span>{}</span></div>'
        ).format(say(f"spec.{name}.label", lang), 100 * share, html.percent(share, lang))
        for name, share in view.importance.items()
    )
    return bars + Markup('<p class="ft-quiet">{}</p>').format(say("sweeps.importance.note", lang))


def cost(card: RunCard, trials: int, lang: str) -> Markup:
    """What all trials will take."""
    one, every = (_span(card, times, lang) for times in (1, trials))
    memory = say(
        "train.card.memory_of",
        lang,
        need=html.megabytes(card.memory_mb, lang),
        free=html.megabytes(card.memory_free_mb, lang),
    )
    pairs = [
        (say("sweeps.cost.all", lang), every),
        (say("sweeps.cost.one", lang), one),
        (say("train.card.memory", lang), memory),
        (say("train.card.steps", lang), html.number(card.steps, lang)),
    ]
    notes = [html.notice("warn", say_error(problem, lang)) for problem in (*card.problems, *card.warnings)]
    note = Markup('<p class="ft-quiet">{}</p>').format(say("sweeps.cost.note", lang))
    return Markup('<div class="ft-figures">{}</div>{}{}').format(html.facts(pairs), note, html.join(notes))


def mistakes(found: Mapping[str, FtkitError], spec: RunSpec, lang: str) -> Markup:
    """Everything that is wrong with a plan."""
    lines = html.join(html.paragraph(line) for line in words.lines(found, spec, lang))
    return html.notice("bad", lines)


def _span(card: RunCard, times: int, lang: str) -> str:
    if card.seconds is None:
        return say("train.card.unknown", lang)
    low, high = (html.duration(times * seconds, lang) for seconds in card.seconds)
    return low if low == high else say("train.card.range", lang, low=low, high=high)
