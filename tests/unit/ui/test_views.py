import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

import ftkit.workers
from ftkit.errors import Refused
from ftkit.records import Dataset, Evaluation, Event, Job, JobState, Model, Run, Skipped, Split
from ftkit.training.card import RunCard
from ftkit.training.memory import Memory
from ftkit.training.service import RunView
from ftkit.training.watching.log import LogMatches
from ftkit.training.watching.progress import Progress
from ftkit.training.watching.samples import Answered, Sample, Samples
from ftkit.ui import html, plots, views
from ftkit.ui.evaluation import scores
from ftkit.ui.i18n import LANGUAGES, catalogue
from ftkit.ui.watching import figures, history, side_by_side

HOSTILE = "<img src=x onerror=alert(1)>&\"'${alert(2)}{{alert(3)}}</td></script><script>alert(4)</script>"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TAG = re.compile(r"<(img|script)", re.IGNORECASE)


def dataset(**more: Any) -> Dataset:
    values = {
        "id": "d1",
        "name": HOSTILE,
        "created_at": NOW,
        "rows": 1234,
        "columns": (HOSTILE,),
        "mapping": {},
    }
    return Dataset.model_validate({**values, "license": HOSTILE, **more})


def split(**more: Any) -> Split:
    values = {
        "id": "s1",
        "name": HOSTILE,
        "created_at": NOW,
        "dataset": "d1",
        "ratios": (0.8, 0.1, 0.1),
        "seed": 42,
    }
    sizes = {"train": 80, "validation": 10, "test": 10}
    return Split.model_validate({**values, "sizes": sizes, "mapping": {}, **more})


def job(state: JobState = "done", error: dict[str, Any] | None = None) -> Job:
    return Job(
        id="j1", kind="train", lane="compute", artefact="r1", state=state, nonce="n", queued_at=NOW, started_at=NOW, error=error
    )  # fmt: skip


def run_view(state: JobState = "done", progress: Progress | None = None, **metrics: float) -> RunView:
    run = Run(id="r1", name=HOSTILE, created_at=NOW, recipe=HOSTILE, split="s1", model=HOSTILE, spec={})
    error = Refused("x.y", "It broke at {place}.", place=HOSTILE).as_dict() if state == "failed" else None
    return RunView(run, job(state, error), state, metrics, progress)


MEMORY = Memory(program=600, weights=500, gradients=20, optimizer=40, activations=1200, logits=140)


def card(**more: Any) -> RunCard:
    values: dict[str, Any] = {
        "rows": 80, "left_out": 3, "steps": 40, "effective_batch": 4, "tokens": 12_345, "trained_tokens": 4_000,
        "longest": 300, "memory_mb": 2500, "memory_parts": MEMORY, "memory_free_mb": 8000, "fits": "fits", "seconds": (60.0, 130.0),
        "seconds_from": "estimate", "device": HOSTILE, "problems": (), "warnings": (),
    }  # fmt: skip
    return RunCard(**{**values, **more})


MEASURED = {
    "base": {"perplexity": 12.5, "exact_match": 0.1, "kind_accuracy": 0.2, f"{HOSTILE}_token_f1": 0.1},
    "tuned": {"perplexity": 3.5, "exact_match": 0.1, "kind_accuracy": 0.9, f"{HOSTILE}_token_f1": 0.2},
    "difference": {
        "perplexity": {"value": -9.0, "low": -10.0, "high": -8.0, "p": 0.0001},
        "exact_match": {"value": 0.0, "low": 0.0, "high": 0.0, "p": 1.0},
        "kind_accuracy": {"value": 0.7, "low": None, "high": None, "p": 0.01},
        f"{HOSTILE}_token_f1": {"value": 0.1, "low": 0.0, "high": 0.2, "p": 0.3},
    },
    "metric_rows": {},
    "fields": {"kind": {"kind": "category"}, HOSTILE: {"kind": "text"}},
    "rows": 25,
    "left_out": 2,
    "skipped": {},
}
SAMPLE = {
    "row": 6, "prompt": HOSTILE, "system": "", "reference": HOSTILE, "base_answer": HOSTILE, "tuned_answer": HOSTILE,
    "base_cut": False, "tuned_cut": False, "base_kind_accuracy": 0.0, "tuned_kind_accuracy": 1.0,
}  # fmt: skip


SAMPLED = Sample(
    row=3, prompt=HOSTILE, reference=HOSTILE, beginning=True, bad=False,
    answers=tuple(Answered(step, HOSTILE, cut=True) for step in (4, 2, 0)),
)  # fmt: skip


