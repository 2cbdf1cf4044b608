import pytest

from ftkit.ratings.studies.options import PROTOCOLS, Source
from ftkit.ui.i18n import LANGUAGES, say
from ftkit.ui.ratings import form
from ftkit.ui.ratings.cost import cost, sentence

GOOD = form.Wishes(
    name="Tickets", sides=["base:tiny", "run:r1"], protocol="pairs", source="split", split="s1", part="test",
    dataset=None, rows=60, texts="", overlap=3, gold=2, criteria="helpful\ncorrect\n", points=5,
    guidelines="Be fair.", reference=True, editing=True, longest=64, temperature=0, seed=42,
)  # fmt: skip


def test_the_fields_become_the_options_of_a_study() -> None:
    assert form.mistakes(GOOD, "en") == []
    made = form.options(GOOD)
    assert (made.name, made.protocol, made.sides, made.overlap, made.gold) == (
        "Tickets", "pairs", ("base:tiny", "run:r1"), 3, 2,
    )  # fmt: skip
    assert made.show_reference
    assert made.sampling.max_new_tokens == 64
    assert form.source(GOOD) == Source(split="s1", part="test")
    scales = form.options(GOOD._replace(protocol="scales", points=7))
    assert (scales.criteria, scales.points) == (("helpful", "correct"), 7)


def test_prompts_of_one_s_own_have_no_known_answer() -> None:
    own = GOOD._replace(source="own", texts=" One? \n\nTwo?", split=None, rows=None)
    assert form.mistakes(own, "en") == []
    assert own.prompts == ["One?", "Two?"]
    made = form.options(own)
    assert (made.gold, made.show_reference) == (0, False)
    assert form.source(own) == Source()
    assert form.source(GOOD._replace(source="dataset", dataset="d1")) == Source(dataset="d1")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"sides": ["run:r1"]}, "sides"),
        ({"sides": [], "protocol": "pass_fail"}, "sides_one"),
        ({"split": None}, "split"),
        ({"source": "dataset"}, "dataset"),
        ({"source": "own", "texts": " \n "}, "texts"),
        ({"rows": None}, "rows"),
        ({"overlap": 0}, "overlap"),
        ({"gold": 101}, "gold"),
        ({"protocol": "scales", "criteria": "Helpful\nhelpful"}, "criteria"),
        ({"protocol": "scales", "criteria": None}, "criteria"),
        ({"protocol": "scales", "points": 1}, "points"),
        ({"longest": None}, "longest"),
        ({"temperature": -1}, "temperature"),
        ({"seed": -1}, "seed"),
    ],
)
def test_each_mistake_is_said(change: dict, mistake: str, lang: str) -> None:
    assert form.mistakes(GOOD._replace(**change), lang) == [say(f"ratings.mistake.{mistake}", lang)]


def test_without_a_cost_it_says_what_is_missing_for_one() -> None:
    own = GOOD._replace(source="own", texts="")
    assert form.missing(own, 0, "en") == say("ratings.cost.no_texts", "en")
    assert form.missing(GOOD, 0, "en") == say("ratings.cost.missing", "en")
    assert form.missing(GOOD._replace(sides=[]), 5, "en") == say("ratings.mistake.sides", "en")
    assert form.missing(GOOD._replace(overlap=None), 5, "en") == say("ratings.mistake.overlap", "en")


def test_what_another_protocol_asks_for_is_no_mistake() -> None:
    assert form.mistakes(GOOD._replace(criteria="", points=None), "en") == []
    assert form.mistakes(GOOD._replace(protocol="pass_fail", sides=["run:r1"]), "en") == []


def test_guidelines_of_one_s_own_are_known_from_the_default_ones() -> None:
    for lang in LANGUAGES:
        assert len({form.guidelines(protocol, lang) for protocol in PROTOCOLS}) == len(PROTOCOLS)
        assert form.is_default(form.guidelines("ranking", lang), PROTOCOLS)
    assert form.is_default(None, PROTOCOLS)
    assert not form.is_default("Mine.", PROTOCOLS)


def test_a_model_s_name_in_what_raters_read_is_noticed() -> None:
    assert form.named_in("Is SMOLLM2 good?", ["tiny", "SmolLM2"]) == "SmolLM2"
    assert form.named_in("Is it good?", ["it", "tiny"]) == ""


def test_the_cost_counts_people_s_time() -> None:
    told = cost("pairs", 2, 60, 3, 0, 0)
    assert (told.items, told.ratings, told.ratings * told.seconds) == (60, 180, 7200)
    assert (
        "Ratings to give: 180 (items 60 × raters per item 3), about 2 hours of people's time (40 s each)"
        in str(sentence(told, "en")).replace("&#39;", "'")
    )
    assert cost("pairs", 3, 10, 1, 0, 0).items == 30
    assert cost("ranking", 3, 10, 1, 0, 0).items == 10
    assert cost("scales", 2, 10, 1, 0, 4).seconds > cost("pass_fail", 2, 10, 1, 0, 4).seconds
    assert "items that test attention, for each rater: 4" in sentence(cost("pairs", 2, 60, 3, 4, 0), "en")
