import evaluate
import numpy as np
import pytest

from ftkit.evaluation.measuring.scores import json_fields, row_scores
from ftkit.workers.evaluation.metrics import (
    SIDES,
    ExactMatch,
    FieldLabels,
    JsonValid,
    Perplexity,
    Summary,
    TokenF1,
    confusion,
)

pytestmark = pytest.mark.training  # importing evaluate takes seconds

REFERENCES = [
    '{{"kind": "a", "note": "{}"}}'.format(f"a note that is long enough to be a text and no category, {n}")
    for n in range(6)
] + ['{"kind": "b", "note": "short"}'] * 2


def rows(base: list[str], tuned: list[str]) -> list[dict[str, object]]:
    found = []
    fields = json_fields(REFERENCES)
    for number, reference in enumerate(REFERENCES):
        row = {"reference": reference, "scored_tokens": number + 1}
        for side, answers in (("base", base), ("tuned", tuned)):
            row |= {
                f"{side}_answer": answers[number],
                f"{side}_nll": (2.0 if side == "base" else 1.0) * (number + 1),
            }
            row |= {f"{side}_{k}": v for k, v in row_scores(answers[number], reference, fields).items()}
        found.append(row)
    return found


@pytest.fixture
def summary(tmp_path) -> Summary:
    base = ["no json"] * 4 + ['{"kind": "a", "note": ""}'] * 4
    return Summary(rows(base, REFERENCES), 1, tmp_path)


def test_metrics_combine_as_those_of_the_hub_do(tmp_path) -> None:
    both = evaluate.combine([ExactMatch(cache_dir=str(tmp_path)), TokenF1(cache_dir=str(tmp_path))])
    found = both.compute(predictions=["a b", "c"], references=["a c", "c"])
    assert found == {"exact_match": 0.5, "token_f1": 0.75}


def test_metrics_take_batches(tmp_path) -> None:
    metric = JsonValid(cache_dir=str(tmp_path))
    metric.add_batch(predictions=["{}", "x"], references=["", ""])
    metric.add(prediction='{"a": 1}', reference="")
    assert metric.compute() == {"json_valid": pytest.approx(2 / 3)}


def test_macro_f1_averages_over_the_labels_of_the_references(tmp_path) -> None:
    found = FieldLabels(cache_dir=str(tmp_path)).compute(
        predictions=["a", "", "invented", "b"], references=["a", "a", "b", "b"]
    )
    assert found["accuracy"] == 0.5
    assert found["f1"] == pytest.approx({"a": 2 / 3, "b": 2 / 3})
    assert found["macro_f1"] == pytest.approx(2 / 3)  # neither "" nor "invented" is a label of its own


def test_perplexity_is_over_tokens(tmp_path) -> None:
    found = Perplexity(cache_dir=str(tmp_path)).compute(predictions=[1.0, 30.0], references=[1, 10])
    assert found["perplexity"] == pytest.approx(np.exp(31 / 11))


def test_confusion_counts_every_answer_once() -> None:
    table = confusion(["a", "a", "a", "b"], ["a", "b", "", "c"], ["a", "b"])
    assert table == [[1, 1, 1], [0, 0, 1]]


def test_a_summary_compares_both_sides_on_the_same_rows(summary: Summary) -> None:
    summary.perplexity()
    assert summary.base["perplexity"] == pytest.approx(np.exp(2))
    assert summary.tuned["perplexity"] == pytest.approx(np.exp(1))
    assert summary.difference["perplexity"]["ratio"] == pytest.approx(np.exp(-1))
    for name, metric in {"exact_match": ExactMatch, "token_f1": TokenF1, "json_valid": JsonValid}.items():
        assert summary.answers(metric, name)
    assert (summary.base["json_valid"], summary.tuned["json_valid"]) == (0.5, 1.0)
    assert (summary.base["exact_match"], summary.tuned["exact_match"]) == (0.0, 1.0)
    assert set(summary.metric_rows.values()) == {8}


def test_a_summary_of_fields(summary: Summary) -> None:
    for field in json_fields(REFERENCES):
        summary.field(field)
    assert summary.base["kind_accuracy"] == 0.25
    assert summary.base["kind_macro_f1"] == pytest.approx((2 * 2 / (4 + 6) + 0) / 2)
    assert summary.tuned["kind_macro_f1"] == 1
    kind = summary.fields["kind"]
    assert kind["labels"] == ["a", "b"]
    assert kind["missing"] == {"base": 4, "tuned": 0}
    assert kind["confusion"]["base"] == [[2, 0, 4], [2, 0, 0]]
    assert kind["f1"]["tuned"] == [1, 1]
    assert summary.fields["note"]["kind"] == "text"
    assert "note_accuracy" not in summary.base
    assert summary.tuned["note_token_f1"] == 1


def test_numbers_agree_with_the_scores_of_the_rows(summary: Summary) -> None:
    summary.answers(TokenF1, "token_f1")
    for side in SIDES:
        mean = np.mean([row[f"{side}_token_f1"] for row in summary._rows])
        assert getattr(summary, side)["token_f1"] == pytest.approx(mean)


def test_a_metric_that_no_reference_allows_is_not_measured(tmp_path) -> None:
    row = {"reference": "x", "base_answer": "x", "tuned_answer": "x", "base_json_valid": None}
    summary = Summary([row], 1, tmp_path)
    assert not summary.answers(JsonValid, "json_valid")
    assert summary.base == {}


def test_leaving_a_metric_out_changes_no_other_interval(tmp_path) -> None:
    answers = ["no json"] * 8
    first, second = (Summary(rows(answers, REFERENCES), 1, tmp_path) for _ in range(2))
    first.perplexity()
    first.answers(TokenF1, "token_f1")
    second.answers(TokenF1, "token_f1")
    assert first.difference["token_f1"] == second.difference["token_f1"]