def everything(lang: str) -> dict[str, str]:
    """Each view once, with hostile text wherever text can come from outside."""
    messages = [{"role": role, "content": HOSTILE} for role in ("system", "user", "assistant", "tool")]
    skipped = (Skipped(line=3, reason=HOSTILE),)
    model = Model(
        id="m", name=HOSTILE, created_at=NOW, source=HOSTILE, license=HOSTILE, parameters=135_000_000
    )
    problem = Refused("x.y", "No: {why}", why=HOSTILE)
    evaluation = Evaluation(id="e1", name=HOSTILE, created_at=NOW, run="r1", split="s1", part="test")
    progress = Progress(HOSTILE, 3, 10, 75.0, 0.0)
    curves = [{"step": 1, "loss": 2.0, "learning_rate": 1e-5}, {"step": 1, "eval_loss": math.nan}]
    measured = scores.EvaluationView(evaluation, job(), MEASURED, None)
    return {
        "chat": views.chat(messages, lang),  # type: ignore[arg-type]
        "rows": views.rows_table([HOSTILE, "b"], [{HOSTILE: HOSTILE, "b": None}], lang),
        "skipped": views.skipped_note(4, skipped, lang),
        "datasets": views.datasets_table([dataset()], "d1", lang),
        "facts": views.dataset_facts(dataset(), lang),
        "splits": views.splits_table([split()], "s1", lang),
        "left out": views.left_out_note(split(left_out=2, left_out_reasons={HOSTILE: 2}), lang),
        "models": views.models_table([model], lang),
        "card": views.run_card(card(problems=(problem,), warnings=(problem,)), lang),
        "runs": views.runs_table([run_view(eval_loss=1.5)], "r1", lang),
        "header": views.run_header(run_view("failed"), NOW, lang),
        "running": views.run_header(run_view("running", progress), NOW, lang),
        "happened": history.what_happened(run_view("failed"), [], 3, 5, lang),
        "history": history.timeline(
            [
                Event(time=NOW, event=HOSTILE, by=HOSTILE, job="j1"),
                Event(
                    time=NOW, event="checkpoint_set_aside", values={"checkpoint": HOSTILE, "reason": HOSTILE}
                ),
                Event(time=NOW, event="failed", error=problem.as_dict()),
            ],
            lang,
        ),
        "log": history.log_matches(LogMatches(1, ((7, HOSTILE),)), lang),
        "mark": history.mark(run_view("failed"), lang),
        "numbers": figures.numbers_table(curves, lang),
        "sampled": figures.samples(Samples((SAMPLED,)), lang),
        "side by side": side_by_side.figures_table([run_view(eval_loss=1.5), run_view(eval_loss=1.2)], lang),
        "settings": side_by_side.settings_table([run_view(), run_view()], {"optim": [HOSTILE, None]}, lang),
        "evaluation": scores.evaluation_card(measured, lang),
        "samples": scores.samples_table([SAMPLE], MEASURED, 0, lang),
    }


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", everything("en"))
def test_text_from_outside_never_becomes_a_tag(name: str, lang: str) -> None:
    made = everything(lang)[name]
    assert not TAG.search(made), made
    assert "&lt;img" in made or name in {"numbers", "splits"}


@pytest.mark.parametrize("name", everything("en"))
def test_tags_are_closed(name: str) -> None:
    made = everything("en")[name]
    for tag in ("div", "table", "tr", "td", "p", "dl", "details", "span"):
        assert made.count(f"<{tag}>") + made.count(f"<{tag} ") == made.count(f"</{tag}>"), tag


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("state", get_args(JobState))
def test_every_state_has_a_word(state: JobState, lang: str) -> None:
    word = re.sub("<[^>]*>", "", views.state_pill(state, lang))
    assert word
    assert "views." not in word


def test_every_phase_that_a_worker_says_has_a_word() -> None:
    said = set()
    for path in Path(ftkit.workers.__file__).parent.rglob("*.py"):
        said |= set(
            re.findall(
                r'(?:progress\(|RowCounter\(\s*worker, |Sheet\((?:\s*name=)?)"(\w+)"',
                path.read_text(encoding="utf-8"),
            )
        )
    said -= {"ready"}  # the generator, which no page shows
    assert said
    assert said <= views.PHASES
    for lang in LANGUAGES:
        assert {f"views.phase.{phase}" for phase in views.PHASES} <= catalogue(lang).keys()


def test_a_chosen_row_is_marked() -> None:
    first, second = dataset(), dataset(id="d2", name="other")
    made = views.datasets_table([first, second], "d2", "en")
    assert made.count('aria-current="true"') == 1
    assert 'aria-current="true"><td><a href="/data?dataset=d2">' in made


def test_what_was_skipped_is_counted_and_listed() -> None:
    made = views.skipped_note(1500, (Skipped(line=7, reason="no"),), "en")
    assert "1,500" in made
    assert "<td>7</td><td>no</td>" in made
    assert "And 1499 more." in made
    assert "Every line became a row." in views.skipped_note(0, (), "en")


