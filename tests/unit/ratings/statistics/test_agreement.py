"""Against the published examples and against krippendorff, statsmodels and scikit-learn."""

import itertools
import random

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats import inter_rater

from ftkit.ratings.statistics.agreement import (
    Said,
    accord,
    fleiss_kappa,
    krippendorff_alpha,
    mean_cohen,
    trust_of,
)

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): sections A, B and C; a star is a missing value.
BINARY = ["0100000010", "1110010000"]
LETTERS = ["aabbdcccedda", "babbbccceddd"]
MISSING = ["123321412***", "1233224125*3", "*3332342251*", "12332441251*"]
# Fleiss 1971, table 1: 30 patients, diagnosed by 6 psychiatrists each.
FLEISS = [
    "444444",
    "222555",
    "233335",
    "555555",
    "222444",
    "113333",
    "333355",
    "113334",
    "114444",
    "555555",
    "144444",
    "124444",
    "222333",
    "144444",
    "224445",
    "333335",
    "111455",
    "111112",
    "224444",
    "133555",
    "555555",
    "244444",
    "224555",
    "114444",
    "144445",
    "222224",
    "111155",
    "224444",
    "133333",
    "555555",
]


def units(raters: list[str], number: bool = False) -> list[list]:
    return [
        [int(value) if number else value for value in column if value != "*"]
        for column in zip(*raters, strict=True)
    ]


def test_alpha_is_krippendorffs_own() -> None:
    assert krippendorff_alpha(units(BINARY), "nominal") == pytest.approx(0.095, abs=5e-4)
    assert krippendorff_alpha(units(LETTERS), "nominal") == pytest.approx(0.692, abs=5e-4)
    assert krippendorff_alpha(units(MISSING, number=True), "nominal") == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(units(MISSING, number=True), "ordinal") == pytest.approx(0.815, abs=5e-4)


@pytest.mark.parametrize("seed", range(6))
def test_alpha_is_that_of_the_library_with_missing_values(seed: int) -> None:
    draw = random.Random(seed)
    table = np.array([[draw.choice([1, 2, 3, 4, 5, np.nan]) for _ in range(30)] for _ in range(4)])
    said = [
        Said(str(unit), str(rater), int(value))
        for (rater, unit), value in np.ndenumerate(table)
        if not np.isnan(value)
    ]
    for level in ("nominal", "ordinal"):
        wanted = krippendorff.alpha(reliability_data=table, level_of_measurement=level)
        assert accord(said, level).alpha == pytest.approx(wanted)


def test_fleiss_is_that_of_his_paper_and_of_statsmodels() -> None:
    found, counted = fleiss_kappa([list(one) for one in FLEISS])
    assert (found, counted) == (pytest.approx(0.430, abs=5e-4), 30)
    table, _ = inter_rater.aggregate_raters(np.array([[int(value) for value in one] for one in FLEISS]))
    assert found == pytest.approx(inter_rater.fleiss_kappa(table))


@pytest.mark.parametrize("seed", range(6))
def test_fleiss_is_that_of_statsmodels(seed: int) -> None:
    draw = random.Random(seed)
    said = [[draw.choice("abt") for _ in range(3)] for _ in range(20)]
    table = [[unit.count(value) for value in "abt"] for unit in said]
    assert fleiss_kappa(said)[0] == pytest.approx(inter_rater.fleiss_kappa(table))


def test_fleiss_takes_the_units_with_the_most_frequent_number_of_raters() -> None:
    full = [["a", "a", "b"], ["a", "b", "b"], ["a", "a", "a"]]
    assert fleiss_kappa([*full, ["b", "b"]]) == (fleiss_kappa(full)[0], 3)


@pytest.mark.parametrize("seed", range(4))
def test_the_mean_of_cohens_kappa_is_that_of_scikit_learn(seed: int) -> None:
    draw = random.Random(seed)
    truth = [draw.choice("abt") for _ in range(40)]
    table = {rater: [one if draw.random() < 0.6 else draw.choice("abt") for one in truth] for rater in "xyz"}
    said = [Said(str(unit), rater, value) for rater, row in table.items() for unit, value in enumerate(row)]
    wanted = [cohen_kappa_score(table[one], table[other]) for one, other in itertools.combinations("xyz", 2)]
    assert mean_cohen(said) == (pytest.approx(np.mean(wanted)), 3)


def test_where_all_say_one_thing_nothing_is_defined() -> None:
    found = accord([Said(unit, rater, "tie") for unit in "abc" for rater in "xy"], "nominal")
    assert (found.units, found.share) == (3, 1)
    assert (found.alpha, found.trust, found.fleiss, found.cohen, found.meaning) == (
        None,
        "undefined",
        None,
        None,
        "undefined",
    )


def test_one_rater_agrees_with_nobody() -> None:
    found = accord([Said(unit, "x", "tie") for unit in "abc"], "nominal")
    assert (found.units, found.share, found.alpha, found.fleiss, found.cohen) == (0, None, None, None, None)
    assert accord([], "ordinal").units == 0


def test_ordered_values_have_no_kappa() -> None:
    found = accord([Said("a", "x", 1), Said("a", "y", 2), Said("b", "x", 5), Said("b", "y", 5)], "ordinal")
    assert (found.fleiss, found.cohen) == (None, None)
    assert found.alpha is not None
    assert found.alpha > 0.5


def test_a_word_for_alpha() -> None:
    words = [trust_of(alpha) for alpha in (0.9, 0.8, 0.7, 0.667, 0.3, -0.2, None)]
    assert words == [
        "reliable",
        "reliable",
        "tentative",
        "tentative",
        "unreliable",
        "unreliable",
        "undefined",
    ]
