import pytest

from ftkit.ui.evaluation import scores
from tests.unit.evaluation.sample import difference, measured

ATTACK = "<script>alert(1)</script>"


def judged(**changes: object) -> dict[str, object]:
    return {**difference(0.31), "p_adjusted": 0.01, "verdict": "better", "rows_needed": None, **changes}


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        (
            "en",
            ["Better: +31.0 points, 95 % interval +21.0 to +41.0, 16 rows.", "40% … 60%", "adjusted (Holm)"],
        ),
        (
            "tr",
            ["Daha iyi: +31,0 puan, %95 aralığı +21,0 ile +41,0 arası, 16 satır.", "düzeltilmiştir (Holm)"],
        ),
    ],
)
def test_the_table_says_each_metric_in_a_sentence(lang: str, expected: list[str]) -> None:
    numbers = measured(
        fields={},
        base={"accuracy": 0.2},
        tuned={"accuracy": 0.51},
        difference={"accuracy": judged()},
        intervals={"base": {"accuracy": [0.1, 0.3]}, "tuned": {"accuracy": [0.4, 0.6]}},
        task="classification",
        signatures={"check_x": ATTACK},
        skipped={"json_valid": "no_json_references"},
    )
    html = scores.scores_table(numbers, lang)
    for text in expected:
        assert text in html
    assert ATTACK not in html
    assert "&lt;script&gt;" in html


def test_labels_have_their_table_and_their_confusion() -> None:
    classes = {**measured()["fields"]["mood"], "labels": [ATTACK, "sad"]}
    html = scores.labels(measured(fields={}, classes=classes), "en")
    assert "Label by label: The whole answer" in html
    assert html.count("<table") == 2
    assert ATTACK not in html
    assert scores.labels(measured(fields={}, classes=None), "en") == ""
    assert "Label by label: mood" in scores.labels(measured(), "en")
