from ftkit.evaluation.judge.agreement import metric_verdicts


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
