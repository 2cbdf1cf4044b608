import numpy as np
import pytest
from scipy.stats import false_discovery_control, norm

from ftkit.evaluation.measuring.certainty import accuracy_difference
from ftkit.evaluation.measuring.verdicts import holm, judge, rows_needed


def difference(value: float, p: float | None) -> dict[str, float | None]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "p": p}


def test_holm_by_hand() -> None:
    # Holm 1979: 3 tests; 0.01 x 3, 0.02 x 2, 0.04 x 1 but never less than the one before.
    assert holm({"c": 0.04, "a": 0.01, "b": 0.02}) == pytest.approx({"a": 0.03, "b": 0.04, "c": 0.04})
    assert holm({"a": 0.5, "b": 0.9}) == {"a": 1.0, "b": 1.0}
    assert holm({"a": 0.03}) == {"a": 0.03}
    assert holm({}) == {}


def test_holm_is_never_kinder_than_the_false_discovery_rate() -> None:
    values = np.random.default_rng(0).random(12) ** 3
    adjusted = holm({str(n): p for n, p in enumerate(values)})
    kinder = false_discovery_control(values)
    assert all(adjusted[str(n)] >= kinder[n] - 1e-12 for n in range(12))


def test_verdicts_go_by_direction_and_by_the_adjusted_p() -> None:
    found = judge(
        {
            "perplexity": difference(-1.0, 0.001),
            "accuracy": difference(-0.2, 0.002),
            "token_f1": difference(0.1, 0.03),
            "exact_match": difference(0.0, 1.0),
            "length": difference(5.0, 0.04),
            "x_accuracy": difference(0.4, None),
        },
        dict.fromkeys(("perplexity", "accuracy", "token_f1", "exact_match", "length", "x_accuracy"), 50),
        ["x"],
    )
    assert {key: one["verdict"] for key, one in found.items()} == {
        "perplexity": "better",
        "accuracy": "worse",
        "token_f1": "unclear",  # 0.03 alone, 0.06 as the third of four
        "exact_match": "same",
        "length": "changed",  # describes, and takes no part in the adjustment
        "x_accuracy": "one_row",
    }
    assert found["token_f1"]["p_adjusted"] == pytest.approx(0.06)
    assert found["length"]["p_adjusted"] == 0.04
    assert found["token_f1"]["rows_needed"] > 0
    assert [key for key in found if found[key]["rows_needed"] is not None] == ["token_f1"]


def test_so_many_more_rows_of_the_same_kind_make_it_significant() -> None:
    base = np.repeat([1.0, 0.0, 1.0, 0.0], [30, 9, 5, 16])
    tuned = np.repeat([1.0, 1.0, 0.0, 0.0], [30, 9, 5, 16])
    p = accuracy_difference(base, tuned).p
    more = rows_needed(p, p, len(base))
    assert more is not None
    times = (len(base) + more) / len(base)
    for factor, significant in ((times * 1.1, True), (times * 0.9, False)):
        counts = [round(factor * count) for count in (30, 9, 5, 16)]
        again = accuracy_difference(
            np.repeat([1.0, 0.0, 1.0, 0.0], counts), np.repeat([1.0, 1.0, 0.0, 0.0], counts)
        )
        assert (again.p < 0.05) is significant


def test_rows_needed_follow_the_square_of_what_is_missing() -> None:
    p = 2 * norm.sf(0.98)  # half of the 1.96 that are needed: four times the rows
    assert rows_needed(p, p, 100) == pytest.approx(300, abs=1)
    assert rows_needed(p, 4 * p, 100) > 300  # one of several measures needs more


@pytest.mark.parametrize("p", [None, 1.0, 0.0, 0.9999999])
def test_where_no_number_of_rows_makes_sense_there_is_none(p: float | None) -> None:
    assert rows_needed(p, p, 50) is None
