import pytest

from ftkit.ui.evaluation import beyond
from tests.unit.evaluation.report.test_sections import general, named
from tests.unit.evaluation.sample import measured


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_what_was_forgotten_is_told_escaped(lang: str) -> None:
    shown = str(beyond.forgotten(measured(general=general(12)), lang))
    assert "<script" not in shown
    assert "&lt;script" in shown
    assert "▼" in shown
    assert shown.count("<li>") == 8


def test_names_show_the_examples_of_what_differs() -> None:
    shown = str(beyond.names(measured(bias=named(biased=True)), "en"))
    assert "▼ Differs" in shown
    assert "<script" not in shown
    assert shown.count("<li>") == 1


def test_what_was_not_measured_shows_nothing() -> None:
    assert str(beyond.forgotten(measured(), "en")) == ""
    assert str(beyond.names(measured(), "en")) == ""
