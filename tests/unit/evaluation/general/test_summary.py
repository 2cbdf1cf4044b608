import pytest

from ftkit.evaluation.general.summary import Result, summarise


def results(skill: str, outcomes: str) -> list[Result]:
    """One result a sign: = both right, - lost, + won, . neither."""
    return [
        Result(f"{skill}-{n}", skill, "q", "a", sign in "=-", sign in "=+", "x", "y")
        for n, sign in enumerate(outcomes)
    ]


def test_a_model_that_loses_what_it_knew_fell() -> None:
    found = summarise([*results("knowledge", "=" * 4 + "-" * 12), *results("arithmetic", "=.=.")])
    assert found["overall"]["verdict"] == "fell"
    assert found["overall"]["base"] == pytest.approx(18 / 20)
    assert found["overall"]["tuned"] == pytest.approx(6 / 20)
    assert found["overall"]["difference"]["value"] == pytest.approx(-0.6)
    assert found["skills"]["knowledge"]["verdict"] == "fell"
    assert found["skills"]["arithmetic"]["verdict"] == "held"
    assert len(found["lost"]) == 12
    assert found["won"] == []


def test_a_few_changes_are_no_fall() -> None:
    found = summarise(results("knowledge", "=" * 10 + "--+"))
    assert found["overall"]["verdict"] == "held"
    assert found["overall"]["difference"]["value"] == pytest.approx(-1 / 13)
    assert found["overall"]["difference"]["low"] < -0.3  # what cannot be ruled out
    assert len(found["won"]) == 1


def test_what_is_significant_once_is_not_after_four_looks() -> None:
    """Six lost of six: p = 0.016 alone, 0.063 as one of four skills."""
    parts = [results(skill, "=" * 6) for skill in ("arithmetic", "turkish", "instructions")]
    found = summarise([*results("knowledge", "-" * 6), *(one for part in parts for one in part)])
    assert found["skills"]["knowledge"]["difference"]["p"] == pytest.approx(1 / 64)
    assert found["skills"]["knowledge"]["verdict"] == "held"
    assert found["overall"]["verdict"] == "fell"


def test_learning_more_is_said_too() -> None:
    assert summarise(results("turkish", "+" * 10 + "==="))["overall"]["verdict"] == "rose"
