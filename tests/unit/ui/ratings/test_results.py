"""What the owner sees of a study's results, in both languages, for every protocol."""

import re
from typing import Any

import pytest

from ftkit.ratings.results.selecting import Asked, ResultOptions
from ftkit.ratings.results.summary import summarise
from ftkit.ratings.results.words import headline, result_words, tone
from ftkit.ui.ratings.results import downloads, shown
from tests.unit.evaluation.report.test_page import Page
from tests.unit.ratings.rated import BASE, TUNED, choice, drawn, rated

ATTACK = '<img src=x onerror="x">'
THIRD = "run:r2"


def results(
    ratings, protocol="pairs", sides=(BASE, TUNED), criteria=(), revoked=(), **more: Any
) -> dict[str, Any]:
    asked = Asked(protocol, sides, criteria, overlap=3)
    words = {one.item: 60 for one in ratings}
    labels = {BASE: "smol", TUNED: "Tuned", THIRD: "Third"}
    found = summarise(ratings, asked, revoked, words, ResultOptions(least_gold=0.5))
    names = {one.rater: f"Name of {one.rater}" for one in ratings}
    facts = {"study": "s", "name": "S", "state": "open", "complete": 1, "wanted": 9, "compared": []}
    return {**facts, "labels": labels, "names": names, **found, **more}


def text_of(found: dict[str, Any], lang: str = "en") -> str:
    page = Page(f"<main>{shown(found, lang)}</main>")
    assert "None" not in page.text
    assert "nan" not in page.text.split()
    return page.text


def three(number: int, rater: str) -> Any:
    values = {"ranks": [3, 1 + number % 2, 2 - number % 2]}
    return rated(number, rater, values, sides=(BASE, TUNED, THIRD), order=(2, 0, 1))


def scored(number: int, rater: str) -> Any:
    return rated(number, rater, {"scores": [{"helpful": 2 + number % 2, "<b>": 3}, {"helpful": 4, "<b>": 3}]})


@pytest.mark.parametrize("lang", ["en", "tr"])
@pytest.mark.parametrize(
    "found",
    [
        results(drawn(40)),
        results(drawn(3)),
        results([choice(0, "a", 1)]),
        results([choice(n, "a", "tie") for n in range(5)]),
        results([choice(n, "a", 1, gold=0) for n in range(3)]),
        results([three(n, rater) for n in range(9) for rater in "abc"], "ranking", (BASE, TUNED, THIRD)),
        results(
            [scored(n, rater) for n in range(9) for rater in "abc"], "scales", criteria=("helpful", "<b>")
        ),
        results([rated(n, "a", {"passed": [n > 2, True]}) for n in range(9)], "pass_fail"),
        results(
            [rated(n, "a", {"passed": [n > 2]}, sides=(TUNED,), order=(0,)) for n in range(9)],
            "pass_fail",
            (TUNED,),
        ),
        results(
            [
                rated(
                    n,
                    "a",
                    {"scores": [{"helpful": 1 + n % 5}]},
                    sides=(TUNED,),
                    order=(0,),
                    slices={"x": "y"},
                )
                for n in range(9)
            ],
            "scales",
            (TUNED,),
            ("helpful",),
        ),
        results([choice(n, "a", 1) for n in range(4)], sides=(BASE, TUNED, THIRD)),
    ],
)
def test_every_kind_of_result_is_told(found: dict[str, Any], lang: str) -> None:
    assert text_of(found, lang)


