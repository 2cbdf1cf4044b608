"""What a rater may say, and how it is turned into the order of the item."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftkit.errors import BadInput
from ftkit.ratings.studies.options import StudyOptions
from ftkit.ratings.studies.values import MOST_TEXT, Asked, check, to_item, to_page

SIDES = ("base:a", "run:b", "run:c")


def asked(protocol="pairs", answers=2, **options) -> Asked:
    return Asked(StudyOptions.parse({"sides": SIDES[:answers], "protocol": protocol, **options}), answers)


GOOD = [
    ("pairs", {"choice": 0}),
    ("pairs", {"choice": "tie", "comment": "", "flag": True, "edits": {"1": "better"}}),
    ("pairs", {"choice": "both_bad"}),
    ("scales", {"scores": [{"helpful": 1, "correct": 5, "coherent": 3}] * 2}),
    ("ranking", {"ranks": [1, 1]}),
    ("ranking", {"ranks": [2, 1]}),
    ("pass_fail", {"passed": [True, False]}),
]
BAD = [
    ("pairs", {}),
    ("pairs", {"choice": 2}),
    ("pairs", {"choice": -1}),
    ("pairs", {"choice": True}),
    ("pairs", {"choice": "0"}),
    ("pairs", {"choice": 0.0}),
    ("pairs", {"choice": [0]}),
    ("pairs", {"choice": 0, "side": "base"}),
    ("pairs", {"choice": 0, "flag": 1}),
    ("pairs", {"choice": 0, "comment": 3}),
    ("pairs", {"choice": 0, "comment": "x" * (MOST_TEXT + 1)}),
    ("pairs", {"choice": 0, "edits": {"2": "text"}}),
    ("pairs", {"choice": 0, "edits": ["text"]}),
    ("pairs", {"passed": [True, True]}),
    ("scales", {"scores": [{"helpful": 1, "correct": 5, "coherent": 3}]}),
    ("scales", {"scores": [{"helpful": 6, "correct": 5, "coherent": 3}] * 2}),
    ("scales", {"scores": [{"helpful": 0, "correct": 5, "coherent": 3}] * 2}),
    ("scales", {"scores": [{"helpful": 1, "correct": 5}] * 2}),
    ("scales", {"scores": [{"helpful": 1, "correct": 5, "coherent": 3, "nice": 1}] * 2}),
    ("scales", {"scores": [None, None]}),
    ("ranking", {"ranks": [2, 2]}),
    ("ranking", {"ranks": [1, 3]}),
    ("ranking", {"ranks": [1]}),
    ("ranking", {"ranks": [1, None]}),
    ("pass_fail", {"passed": [True, 0]}),
    ("pass_fail", {"passed": [True, None]}),
    ("pairs", []),
    ("pairs", None),
]


@pytest.mark.parametrize(("protocol", "values"), GOOD)
def test_whole_values_are_taken_as_they_are(protocol, values):
    assert check(values, asked(protocol), whole=True) == values


@pytest.mark.parametrize(("protocol", "values"), BAD)
def test_other_values_are_refused_with_the_field(protocol, values):
    with pytest.raises(BadInput, match="cannot be used"):
        check(values, asked(protocol), whole=True)


@pytest.mark.parametrize(
    ("protocol", "values"),
    [
        ("pairs", {}),
        ("pairs", {"choice": None, "comment": "so far"}),
        ("scales", {"scores": [{"helpful": 2}, None]}),
        ("ranking", {"ranks": [None, 2]}),
        ("pass_fail", {"passed": [None, True]}),
    ],
)
def test_a_draft_may_be_incomplete(protocol, values):
    assert check(values, asked(protocol), whole=False) == values


def test_edits_need_a_study_that_wants_them():
    with pytest.raises(BadInput, match="cannot be changed"):
        check({"choice": 0, "edits": {"0": "x"}}, asked(editing=False), whole=True)
    assert check({"choice": 0, "edits": {"0": " "}}, asked(), whole=True)["edits"] == {}


def test_texts_can_be_stored():
    told = check({"choice": 0, "comment": "a\ud83d\ude00b\ud83dc\0"}, asked(), whole=True)
    assert told["comment"] == "a😀b\ufffdc"


@settings(max_examples=50)
@given(st.permutations(range(3)), st.data())
def test_turning_there_and_back_changes_nothing(order, data):
    place = st.integers(0, 2)
    values = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "choice": place | st.sampled_from(["tie", "both_bad"]),
                "ranks": st.lists(st.integers(1, 3), min_size=3, max_size=3),
                "passed": st.lists(st.booleans(), min_size=3, max_size=3),
                "edits": st.dictionaries(place.map(str), st.text()),
                "comment": st.text(),
            },
        )
    )
    turned = to_item(values, order)
    assert to_page(turned, order) == values
    if isinstance(values.get("choice"), int):
        assert turned["choice"] == order[values["choice"]]
    for on_page, answer in enumerate(order):
        if "ranks" in values:
            assert turned["ranks"][answer] == values["ranks"][on_page]
        if "edits" in values:
            assert turned["edits"].get(str(answer)) == values["edits"].get(str(on_page))
