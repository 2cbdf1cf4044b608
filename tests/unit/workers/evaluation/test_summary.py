from pathlib import Path
from typing import Any

import evaluate
import numpy as np
import pytest

from ftkit.evaluation.measuring import checks
from ftkit.evaluation.measuring.options import Options
from ftkit.workers.evaluation.metrics.labels import NO_LABEL, confusion, label_spellings
from ftkit.workers.evaluation.metrics.texts import ExactMatch, JsonValid, TokenF1
from ftkit.workers.evaluation.summary import add_scores, summarise
from tests.unit.workers.evaluation.answers import ANSWERS, REFERENCES

pytestmark = pytest.mark.training  # importing evaluate takes seconds

TICKETS = [
    '{{"kind": "a", "note": "{}"}}'.format(f"a note that is long enough to be a text and no category, {n}")
    for n in range(6)
] + ['{"kind": "b", "note": "short"}'] * 2
SIDES = ("base", "tuned")


def measure(
    folder: Path, references: list[str], answers: dict[str, list[str | None]], **options: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    samples = []
    for number, reference in enumerate(references):
        sample = {
            "row": number,
            "system": None,
            "prompt": "q",
            "reference": reference,
            "scored_tokens": number + 1,
        }
        for place, (side, given) in enumerate(answers.items()):
            nll = (2.0 - 0.5 * place) * (number + 1)
            sample |= {f"{side}_answer": given[number], f"{side}_nll": nll}
            sample |= {f"{side}_tokens": 3, f"{side}_cut": place == 0}
        samples.append(sample)
    wanted = Options.from_json(options)
    add_scores(samples, tuple(answers), wanted)
    return summarise(samples, tuple(answers), wanted, 1, folder), samples


def test_metrics_combine_as_those_of_the_hub_do(tmp_path: Path) -> None:
    both = evaluate.combine([ExactMatch(cache_dir=str(tmp_path)), TokenF1(cache_dir=str(tmp_path))])
    found = both.compute(predictions=["a b", "c"], references=["a c", "c"])
    assert found == {"exact_match": 0.5, "token_f1": 0.75}


def test_metrics_take_batches(tmp_path: Path) -> None:
    metric = JsonValid(cache_dir=str(tmp_path))
    metric.add_batch(predictions=["{}", "x"], references=["{}", "{}"])
    metric.add(prediction='{"a": 1}', reference="{}")
    assert metric.compute() == {"json_valid": pytest.approx(2 / 3)}


def test_confusion_counts_every_answer_once() -> None:
    assert confusion(["a", "a", "a", "b"], ["a", "b", NO_LABEL, "c"], ["a", "b"]) == [[1, 1, 1], [0, 0, 1]]


def test_labels_are_shown_as_the_references_spell_them_most() -> None:
    found = label_spellings(["Billing", "billing.", "Billing", "DELIVERY"])
    assert found == {"billing": "Billing", "delivery": "DELIVERY"}


def test_extraction_is_measured_field_by_field(tmp_path: Path) -> None:
    base = ["no json"] * 4 + ['{"kind": "a", "note": ""}'] * 4
    report, samples = measure(tmp_path, TICKETS, {"base": base, "tuned": list(TICKETS)})
    assert report["task"] == "extraction"
    assert list(report["base"]) == [
        "json_valid",
        "exact_match",
        "token_f1",
        "perplexity",
        "kind_accuracy",
        "kind_macro_f1",
        "note_token_f1",
    ]
    assert report["base"]["perplexity"] == pytest.approx(np.exp(2))
    assert report["difference"]["perplexity"]["ratio"] == pytest.approx(np.exp(-0.5))
    assert (report["base"]["json_valid"], report["tuned"]["json_valid"]) == (0.5, 1.0)
    assert report["base"]["kind_accuracy"] == 0.25
    assert report["base"]["kind_macro_f1"] == pytest.approx((2 * 2 / (4 + 6) + 0) / 2)
    assert report["tuned"]["kind_macro_f1"] == report["tuned"]["note_token_f1"] == 1
    kind = report["fields"]["kind"]
    assert kind["labels"] == ["a", "b"]
    assert kind["support"] == [6, 2]
    assert kind["missing"] == {"base": 4, "tuned": 0}
    assert kind["confusion"]["base"] == [[2, 0, 4], [2, 0, 0]]
    assert kind["f1"]["tuned"] == kind["precision"]["tuned"] == kind["recall"]["tuned"] == [1, 1]
    assert report["fields"]["note"]["kind"] == "text"
    assert report["classes"] is None
    assert set(report["metric_rows"].values()) == {8}
    assert samples[0]["base_perplexity"] == pytest.approx(np.exp(2))
    low, high = report["intervals"]["base"]["kind_accuracy"]
    assert 0 < low < 0.25 < high < 1


def test_classification_has_a_table_by_label(tmp_path: Path) -> None:
    wanted = ["Red", "Blue"] * 12
    tuned = ["red.", "blue", "RED", "green", *wanted[4:]]
    report, _ = measure(tmp_path, wanted, {"base": ["Red"] * 24, "tuned": tuned})
    assert report["task"] == "classification"
    assert report["tuned"]["accuracy"] == pytest.approx(23 / 24)
    assert report["base"]["macro_f1"] == pytest.approx((2 * 12 / (12 + 24)) / 2)
    classes = report["classes"]
    assert classes["labels"] == ["Blue", "Red"]
    assert classes["support"] == [12, 12]
    assert classes["confusion"]["tuned"] == [[11, 0, 1], [0, 12, 0]]
    assert classes["missing"] == {"base": 0, "tuned": 1}
    assert classes["recall"]["tuned"] == pytest.approx([11 / 12, 1])
    assert report["difference"]["accuracy"]["verdict"] == "better"


@pytest.mark.parametrize(
    ("task", "keys"),
    [
        ("generation", {"chrf", "rougeL", "exact_match", "token_f1", "length", "distinct_1", "refusal_rate"}),
        ("translation", {"bleu", "chrf", "length"}),
        ("summarising", {"rouge1", "rouge2", "rougeL", "length", "distinct_2"}),
        ("chat", {"chrf", "rougeL", "token_f1", "distinct_2"}),
    ],
)
def test_a_task_brings_its_metrics(tmp_path: Path, task: str, keys: set[str]) -> None:
    report, samples = measure(tmp_path, REFERENCES, {"base": ANSWERS, "tuned": REFERENCES}, task=task)
    assert report["task"] == task
    assert keys | {"perplexity"} <= set(report["tuned"])
    assert report["tuned"].keys() == report["difference"].keys() == report["signatures"].keys()
    for key in {"rougeL", "token_f1", "length"} & keys:
        for side in SIDES:
            assert report[side][key] == pytest.approx(np.mean([row[f"{side}_{key}"] for row in samples]))
    for key in {"length", "distinct_1", "refusal_rate"} & keys:
        assert report["reference"][key] == pytest.approx(report["tuned"][key])  # tuned answers the references
    if "chrf" in keys:
        assert report["tuned"]["chrf"] == pytest.approx(100)
        found = report["difference"]["chrf"]
        assert found["value"] == pytest.approx(report["tuned"]["chrf"] - report["base"]["chrf"])
        assert found["low"] < found["value"] < found["high"]
        assert samples[1]["base_chrf"] != samples[2]["base_chrf"]


def test_metrics_that_are_asked_for_are_the_ones_measured(tmp_path: Path) -> None:
    report, samples = measure(
        tmp_path, REFERENCES, {"base": ANSWERS, "tuned": REFERENCES}, metrics=["bleu", "rouge2"]
    )
    assert list(report["base"]) == ["bleu", "rouge2"]
    assert report["signatures"]["bleu"].startswith("BLEU|nrefs:1|case:mixed|eff:no|tok:13a")
    assert {key for key in samples[0] if key.startswith("base_")} == {
        *(f"base_{key}" for key in ("answer", "nll", "tokens", "cut", "bleu", "rouge2"))
    }


def test_chinese_is_split_by_sacrebleus_chinese_tokenizer(tmp_path: Path) -> None:
    texts = ["今天天气很好。", "我喜欢学习语言。", "这本书很有意思。"]
    report, _ = measure(tmp_path, texts, {"base": texts[::-1], "tuned": texts}, metrics=["bleu", "chrf"])
    assert "tok:zh" in report["signatures"]["bleu"]
    assert report["tuned"]["bleu"] == pytest.approx(100)


def test_own_checks_are_metrics_of_their_own(tmp_path: Path) -> None:
    made = [
        {"kind": "regex", "name": "number", "pattern": r"\d"},
        {"kind": "contains", "name": "polite", "texts": ["please"]},
        {"kind": "json_schema", "name": "shape", "schema": {"type": "object"}},
    ]
    answers = {"base": ["a", "b 1", "please"], "tuned": ["1", "2 please", '{"a": 3}']}
    report, samples = measure(tmp_path, ["x", "y", "z"], answers, metrics=["exact_match"], checks=made)
    assert report["base"]["check_number"] == pytest.approx(1 / 3)
    assert report["tuned"]["check_number"] == 1
    assert report["tuned"]["check_polite"] == pytest.approx(1 / 3)
    assert report["tuned"]["check_shape"] == pytest.approx(1 / 3)
    assert [row["tuned_check_shape"] for row in samples] == [0, 0, 1]
    assert report["checks"] == made
    assert r"\d" in report["signatures"]["check_number"]


def test_rows_that_a_check_cannot_score_in_time_count_on_no_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MATCH_SECONDS", 0.05)
    made = [{"kind": "regex", "name": "slow", "pattern": "(a|aa)+$"}]
    hard = "a" * 60 + "-"
    answers = {"base": ["b", "a", "a"], "tuned": ["a", "a", hard]}
    report, samples = measure(tmp_path, ["x", "y", "z"], answers, metrics=["exact_match"], checks=made)
    assert samples[2]["tuned_check_slow"] is None
    assert report["metric_rows"]["check_slow"] == 2
    assert report["not_scored"] == {"check_slow": 1}
    assert (report["base"]["check_slow"], report["tuned"]["check_slow"]) == (0.5, 1.0)
    report, _ = measure(
        tmp_path, ["x"], {"base": [hard], "tuned": [hard]}, metrics=["exact_match"], checks=made
    )
    assert report["skipped"] == {"check_slow": "check_out_of_time"}
    assert "check_slow" not in report["base"]


def test_further_runs_are_compared_with_both(tmp_path: Path) -> None:
    answers = {"base": ANSWERS, "tuned": REFERENCES, "run2": ["", *REFERENCES[1:]]}
    report, samples = measure(tmp_path, REFERENCES, answers, metrics=["exact_match", "chrf", "perplexity"])
    other = report["others"]["run2"]
    assert other["metrics"]["exact_match"] == pytest.approx(1 - 1 / len(ANSWERS))
    assert other["difference"]["exact_match"]["verdict"] == "better"
    assert other["against_tuned"]["exact_match"]["value"] == pytest.approx(-1 / len(ANSWERS))
    assert other["against_tuned"]["perplexity"]["value"] < 0
    assert samples[0]["run2_exact_match"] == 0
    alone, _ = measure(
        tmp_path, REFERENCES, dict(list(answers.items())[:2]), metrics=["exact_match", "chrf", "perplexity"]
    )
    assert alone["difference"] == report["difference"]


def test_plain_texts_have_perplexity_only(tmp_path: Path) -> None:
    report, samples = measure(
        tmp_path,
        ["one text", "another"],
        {"base": [None, None], "tuned": [None, None]},
        checks=[{"kind": "contains", "name": "a", "texts": ["x"]}],
    )
    assert list(report["base"]) == ["perplexity"]
    assert {"exact_match", "chrf", "check_a"} <= set(report["skipped"])
    assert set(report["skipped"].values()) == {"no_prompts"}
    assert "tuned_perplexity" in samples[0]


def test_json_metrics_need_json_references(tmp_path: Path) -> None:
    report, _ = measure(tmp_path, ["x"] * 2, {"base": ["{}", "x"], "tuned": ["x", "x"]}, task="extraction")
    assert report["skipped"] == {"json_valid": "no_json_references", "fields": "no_json_references"}
    assert report["fields"] == {}


def test_one_row_and_equal_answers_say_nothing_about_chance(tmp_path: Path) -> None:
    report, _ = measure(tmp_path, ["a b c d"], {"base": ["a b"], "tuned": ["a b c d"]}, task="generation")
    assert report["difference"]["chrf"]["verdict"] == "one_row"
    assert report["difference"]["distinct_1"]["verdict"] == "same"
    report, _ = measure(tmp_path, REFERENCES, {"base": ANSWERS, "tuned": ANSWERS}, task="generation")
    verdicts = {key: one["verdict"] for key, one in report["difference"].items()}
    assert {key for key, verdict in verdicts.items() if verdict != "same"} == {"perplexity"}


def test_leaving_a_metric_out_changes_no_other_interval(tmp_path: Path) -> None:
    answers = {"base": ANSWERS, "tuned": REFERENCES}
    first, _ = measure(tmp_path, REFERENCES, answers, metrics=["chrf", "token_f1", "perplexity"])
    second, _ = measure(tmp_path, REFERENCES, answers, metrics=["token_f1"])
    for key in ("value", "low", "high", "p"):
        assert first["difference"]["token_f1"][key] == second["difference"]["token_f1"][key]
