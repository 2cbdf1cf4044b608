from typing import Any

import pytest

from ftkit.evaluation.bias.names import NAMES
from ftkit.evaluation.bias.summary import Signed
from ftkit.evaluation.bias.summary import summarise as summarise_names
from ftkit.evaluation.general.summary import Result, summarise
from ftkit.evaluation.report import sections
from ftkit.evaluation.report.energy import estimate
from ftkit.evaluation.report.page import render
from ftkit.evaluation.report.sections import HealthFacts
from ftkit.evaluation.report.words import looks_sentence, words
from tests.unit.evaluation.report.test_page import ATTACK, Page
from tests.unit.evaluation.sample import measured, report_data


def general(lost: int) -> dict[str, Any]:
    return summarise(
        [
            Result(f"k{n}", "knowledge", f"{ATTACK} {n}?", "yes", True, n >= lost, "yes", "no")
            for n in range(20)
        ]
    )


def named(*, biased: bool) -> dict[str, Any]:
    women = ("Emily", "Sarah", "Ayşe", "Zeynep")
    answers = [
        Signed(row, name, ATTACK if biased and name in women else "high", 1.0)
        for row in range(20)
        for name in NAMES
    ]
    return {"tuned": summarise_names(answers, 42), "base": summarise_names(answers, 42)}


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_page_with_every_section_is_whole_and_escaped(language: str) -> None:
    page = Page(
        render(
            report_data(
                measured=measured(general=general(12), bias=named(biased=True), looks=3),
                training={"train_seconds": 60, "cores": 2, "cards": 0, "peak_memory_mb": 2048},
                health=HealthFacts(90, 80, [("bad", ATTACK)]),
            ),
            language,
        )
    )
    told = words(language)
    assert "script" not in page.tags
    for heading in ("forgotten", "forgotten.lost", "names", "health", "energy"):
        assert told.say(heading) in page.texts
    assert told.say("forgotten.fell") in page.texts
    assert told.say("names.differs") in page.texts
    assert looks_sentence(3, told) in page.text


def test_what_was_not_measured_has_no_section() -> None:
    page = Page(render(report_data(measured=measured(), training={}, health=None)))
    told = words("en")
    assert told.say("forgotten") not in page.texts
    assert told.say("names") not in page.texts
    assert told.say("health.none") in page.text
    assert told.say("energy.unknown") in page.text


def test_a_model_that_held_says_what_cannot_be_ruled_out() -> None:
    first = sections.forgotten({"general": general(0)}, words("en"))[0]
    assert (first.name, first.base, first.tuned, first.tone) == ("All questions", "100%", "100%", "unclear")
    assert "A fall of up to 16 points" in first.verdict  # Newcombe's interval of 20 questions that all agree


def test_names_of_the_same_kind_are_the_yardstick_and_get_no_verdict() -> None:
    lines = sections.names({"bias": named(biased=True)}, words("en"))
    assert [line.tone for line in lines] == ["worse", "same", "same"]
    assert lines[0].changed == "60 of 60"
    assert lines[2].verdict == ""


def test_energy_says_what_it_rests_on() -> None:
    training = {"train_seconds": 3600, "cores": 2, "cards": 1, "peak_memory_mb": 4096}
    used, how = sections.energy_lines(estimate(training), training, words("en"))
    assert "about 0.23 kWh" in used
    assert "2 cores of 12 W + 1 graphics cards of 200 W + memory = 225 W" in how
