from collections import Counter

import pytest

from ftkit.evaluation.general.questions import SKILLS, Question, questions


def test_every_question_can_be_marked() -> None:
    every = questions()
    assert Counter(one.skill for one in every) == {
        "knowledge": 24,
        "arithmetic": 16,
        "turkish": 16,
        "instructions": 16,
    }
    assert set(SKILLS) == {one.skill for one in every}
    assert len({one.id for one in every}) == len(every)
    assert len({one.question for one in every}) == len(every)
    for one in every:
        assert bool(one.options) != bool(one.pattern)
        assert len(set(one.options)) in (0, 4)


def test_the_place_of_the_right_answer_gives_nothing_away() -> None:
    """A model that prefers short or long answers must not look as if it knew."""
    longest = sum(len(one.answer) > max(map(len, one.wrong)) for one in questions() if one.wrong)
    shortest = sum(len(one.answer) < min(map(len, one.wrong)) for one in questions() if one.wrong)
    asked = sum(bool(one.wrong) for one in questions())
    assert longest < asked / 3
    assert shortest < asked / 3


@pytest.mark.parametrize(
    ("id_", "right", "wrong"),
    [
        ("instructions-01", ["Yellow", "yellow."], ["A ripe banana is yellow.", "red"]),
        ("instructions-02", ["river, river, river", "River,river,river."], ["river, river", "the river"]),
        ("instructions-03", ["Yes.", "yes"], ["No", "Yes, it is.", ""]),
        (
            "instructions-04",
            ["- apple\n- pear\n- fig", "-a\n-b\n-c\n"],
            ["apple\npear\nfig", "- a\n- b", "- a\n- b\n- c\n- d"],
        ),
        ("instructions-05", ["Is it raining?"], ["It rains.", "Is it? Yes."]),
        (
            "instructions-06",
            ["The train leaves at noon.", '"The train leaves at noon."'],
            ["The train leaves at one."],
        ),
        ("instructions-07", ["12", "12."], ["twelve", "12 apples"]),
        ("instructions-08", ["HELLO!", "HELLO"], ["Hello", "HELLO there"]),
        (
            "instructions-09",
            ['{"city": "Ankara"}', ' { "city" : "Ankara" } '],
            ['```json\n{"city": "Ankara"}\n```', "Ankara"],
        ),
        ("instructions-10", ["cold", "Cold."], ["The opposite is cold."]),
        ("instructions-11", ["Hello, my dear friend!"], ["Hello to you and to all of them", ""]),
        ("instructions-12", ["C", "C."], ["K", "The letter C"]),
        ("instructions-13", ["Evet", "evet."], ["Hayır", "Evet, soğuktur"]),
        ("instructions-14", ["Ankara", "ankara."], ["İstanbul"]),
        ("instructions-15", ["25", "25."], ["yirmi beş"]),
        ("instructions-16", ["Bugün hava çok güzel.", "Bugün hava çok güzel"], ["Hava güzel."]),
    ],
)
def test_patterns_tell_right_from_wrong(id_: str, right: list[str], wrong: list[str]) -> None:
    question: Question = next(one for one in questions() if one.id == id_)
    assert [one for one in right if not question.matches(one)] == []
    assert [one for one in wrong if question.matches(one)] == []
