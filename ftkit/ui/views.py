"""Records as HTML that is escaped throughout: what a person sees of a dataset, a split, a run or a run card.

Takes records and the language, gives ``Markup``. It reads nothing and decides nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from markupsafe import Markup

from ftkit.data.chat import Message
from ftkit.errors import FtkitError
from ftkit.records import ENDED_STATES, PARTS, Dataset, JobState, Model, Run, Skipped, Split
from ftkit.training.card import RunCard
from ftkit.training.service import RunView
from ftkit.training.watching.progress import Progress
from ftkit.ui import html
from ftkit.ui.i18n import say, say_error, say_phrase

_STATE_TONES: Mapping[JobState, html.Tone] = {
    "queued": "info",
    "starting": "info",
    "running": "info",
    "stalled": "warn",
    "stopping": "warn",
    "done": "good",
    "failed": "bad",
    "stopped": "warn",
    "paused": "warn",
    "lost": "bad",
}
_CELL = 160
_MINUTE = 60
PHASES = frozenset(
    {
        *("starting", "preparing", "loading", "training", "saving", "evaluating", "generating", "stopping"),
        *("downloading", "checking", "converting", "cleaning", "comparing", "reading"),
        *("assigning", "measuring", "searching", "uploading", "general", "bias", "judging"),
        *("scoring", "tasks", "benchmark_base", "benchmark_tuned", "masking"),
        *("building", "verifying"),
    }
)


class Steps(Protocol):
    """How far a worker is, whatever it does."""

    @property
    def phase(self) -> str: ...  # noqa: D102 - named by the protocol
    @property
    def step(self) -> int: ...  # noqa: D102 - named by the protocol
    @property
    def steps(self) -> int: ...  # noqa: D102 - named by the protocol
    @property
    def seconds_left(self) -> float | None: ...  # noqa: D102 - named by the protocol


def state_pill(state: JobState, lang: str) -> Markup:
    """A job's state in one word."""
    return html.pill(_STATE_TONES[state], say(f"views.state.{state}", lang))


def error_notice(error: Mapping[str, Any] | None, lang: str) -> Markup:
    """What went wrong and what to do, where a job left an error."""
    return html.notice("bad", say_error(FtkitError.from_dict(error), lang)) if error else Markup("")


def chat(messages: Iterable[Message], lang: str) -> Markup:
    """A conversation as bubbles, one per message."""
    return Markup('<div class="ft-chat">{}</div>').format(
        html.join(
            Markup('<div class="ft-bubble ft-{}"><span>{}</span><p>{}</p></div>').format(
                role,
                say(f"views.role.{role}", lang),
                content,
            )
            for role, content in ((m["role"], _said(m)) for m in messages)
        )
    )


def _said(message: Message) -> str:
    """What a turn says, and below it the tools that it calls."""
    calls = [
        f"{call['function']['name']}({json.dumps(call['function']['arguments'], ensure_ascii=False)})"
        for call in message.get("tool_calls", [])
    ]
    return "\n".join(filter(None, [message["content"], *calls]))


def rows_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], lang: str) -> Markup:
    """The first rows of a dataset, as plain text."""
    body = [[_cell(row.get(column)) for column in columns] for row in rows]
    return html.table(columns, body, say("data.rows.caption", lang))


def skipped_note(count: int, skipped: Sequence[Skipped], lang: str) -> Markup:
    """How many lines did not become rows, which ones, and why."""
    if not count:
        return html.notice("good", say("data.skipped.none", lang))
    rows = [
        (f"{one.file} {html.number(one.line, lang)}".strip(), say_phrase(one.reason, lang)) for one in skipped
    ]
    listed = html.table(
        [say("data.skipped.line", lang), say("data.skipped.reason", lang)],
        rows,
        say("data.skipped.caption", lang),
    )
    more = html.paragraph(say("data.skipped.more", lang, n=count - len(rows))) if count > len(rows) else ""
    return html.notice("warn", say("data.skipped.some", lang, n=html.number(count, lang))) + html.details(
        say("data.skipped.show", lang), listed + more
    )


def datasets_table(datasets: Sequence[Dataset], chosen: str, lang: str) -> Markup:
    """Datasets on this machine; each name opens one."""
    headers = [say(f"data.list.{key}", lang) for key in ("name", "rows", "columns", "made")]
    rows = [
        (
            html.link_text(html.url("data", dataset=one.id), one.name),
            html.number(one.rows, lang),
            html.shorten(", ".join(one.columns), 60),
            html.moment(one.created_at),
        )
        for one in datasets
    ]
    ids = [one.id for one in datasets]
    return html.table(
        headers, rows, say("data.list.title", lang), ids.index(chosen) if chosen in ids else None
    )


