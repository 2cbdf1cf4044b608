from typing import Any

import numpy as np
import pytest

from ftkit.evaluation.errors.measures import Measure
from ftkit.evaluation.errors.slices import Dimension, compared, dimensions, measured
from ftkit.evaluation.measuring.scores import json_fields

RIGHT = Measure("accuracy", binary=True)
GRADED = Measure("token_f1", binary=False)


def rows(**columns: list[Any]) -> list[dict[str, Any]]:
    count = len(next(iter(columns.values())))
    plain = {"prompt": ["a"] * count, "reference": ["x " * n for n in range(count)], **columns}
    return [{name: values[n] for name, values in plain.items()} for n in range(count)]


def cut(values: list[str]) -> Dimension:
    return Dimension("column:shop", "column", "shop", tuple(values), {})


def test_lengths_are_cut_into_quarters_with_their_bounds():
    samples = rows(prompt=["w " * n for n in range(1, 41)])
    (prompts, _) = dimensions(samples, [])
    assert prompts.key == "prompt_length"
    assert dict(prompts.bounds) == {"1": (1, 10), "2": (11, 20), "3": (21, 30), "4": (31, 40)}
    assert prompts.values == tuple("1234"[n // 10] for n in range(40))


def test_rows_of_one_length_stay_together_and_one_length_alone_cuts_nothing():
    samples = rows(prompt=["a"] * 30 + ["a b c"] * 10, reference=["same"] * 40)
    found = dimensions(samples, [])
    assert [one.key for one in found] == ["prompt_length"]
    assert dict(found[0].bounds) == {"1": (1, 1), "2": (3, 3)}


def test_labels_languages_topics_and_columns_cut_the_rows():
    references = ['{"mood": "sad"}', '{"mood": "glad"}'] * 4
    samples = rows(
        reference=references, language=["en", "tr"] * 4, topic=["a, b", None] * 4, column_shop=["x", "y"] * 4
    )
    found = {one.key: one.values for one in dimensions(samples, json_fields(references))}
    assert found == {
        "label:mood": ("sad", "glad") * 4,
        "language": ("en", "tr") * 4,
        "column:shop": ("x", "y") * 4,
    }


def test_short_references_that_come_again_are_labels():
    samples = rows(reference=["yes", "no", "yes", " no "])
    assert [one.values for one in dimensions(samples, []) if one.kind == "reference"] == [
        ("yes", "no", "yes", "no")
    ]
    assert not [
        one for one in dimensions(rows(reference=["a", "b", "c", "d"]), []) if one.kind == "reference"
    ]


def test_a_weak_slice_stands_out_and_a_small_one_says_nothing():
    values = ["good"] * 60 + ["bad"] * 30 + ["tiny"] * 9
    samples = [
        {"base_accuracy": 0.0, "tuned_accuracy": float(n < 55 or (60 <= n < 66) or n >= 90)}
        for n in range(99)
    ]
    found = {one.value: one for one in measured(samples, [cut(values)], RIGHT)}
    assert (found["bad"].says, found["tiny"].says, found["good"].says) == ("weak", "few", "better")
    assert (found["bad"].rows, found["bad"].base, found["bad"].tuned) == (30, 0.0, 0.2)
    assert found["tiny"].low is None
    assert compared(list(found.values())) == 2


def test_a_slice_on_which_tuning_did_harm_is_said_so():
    samples = [{"base_accuracy": 1.0, "tuned_accuracy": float(n % 2 == 0)} for n in range(40)]
    (one, _) = measured(samples, [cut(["a"] * 20 + ["b"] * 20)], RIGHT)
    assert one.says == "worse"
    assert one.difference == -0.5
    assert one.low < -0.5 < one.high < 0


def test_the_interval_of_a_graded_score_is_student_s():
    generator = np.random.default_rng(3)
    base, tuned = generator.random(12), generator.random(12)
    samples = [{"base_token_f1": b, "tuned_token_f1": t} for b, t in zip(base, tuned, strict=True)]
    samples += [{"base_token_f1": 0.5, "tuned_token_f1": 0.5}] * 12
    first, second = measured(samples, [cut(["a"] * 12 + ["b"] * 12)], GRADED)
    change = tuned - base
    half = (
        2.200985 * change.std(ddof=1) / np.sqrt(12)
    )  # quantile 0.975 of Student's t with 11 degrees of freedom
    assert (first.low, first.high) == pytest.approx((change.mean() - half, change.mean() + half), abs=1e-6)
    assert (second.difference, second.low, second.says) == (0.0, None, "nothing")


def test_chance_alone_marks_few_slices():
    generator = np.random.default_rng(0)
    marked = 0
    for _ in range(100):
        samples = [
            {"base_accuracy": float(b), "tuned_accuracy": float(t)}
            for b, t in generator.integers(0, 2, (120, 2))
        ]
        cuts = [cut([str(n % k) for n in range(120)]) for k in (2, 3, 4)]
        marked += any(one.says in ("worse", "weak", "better") for one in measured(samples, cuts, RIGHT))
    assert marked <= 10


def test_perplexities_are_averaged_as_logarithms():
    samples = [{"base_nll": 1.0, "tuned_nll": float(n), "scored_tokens": 1} for n in range(20)]
    first, second = measured(
        samples, [cut(["a"] * 10 + ["b"] * 10)], Measure("perplexity", False, lower=True)
    )
    assert first.tuned == pytest.approx(np.exp(4.5))
    assert second.says == "worse"
    assert second.difference > 0