def test_the_headline_is_a_plain_sentence() -> None:
    told = result_words("en")
    sure, open_ = results(drawn(40)), results([choice(n, "a", int(n % 5 > 1)) for n in range(40)])
    assert re.fullmatch(
        r"Tuned wins \d+% of 120 comparisons with smol, 95% interval \d+% to \d+%: better\.",
        headline(sure, told),
    )
    assert re.fullmatch(
        r"Tuned wins .*: not decided yet\. About \d+ more ratings give an even chance to know\.",
        headline(open_, told),
    )
    close = results([choice(n, "a", n % 2) for n in range(40)])
    assert "too close to call" in headline(close, told)
    few = results([choice(0, "a", 1)])
    assert headline(few, told).endswith("Rate answers to more prompts.")
    assert [tone(one) for one in (sure, open_, close, few)] == ["good", "info", "info", "warn"]
    single = results(
        [rated(n, "a", {"passed": [n > 2]}, sides=(TUNED,), order=(0,)) for n in range(9)],
        "pass_fail",
        (TUNED,),
    )
    assert headline(single, told).startswith("Tuned is good enough in 67% of 9 ratings, 95% interval")


def test_names_stay_as_they_are() -> None:
    assert headline(results(drawn(20, win=0.1)), result_words("en")).startswith("smol wins")


def test_nothing_rated_says_what_to_do() -> None:
    text = text_of(results([]))
    assert "Send each rater their link" in text


def test_what_raters_and_models_say_is_escaped() -> None:
    ratings = [choice(n, "a", 1, slices={ATTACK: ATTACK}) for n in range(4)]
    found = results(ratings, labels={BASE: ATTACK, TUNED: ATTACK}, names={"a": ATTACK})
    found["compared"] = [
        {"kind": "judge", "name": ATTACK, "rows": 2, "share": 0.5, "kappa": None, "meaning": "undefined"}
    ]
    page = Page(f"<main>{shown(found, 'en')}</main>")
    assert "img" not in page.tags
    assert page.text.count(ATTACK) > 5


def test_a_drawing_has_its_numbers_as_text() -> None:
    page = str(shown(results(drawn(40)), "en"))
    drawings = re.findall(r'<svg class="bar"[^>]*>', page)
    assert drawings
    assert all(re.search(r'role="img" aria-label="95% interval: \d+%', one) for one in drawings[:2])


def test_raters_are_looked_at() -> None:
    hasty = [choice(n, "hasty", n % 2, order=(n % 2, 1 - n % 2), seconds=0.4) for n in range(9)]
    ratings = [
        *drawn(9),
        *hasty,
        choice(50, "bad", 1, gold=0),
        choice(51, "r0", 0, gold=0),
        choice(1, "gone", 1),
    ]
    text = text_of(results(ratings, revoked={"gone"}))
    assert "Name of hasty 9 0 s 100% –" in text
    assert "mostly too fast the same click 8 times or more" in text
    assert "left out, invite revoked" in text
    assert "left out, too few known items right" in text
    assert "1 of 1" in text
    assert "2 ratings of items with a known right choice" in text


def test_small_groups_are_not_judged() -> None:
    text = text_of(results(drawn(10)))
    assert "calm" in text
    assert "angry" in text
    few = text_of(results([choice(n, "a", 1, slices={"mood": "calm"}) for n in range(5)]))
    assert "too few to judge" in few


def test_people_beside_the_judge() -> None:
    one = {"kind": "metric", "name": "rougeL", "rows": 20, "share": 0.8, "kappa": 0.55, "meaning": "moderate"}
    text = text_of(results(drawn(20), compared=[one, {**one, "kind": "judge", "name": "critic"}]))
    assert "ROUGE-L 80%; kappa 0.55 (moderate); rows: 20" in text
    assert "The judge critic 80%" in text


def test_downloads() -> None:
    assert '/download/ratings/s1?to=csv"' in downloads("s1", "en")


def test_few_ratings_are_not_called_too_close_and_two_models_have_no_second_table() -> None:
    found = results([choice(n, "a", n % 2) for n in range(3)])
    assert "not decided yet. So few ratings do not even tell" in headline(found, result_words("en"))
    assert "Strength" not in text_of(found)
    three_ranked = results([three(n, "a") for n in range(9)], "ranking", (BASE, TUNED, THIRD))
    assert "Strength" in text_of(three_ranked)
