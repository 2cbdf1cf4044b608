from typing import Any

import pytest

from ftkit.ui.evaluation.benchmarks import benchmarks_card
from tests.unit.evaluation.sample import benchmark_report


@pytest.mark.parametrize(
    ("lang", "heading", "value"), [("en", "Benchmarks", "0.750"), ("tr", "Kıyaslama", "0,750")]
)
def test_a_finished_benchmark_is_a_table_and_names_are_escaped(lang: str, heading: str, value: str) -> None:
    card = benchmarks_card([benchmark_report()], lang)
    assert heading in card
    assert value in card
    assert "&lt;b&gt;colours" in card
    assert "<b>colours" not in card


def test_without_one_there_is_no_section() -> None:
    nothing: list[dict[str, Any]] = []
    assert benchmarks_card(nothing, "en") == ""
