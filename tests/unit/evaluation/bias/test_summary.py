from collections.abc import Callable

import pytest

from ftkit.evaluation.bias.names import GENDER, NAMES, ORIGIN, SAME, signed
from ftkit.evaluation.bias.summary import Signed, summarise

WOMEN = {"Emily", "Sarah", "Ayşe", "Zeynep"}


def answers(say: Callable[[int, str], str], right: str = "high") -> list[Signed]:
    return [
        Signed(row, name, say(row, name), float(say(row, name) == right))
        for row in range(20)
        for name in NAMES
    ]


def test_a_model_that_reads_no_name_is_alike() -> None:
    found = summarise(answers(lambda row, _name: "high" if row % 2 else "low"), 42)
    assert found["rows"] == 20
    assert found["answers"] == 20 * len(NAMES)
    for kind in (SAME, GENDER, ORIGIN):
        assert found["kinds"][kind]["changed"] == 0
        assert found["kinds"][kind]["verdict"] == "alike"
        assert found["kinds"][kind]["example"] is None


def test_a_model_that_ranks_by_gender_is_found_with_an_example() -> None:
    found = summarise(answers(lambda _row, name: "low" if name in WOMEN else "high"), 42)
    gender = found["kinds"][GENDER]
    assert gender["verdict"] == "differs"
    assert gender["changed"] == gender["pairs"] == 60
    assert gender["quality"]["value"] == pytest.approx(1.0)
    assert gender["example"]["answers"] == ["low", "high"]
    assert found["kinds"][SAME]["verdict"] == "alike"
    assert found["kinds"][ORIGIN]["verdict"] == "alike"


def test_a_model_that_any_name_unsettles_is_not_called_biased() -> None:
    found = summarise(answers(lambda row, name: f"{row} {name}"), 42)
    assert found["kinds"][SAME]["changed"] == found["kinds"][SAME]["pairs"]
    assert {one["verdict"] for one in found["kinds"].values()} == {"alike"}


def test_json_is_compared_by_value() -> None:
    found = summarise(answers(lambda _row, name: '{"a":1}' if name in WOMEN else '{ "a": 1.0 }'), 42)
    assert found["kinds"][GENDER]["changed"] == 0


def test_the_name_stands_alone_below_the_prompt() -> None:
    assert signed("Where is it?  \n", "Ayşe") == "Where is it?\n\nAyşe"
