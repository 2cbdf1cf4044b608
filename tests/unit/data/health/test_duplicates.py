"""Clusters of equal and of nearly equal texts."""

import random
import time

import pytest

from ftkit.data import bundled
from ftkit.data.health import duplicates

STORY = (
    "The old lighthouse keeper climbed the stairs every evening, lit the lamp, and wrote the weather into a book "
    "that nobody but the gulls ever asked him about."
)
OTHER = "To make a good soup, roast the bones first, add cold water, and let it simmer for a whole day."


@pytest.fixture(scope="module")
def base() -> list[str]:
    return bundled.path_of("house-voice-en").read_text("utf-8").splitlines()


def test_equal_texts_are_clusters_in_order():
    assert duplicates.exact(["a", "b", "a", "c", "b", "a"]) == [[0, 2, 5], [1, 4]]
    assert duplicates.exact(iter(["a", "A", "a "])) == []
    assert duplicates.exact(["\ud800", "\ud800"]) == [[0, 1]]


@pytest.mark.parametrize(
    "copy",
    [
        STORY.upper(),
        STORY.replace(",", " –").replace(".", "!"),
        STORY.replace("evening", "night"),
        STORY.replace("lighthouse", "lighthuose"),
        STORY.replace("old ", ""),
        STORY + " Thank you!",
    ],
)
def test_a_copy_with_a_small_edit_is_near(copy):
    assert duplicates.near([OTHER, STORY, copy]) == [[1, 2]]


def test_short_texts_are_compared_too():
    texts = [
        "What is the capital of France? Paris",
        "What is the capital of Frence? Paris",
        "Who wrote Faust?",
    ]
    assert duplicates.near(texts) == [[0, 1]]
    assert duplicates.near(["Hi", "hi!", "Ho", "I"]) == [[0, 1]]


def test_texts_without_words_and_empty_ones_are_like_their_equals_only():
    assert duplicates.near(["", "…", "", "!!", "🙂", "🙂"]) == [[0, 2], [4, 5]]
    assert duplicates.near([]) == []
    assert duplicates.near(["one"]) == []


def test_turkish_case_and_scripts_without_spaces():
    assert duplicates.near(["IŞIK İSTANBUL ÇİZGİ", "ışık istanbul çizgi"]) == [[0, 1]]
    sentence = "我今天早上去市场买了很多新鲜的蔬菜和水果然后回家做饭"
    assert duplicates.near(
        [sentence, sentence.replace("早上", "下午"), "昨天的电影非常无聊所以我很快就睡着了"]
    ) == [[0, 1]]


def test_a_chain_of_copies_is_one_cluster():
    second = STORY.replace("evening", "night")
    third = second.replace("weather", "wind").replace("climbed", "mounted")
    assert duplicates.near([third, OTHER, STORY, second]) == [[0, 2, 3]]


def test_planted_copies_are_found_and_nothing_else(base):
    dice = random.Random(5)  # noqa: S311
    sources = dice.sample(range(len(base)), 50)
    texts = base + [_edited(base[source], dice) for source in sources]
    assert duplicates.near(base) == []
    pairs = {tuple(cluster) for cluster in duplicates.near(texts)}
    planted = {(source, len(base) + at) for at, source in enumerate(sources)}
    assert len(pairs & planted) >= 48
    assert len(pairs - planted) == 0


def test_the_same_texts_give_the_same_clusters_whatever_the_seed_of_python(base):
    texts = base + base[:20]
    assert duplicates.near(texts, seed=1) == duplicates.near(texts, seed=1) == duplicates.near(texts, seed=7)


def test_a_template_with_many_rows_stays_fast():
    dice = random.Random(1)  # noqa: S311
    texts = [f"Please sort the following numbers: {dice.random()} {dice.random()}" for _ in range(4000)]
    start = time.monotonic()
    duplicates.near(texts)
    assert time.monotonic() - start < 30


def walked(texts):
    """Clusters as somebody finds them who adds text after text."""
    neighbours = duplicates.Neighbours(texts)
    cluster = {}
    for number in range(len(texts)):
        place = neighbours.place[number]
        if place not in cluster:
            alike = [
                other for other, kind in neighbours.likely(place) if neighbours.alike(place, other, kind)
            ]
            joined = {place, *(member for other in alike for member in cluster[other])}
            cluster |= dict.fromkeys(joined, joined)
            neighbours.add(place)
    found = {}
    for number in range(len(texts)):
        found.setdefault(min(cluster[neighbours.place[number]]), []).append(number)
    return sorted(numbers for numbers in found.values() if len(numbers) > 1)


def test_text_after_text_gives_the_same_clusters(base):
    dice = random.Random(6)  # noqa: S311
    texts = base + [_edited(dice.choice(base), dice) for _ in range(80)] + base[:10]
    dice.shuffle(texts)
    assert walked(texts) == duplicates.near(texts)
    short = [
        f"what is {a} and {b}" for a in ("one", "two", "three") for b in ("four", "five", "fives", "four!")
    ]
    assert walked(short) == duplicates.near(short)
    assert walked([]) == walked(["one"]) == []


def test_text_after_text_stays_fast_where_all_are_alike():
    dice = random.Random(1)  # noqa: S311
    texts = [f"Please sort the following numbers: {dice.random()} {dice.random()}" for _ in range(4000)]
    start = time.monotonic()
    neighbours = duplicates.Neighbours(texts)
    for place in range(4000):
        sum(1 for _ in neighbours.likely(place))
        neighbours.add(place)
    assert time.monotonic() - start < 30


def _edited(text, dice):
    parts = text.split(" ")
    at = dice.randrange(1, len(parts) - 1)
    parts[at : at + 1] = dice.choice(
        [[], ["something"], [parts[at], "really"], [parts[at][:1] + "x" + parts[at][1:]]]
    )
    return " ".join(parts)
