import random

import pytest
from sklearn.metrics import cohen_kappa_score

from ftkit.evaluation.judge.agreement import agreement, agreement_by_row, metric_verdicts


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    draw = random.Random(seed)
    labels = ["base", "tuned", "tie"][: 2 + seed % 2]
    first = draw.choices(labels, k=5 + 5 * seed)
    second = [one if draw.random() < 0.6 else draw.choice(labels) for one in first]
    first[0], second[0] = "base", "tuned"
    found = agreement(zip(first, second, strict=True))
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
    assert found.share == sum(a == b for a, b in zip(first, second, strict=True)) / len(first)


def test_edges() -> None:
    assert agreement([]) == (0, None, None, "undefined")
    assert agreement([("base", "base")] * 3) == (3, 1.0, None, "undefined")
    assert agreement([("base", "tuned"), ("tuned", "base")]) == (2, 0.0, -1.0, "none")
    assert agreement([("base", "base"), ("tuned", "tuned")]) == (2, 1.0, 1.0, "almost_perfect")


@pytest.mark.parametrize(
    ("equal", "meaning"),
    [(5, "none"), (6, "slight"), (7, "fair"), (8, "moderate"), (9, "substantial"), (10, "almost_perfect")],
)
def test_a_word_for_kappa(equal: int, meaning: str) -> None:
    pairs = [("base", "base"), ("tuned", "tuned")] * equal + [("base", "tuned"), ("tuned", "base")] * (
        10 - equal
    )
    assert agreement(pairs).meaning == meaning


def test_only_rows_of_both_raters_count() -> None:
    assert agreement_by_row({1: "base", 2: "tuned", 3: "tie"}, {2: "tuned", 3: "base", 4: "base"}).rows == 2


def test_a_metric_prefers_the_higher_score() -> None:
    rows = [
        {
            "row": 4,
            "base_bleu": 0.2,
            "tuned_bleu": 0.1,
            "base_mood_accuracy": 0.0,
            "tuned_mood_accuracy": 1.0,
            "base_length": 1,
            "tuned_length": 9,
        }
    ]
    assert metric_verdicts(rows) == {"bleu": {4: "base"}, "mood_accuracy": {4: "tuned"}}