def dataset_facts(dataset: Dataset, lang: str) -> Markup:
    """A dataset in one line of facts, with its id to copy for the command line."""
    pairs = [
        (say("data.fact.rows", lang), html.number(dataset.rows, lang)),
        (say("data.fact.columns", lang), html.number(len(dataset.columns), lang)),
        (say("data.fact.skipped", lang), html.number(dataset.skipped_count, lang)),
        (say("data.fact.id", lang), dataset.id),
    ]
    if dataset.license:
        pairs.append((say("data.fact.license", lang), dataset.license))
    return html.facts(pairs)


def splits_table(splits: Sequence[Split], chosen: str, lang: str) -> Markup:
    """Splits of a dataset; each can be trained on."""
    headers = [say(f"data.split.{key}", lang) for key in (*PARTS, "leaks", "seed", "made")]
    rows = [
        (
            *(html.number(one.sizes.get(part, 0), lang) for part in PARTS),
            html.number(one.leaks, lang),
            str(one.seed),
            html.moment(one.created_at),
            html.link(html.url("train", split=one.id), say("data.split.train_on_it", lang), one.id == chosen),
        )
        for one in splits
    ]
    ids = [one.id for one in splits]
    return html.table(
        [*headers, ""], rows, say("data.split.caption", lang), ids.index(chosen) if chosen in ids else None
    )


def left_out_note(split: Split, lang: str) -> Markup:
    """Rows that could not be trained on, and why."""
    if not split.left_out:
        return Markup("")
    reasons = html.join(
        html.paragraph(f"{html.number(count, lang)} × {say_phrase(text, lang)}")
        for text, count in split.left_out_reasons.items()
    )
    return html.notice(
        "warn",
        html.paragraph(say("data.split.left_out", lang, n=html.number(split.left_out, lang))) + reasons,
    )


def models_table(models: Sequence[Model], lang: str) -> Markup:
    """Models on this machine."""
    headers = [
        say(f"model.list.{key}", lang) for key in ("name", "id", "parameters", "context", "license", "source")
    ]
    rows = [
        (
            one.name,
            Markup("<code>{}</code>").format(one.id),
            parameters(one.parameters, lang),
            say("model.tokens", lang, n=html.number(one.context_length, lang)) if one.context_length else "–",
            one.license or say("model.license.unknown", lang),
            one.source,
        )
        for one in models
    ]
    return html.table(headers, rows, say("model.list.title", lang))


def parameters(count: int, lang: str) -> str:
    """Size of a model as it is usually said: 135 M, 1.5 B."""
    if not count:
        return "–"
    billions = count >= 9.995e8  # noqa: PLR2004 - from where it is rounded to 1.0 B
    return f"{html.number(count / (1e9 if billions else 1e6), lang, 1 if billions else 0)} {'B' if billions else 'M'}"


def run_card(card: RunCard, lang: str) -> Markup:
    """What a run will cost here, and whether it can work."""
    seconds = _span(card.seconds, lang)
    source = say(f"train.card.from.{card.seconds_from.replace(' ', '_')}", lang)
    tone: html.Tone = {"fits": "good", "tight": "warn", "exceeds": "bad"}[card.fits]  # type: ignore[assignment]
    memory = say(
        "train.card.memory_of",
        lang,
        need=html.megabytes(card.memory_mb, lang),
        free=html.megabytes(card.memory_free_mb, lang),
    )
    pairs = [
        (say("train.card.steps", lang), html.number(card.steps, lang)),
        (say("train.card.batch", lang), html.number(card.effective_batch, lang)),
        (say("train.card.rows", lang), html.number(card.rows, lang)),
        (say("train.card.left_out", lang), html.number(card.left_out, lang)),
        (say("train.card.tokens", lang), html.number(card.tokens, lang)),
        (say("train.card.learned", lang), html.number(card.trained_tokens, lang)),
        (say("train.card.longest", lang), html.number(card.longest, lang)),
        (say("train.card.device", lang), card.device),
    ]
    big = html.facts(
        [
            (say("train.card.time", lang), Markup("{} <small>{}</small>").format(seconds, source)),
            (
                say("train.card.memory", lang),
                memory + Markup(" ") + html.pill(tone, say(f"train.card.{card.fits}", lang)),
            ),
        ]
    )
    notes = [html.notice("bad", say_error(one, lang)) for one in card.problems]
    notes += [html.notice("warn", say_error(one, lang)) for one in card.warnings]
    if not notes:
        notes = [html.notice("good", say("train.card.ready", lang))]
    parts = [
        (say(f"train.card.part.{name}", lang), html.megabytes(value, lang))
        for name, value in vars(card.memory_parts).items()
    ]
    where = Markup('<details class="ft-details"><summary>{}</summary>{}</details>').format(
        say("train.card.parts", lang), html.facts(parts)
    )
    return Markup('<div class="ft-figures">{}</div>{}{}{}').format(
        big, html.facts(pairs), where, html.join(notes)
    )