def test_the_card_says_time_memory_and_what_speaks_against_it() -> None:
    made = views.run_card(card(fits="exceeds", problems=(Refused("x.y", "Too large by {n}.", n=3),)), "en")
    for text in (
        "1 min 0 s to 2 min 10 s",
        "2.5 GB of 8.0 GB free",
        "too large",
        "Too large by 3.",
        "12,345",
    ):
        assert text in made
    assert "Nothing speaks against it." in views.run_card(card(), "en")
    assert "not known yet" in views.run_card(card(seconds=None, seconds_from="unknown"), "en")


def test_a_running_run_says_how_far_it_is_and_how_long_it_takes() -> None:
    made = views.run_header(run_view("running", Progress("training", 3, 12, 75.0, 0.0)), NOW, "en")
    assert 'aria-valuenow="25"' in made
    assert "Training: 3 of 12. About 1 min 15 s left." in made


def test_a_failed_run_says_why() -> None:
    happened = history.what_happened(run_view("failed"), [], None, 0, "en")
    assert "It broke at" in views.run_header(run_view("failed"), NOW, "en", happened)


def test_metrics_carry_difference_interval_and_a_sentence() -> None:
    made = scores.scores_table(MEASURED, "en")
    for text in (
        "12.50",
        "3.50",
        "9.00",
        "kind: accuracy",
        "90.0%",
        "+70.0 points",
        "No difference in 25 rows.",
        "Rows asked: 25",
    ):
        assert text in made


def test_a_sample_says_which_answer_is_right() -> None:
    made = scores.samples_table([SAMPLE], MEASURED, 0, "en")
    assert "✕ kind" in made
    assert "✓ kind" in made
    assert " </small>7</td>" in made


def test_numbers_are_written_as_in_the_language() -> None:
    assert html.number(12_345.678, "en", 1) == "12,345.7"
    assert html.number(12_345.678, "tr", 1) == "12.345,7"
    assert html.number(1.61634, "en") == "1.616"
    assert html.number(None, "en") == "–"
    assert html.number(math.nan, "en") == "not a number"
    assert html.number(math.inf, "tr") == "∞"
    assert html.percent(0.256, "en") == "26%"
    assert html.percent(0.256, "tr") == "%26"
    assert html.rate(0.00005, "en") == "5.00e-05"


@pytest.mark.parametrize(
    ("seconds", "english", "turkish"),
    [
        (0.4, "0 s", "0 sn"),
        (59.6, "1 min 0 s", "1 dk 0 sn"),
        (185, "3 min 5 s", "3 dk 5 sn"),
        (7_260, "2 h 1 min", "2 sa 1 dk"),
        (None, "–", "–"),
    ],
)
def test_durations_are_written_for_people(seconds: float | None, english: str, turkish: str) -> None:
    assert html.duration(seconds, "en") == english
    assert html.duration(seconds, "tr") == turkish


def test_sizes_are_written_for_people() -> None:
    assert html.file_size(1500, "en") == "1.5 KB"
    assert html.file_size(2_500_000_000, "en") == "2.5 GB"
    assert views.parameters(134_515_008, "en") == "135 M"
    assert views.parameters(1_711_376_384, "tr") == "1,7 B"


def test_addresses_keep_ids_and_escape_them() -> None:
    assert html.url("runs", run="a&b", split=None) == "/runs?run=a%26b"
    assert html.url("runs") == "/runs"
    assert 'href="/x?a=1&amp;b=2"' in html.link("/x?a=1&b=2", "go")


def test_both_losses_come_in_one_frame() -> None:
    curves = [{"step": step, "loss": 2.0 - step / 100} for step in range(1, 31)] + [
        {"step": 20, "eval_loss": 1.9}
    ]
    frame = plots.loss_frame(curves, "en")
    assert list(frame.columns) == ["step", "loss", "series"]
    counts = frame["series"].value_counts().to_dict()
    assert counts == {"training": 30, "training, smoothed": 30, "validation": 1}
    assert set(counts) <= set(plots.loss_colours())
    assert set(plots.loss_frame(curves, "tr")["series"]) <= set(plots.loss_colours())


def test_what_is_not_finite_is_left_out_and_named() -> None:
    curves = [{"step": 1, "loss": 1.0}, {"step": 2, "loss": math.nan}, {"step": 2, "eval_loss": math.inf}]
    assert plots.loss_frame(curves, "en")["step"].tolist() == [1]
    assert plots.not_finite(curves) == [2, 2]


def test_long_curves_are_thinned_and_keep_their_end() -> None:
    points = [(step, float(step)) for step in range(1, 1778)]
    thinned = plots.thin(points)
    assert len(thinned) <= plots.MOST_POINTS
    assert thinned[-1] == points[-1]
    assert thinned == sorted(thinned)
    assert plots.thin([]) == []
    assert plots.thin(points[:10]) == points[:10]
