import pytest

from ftkit.ratings.results.rated import Rated
from ftkit.ratings.studies.items import ItemAnswer
from ftkit.ui.i18n import LANGUAGES, say
from ftkit.ui.ratings import said
from tests.unit.ui.ratings.study import HOSTILE, NOW, SIDES, item, rater

LABELS = {"base:tiny": "Base", "run:r1": "First"}


def rated(**values) -> Rated:
    return Rated("i0", 0, "p1", SIDES, (1, 0), values, 9.0)


def shown(of=None, **values) -> str:
    return str(said.said(of or item(), [rated(**values)], {"p1": "Ayşe"}, LABELS, "en"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"choice": 0}, "better: Base"),
        ({"choice": 1}, "better: First"),
        ({"choice": "tie"}, say("ratings.said.tie", "en")),
        ({"choice": "both_bad"}, say("ratings.said.both_bad", "en")),
        ({"scores": [{"clear": 5, "kind": 2}, {"clear": 1}]}, "Base: clear 5, kind 2; First: clear 1"),
        ({"ranks": [2, 1]}, "Base: place 2; First: place 1"),
        ({"passed": [True, False]}, "Base: passed; First: failed"),
        ({"choice": 0, "flag": True}, say("ratings.said.flag", "en")),
        ({}, "<strong>Ayşe</strong>"),
    ],
)
def test_a_rating_is_told_in_words_with_the_models_names(values: dict, words: str) -> None:
    assert words in shown(**values)


def test_a_better_answer_says_which_one_it_replaces() -> None:
    html = shown(choice=0, comment="Too long.", edits={"1": "Shorter."})
    assert say("ratings.said.edit", "en", name="First") in html
    assert html.index("Too long.") < html.index("Shorter.")
    assert say("ratings.said.comment", "en") not in shown(choice=0, comment=" ")
    assert said.said(item(), [], {}, LABELS, "en") == ""


def test_answers_without_a_model_are_told_apart() -> None:
    gold = item(answers=(ItemAnswer(side="", text="a"), ItemAnswer(side="", text="b")), gold=1)
    assert say("ratings.said.right", "en") in shown(gold, choice=1)
    assert say("ratings.said.other", "en") in shown(gold, choice=0)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_that_a_rater_says_can_write_into_the_page(lang: str) -> None:
    values = {"scores": [{HOSTILE: 1}], "comment": HOSTILE, "edits": {"0": HOSTILE}}
    html = said.said(item(), [rated(**values)], {"p1": HOSTILE}, {SIDES[0]: HOSTILE}, lang)
    assert "<img" not in html
    assert html.count("&lt;img") == 6


def test_a_rater_whose_link_was_taken_back_is_known() -> None:
    assert said.rater_name(rater(), "en") == HOSTILE
    assert said.rater_name(rater(revoked_at=NOW), "en") == say("ratings.rater.revoked", "en", name=HOSTILE)