def _span(seconds: tuple[float, float] | None, lang: str) -> str:
    if seconds is None:
        return say("train.card.unknown", lang)
    low, high = seconds
    if high < _MINUTE:
        return say("train.card.short", lang)
    return say("train.card.range", lang, low=html.duration(low, lang), high=html.duration(high, lang))


def runs_table(views: Sequence[RunView], chosen: str, lang: str) -> Markup:
    """All runs, each with its state, best validation loss and time."""
    headers = [say(f"runs.list.{key}", lang) for key in ("name", "state", "best", "recipe", "time", "made")]
    rows = [
        (
            html.link_text(html.url("runs", run=view.run.id), view.run.name),
            state_pill(view.state, lang),
            html.number(view.metrics.get("eval_loss"), lang),
            view.run.recipe,
            html.duration(view.metrics.get("train_seconds"), lang),
            html.moment(view.run.created_at),
        )
        for view in views
    ]
    ids = [view.run.id for view in views]
    return html.table(
        headers, rows, say("runs.list.title", lang), ids.index(chosen) if chosen in ids else None
    )


def run_choice(run: Run) -> str:
    """A run in a list to choose from."""
    return f"{run.name} · {run.created_at.astimezone():%Y-%m-%d %H:%M}"


def run_header(view: RunView, now: datetime, lang: str, happened: str = "") -> Markup:
    """A run's name, state, what ``happened`` last, progress or result."""
    run = view.run
    title = Markup('<h2 class="ft-title">{} {}</h2>').format(run.name, state_pill(view.state, lang))
    began, ended = view.job.started_at, view.job.finished_at
    pairs = [
        (say("runs.fact.recipe", lang), run.recipe),
        (say("runs.fact.model", lang), run.model),
        (say("runs.fact.data", lang), html.link_text(html.url("train", split=run.split), run.split)),
        (
            say("runs.fact.took", lang),
            html.duration(((ended or now) - began).total_seconds(), lang) if began else "–",
        ),
        (say("runs.fact.id", lang), run.id),
    ]
    parts = [title, happened, html.facts(pairs)]
    if view.state == "queued":
        parts.append(html.notice("info", say("runs.waiting", lang)))
    elif view.progress is not None:
        parts.append(progress_bar(view.progress, lang))
    elif view.state not in ENDED_STATES:
        parts.append(html.bar(0, say("runs.starting", lang)))
    if view.metrics:
        parts.append(run_result(view.metrics, lang))
    return html.join(parts)


def progress_bar(progress: Steps, lang: str) -> Markup:
    """How far a worker is, and how long it still needs."""
    phase = say(f"views.phase.{progress.phase}", lang) if progress.phase in PHASES else progress.phase
    if not progress.steps:
        return html.bar(0, say("views.phase_only", lang, phase=phase))
    left = (
        say("views.left", lang, time=html.duration(progress.seconds_left, lang))
        if progress.seconds_left
        else ""
    )
    text = say(
        "views.progress",
        lang,
        phase=phase,
        step=html.number(progress.step, lang),
        steps=html.number(progress.steps, lang),
        left=left,
    )
    return html.bar(progress.step / progress.steps, text.strip())


def run_result(metrics: Mapping[str, Any], lang: str) -> Markup:
    """The figures that a run ended with."""
    shown = {
        "eval_loss": html.number(metrics.get("eval_loss"), lang),
        "best_step": html.number(metrics.get("best_step"), lang),
        "train_loss": html.number(metrics.get("train_loss"), lang),
        "eval_reward_accuracy": html.percent(metrics.get("eval_reward_accuracy"), lang),
        "eval_reward_margin": html.number(metrics.get("eval_reward_margin"), lang),
        "tokens": html.number(metrics.get("tokens"), lang),
        "tokens_per_second": html.number(metrics.get("tokens_per_second"), lang, 0),
        "peak_memory_mb": html.megabytes(metrics.get("peak_memory_mb"), lang),
        "rows_left_out": html.number(metrics.get("rows_left_out"), lang),
    }
    return Markup('<div class="ft-figures">{}</div>').format(
        html.facts((say(f"runs.result.{key}", lang), value) for key, value in shown.items() if value != "–")
    )


def progress_of(state: Mapping[str, Any]) -> Progress:
    """A worker's heartbeat as progress."""
    return Progress(
        phase=str(state.get("phase", "loading")),
        step=int(state.get("step") or 0),
        steps=int(state.get("steps") or 0),
        seconds_left=state.get("seconds_left"),
        heartbeat=float(state.get("time") or 0),
    )


def _cell(value: Any) -> str:
    return "–" if value is None else html.shorten(str(value), _CELL)
