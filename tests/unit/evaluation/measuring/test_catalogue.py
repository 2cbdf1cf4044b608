import pytest

from ftkit.evaluation.measuring.catalogue import FIELDS, METRICS, TASKS, kind_of, suggested


def test_every_task_has_its_metrics_and_every_metric_its_key() -> None:
    for task in TASKS:
        assert "perplexity" in suggested(task)
        assert len(suggested(task)) > 3
    assert all(key == metric.key for key, metric in METRICS.items())
    assert "bleu" in suggested("translation")
    assert {"json_valid", FIELDS} <= set(suggested("extraction"))
    assert {"accuracy", "macro_f1", "micro_f1"} <= set(suggested("classification"))
    assert {"rouge1", "rouge2", "rougeL"} <= set(suggested("summarising"))


@pytest.mark.parametrize(
    ("key", "fields", "kind", "field"),
    [
        ("bleu", [], "bleu", ""),
        ("mood_accuracy", ["mood"], "field_accuracy", "mood"),
        ("mood_macro_f1", ["mood"], "field_macro_f1", "mood"),
        ("note_token_f1", ["note"], "field_token_f1", "note"),
        ("token_f1", ["token"], "token_f1", ""),
        ("macro_f1", [""], "macro_f1", ""),
        ("_macro_f1_accuracy", ["_macro_f1"], "field_accuracy", "_macro_f1"),
        ("check_order", [], "check", "order"),
        ("check_accuracy", ["check"], "field_accuracy", "check"),
    ],
)
def test_a_key_of_a_report_is_a_metric_of_a_field_or_of_the_whole(
    key: str, fields: list[str], kind: str, field: str
) -> None:
    found, about = kind_of(key, fields)
    assert (found.key, about) == (kind, field)
