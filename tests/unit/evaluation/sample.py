"""A measured run as values, for tests of the report."""

from datetime import UTC, datetime
from typing import Any

from ftkit.evaluation.measuring.scores import exact_match, field_scores, json_fields
from ftkit.evaluation.report.page import ReportData
from ftkit.records import Dataset, Evaluation, Model, Run, Split

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
REFERENCES = [
    '{"mood": "glad", "note": "a calm and friendly letter from somebody"}',
    '{"mood": "sad", "note": "x"}',
]


def sample(row: int, **changes: Any) -> dict[str, Any]:
    reference = REFERENCES[row % 2]
    found = {
        "row": row,
        "system": "Tell the mood.",
        "prompt": f"letter {row}",
        "reference": reference,
        "base_answer": "no idea",
        "tuned_answer": reference,
        "base_cut": True,
        "tuned_cut": False,
        **changes,
    }
    for side in ("base", "tuned"):
        answer = found[f"{side}_answer"]
        scores = {
            "exact_match": exact_match(answer, reference),
            **field_scores(answer, reference, json_fields(REFERENCES)),
        }
        found |= {f"{side}_{metric}": score for metric, score in scores.items()}
    return found


def difference(value: float, p: float | None = 0.0001) -> dict[str, Any]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "p": p}


def measured(**changes: Any) -> dict[str, Any]:
    return {
        "base": {"perplexity": 8.33, "exact_match": 0.0, "mood_accuracy": 0.25, "mood_macro_f1": 0.2},
        "tuned": {"perplexity": 1.65, "exact_match": 0.5, "mood_accuracy": 0.875, "mood_macro_f1": 0.8},
        "difference": {
            "perplexity": difference(-6.68),
            "exact_match": difference(0.5, 0.2),
            "mood_accuracy": difference(0.625),
            "mood_macro_f1": difference(0.6),
        },
        "metric_rows": {},
        "fields": {
            "mood": {
                "kind": "category",
                "rows": 16,
                "missing": {"base": 12, "tuned": 0},
                "labels": ["glad", "sad"],
                "f1": {"base": [0.4, 0.0], "tuned": [0.9, 0.7]},
                "confusion": {"base": [[4, 0, 4], [0, 0, 8]], "tuned": [[8, 0, 0], [2, 6, 0]]},
            },
            "note": {"kind": "text", "rows": 16, "missing": {"base": 12, "tuned": 0}},
        },
        "skipped": {},
        "answers": {"base": {"tokens": 100, "cut": 16}, "tuned": {"tokens": 90, "cut": 0}},
        "rows": 16,
        "left_out": 3,
        "left_out_reasons": {"“answer” is empty": 2, "message 1 has no role": 1},
        "signature": {"part": "test", "max_new_tokens": 48, "seed": 42, "versions": {"torch": "2.13.0"}},
        **changes,
    }


def report_data(**changes: Any) -> ReportData:
    values: dict[str, Any] = {
        "run": Run(
            id="run1",
            name="Letters",
            created_at=NOW,
            recipe="a/b",
            split="s1",
            model="m1",
            spec={"r": 16},
            seed=42,
        ),
        "model": Model(id="m1", name="Small model", created_at=NOW, source="bundled", parameters=134_515_008),
        "split": Split(
            id="s1",
            name="80/10/10",
            created_at=NOW,
            content_hash="sha256:abc",
            dataset="d1",
            ratios=(0.8, 0.1, 0.1),
            sizes={"train": 128, "validation": 16, "test": 16},
            mapping={},
        ),
        "dataset": Dataset(id="d1", name="Letters", created_at=NOW, rows=160, columns=("a",), mapping={}),
        "training": {"rows": 126, "rows_left_out": 2, "train_seconds": 161.2, "tokens_per_second": 1234.5},
        "curve": [{"step": n, "loss": 3.0 / n} for n in range(1, 41)] + [{"step": 20, "eval_loss": 0.5}],
        "evaluation": Evaluation(id="e1", name="e", created_at=NOW, run="run1", split="s1", part="test"),
        "measured": measured(),
        "samples": [sample(n) for n in range(16)],
        "lineage": [("run", "run1", "Letters"), ("upload", "u1", "letters.csv")],
        "made_at": NOW,
        **changes,
    }
    return ReportData(**values)


def benchmark_report() -> dict[str, Any]:
    """What a benchmark leaves, of a task whose name is no harmless text."""
    line = {
        "task": "<b>colours",
        "metric": "acc",
        "filter": "none",
        "rows": 8,
        "base": 0.5,
        "tuned": 0.75,
        "base_error": 0.1,
        "tuned_error": 0.1,
        "higher_is_better": True,
        "difference": 0.25,
        "low": 0.1,
        "high": 0.4,
        "p": 0.01,
        "p_adjusted": 0.01,
        "verdict": "better",
        "rows_needed": None,
    }
    return {"lines": [line], "limit": None, "chat": False, "tasks": ["<b>colours"], "signature": {}}
