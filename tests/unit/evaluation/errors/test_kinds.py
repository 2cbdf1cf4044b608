import pytest

from ftkit.evaluation.errors.kinds import Answered, errors_of, repeats
from ftkit.evaluation.measuring.scores import json_fields

REFERENCE = '{"mood": "sad", "note": "a calm and friendly letter from somebody"}'
FIELDS = json_fields([REFERENCE])


def of_json(text: str, **more: object) -> tuple[str, ...]:
    return errors_of(Answered(text, REFERENCE, **more), FIELDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (REFERENCE, ()),
        ("  \n", ("empty",)),
        ("It is sad.", ("not_json",)),
        (f"Here: {REFERENCE}", ("not_json",)),
        ('{"mood": "sad"}', ("missing_field:note",)),
        (REFERENCE.replace("sad", "glad"), ("wrong_field:mood",)),
        ('{"mood": "sad", "note": "a calm and friendly note from somebody"}', ()),
        ('{"mood": "sad", "note": "something else altogether"}', ("wrong_field:note",)),
        ('{"mood": "glad", "more": 1}', ("missing_field:note", "wrong_field:mood", "extra_field")),
    ],
)
def test_a_json_answer(text, expected):
    assert of_json(text, wrong=False) == expected


def test_several_kinds_stand_in_a_fixed_order():
    facts = {"cut": True, "refuses": True, "language": "tr", "reference_language": "en"}
    assert of_json("Üzgünüm " + "bir iki üç " * 9, **facts) == (
        "cut", "refusal", "repeats", "not_json", "wrong_language",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reference", "expected"),
    [
        ("one two", "one two three", ("other",)),
        ("a b c d e f g h i j k l", "a b c", ("too_long",)),
        ("a b", "a b c d e f g h i j", ("too_short",)),
        ("", "", ()),
        ("yes", "yes", ()),
    ],
)
def test_a_plain_answer(text, reference, expected):
    assert errors_of(Answered(text, reference), ()) == expected


def test_what_the_measure_calls_right_is_not_wrong_otherwise():
    assert errors_of(Answered("one two", "one two three", wrong=False), ()) == ()


def test_a_language_that_is_not_known_is_not_the_wrong_one():
    assert errors_of(Answered("ja", "yes", language="de", reference_language=""), ()) == ("other",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the same thing " * 5, True),
        ("no no no no no no no", True),
        ("a b c d e f g h i j k", False),
        ("", False),
        ("the cat and the dog and the bird and the fish went home to sleep at last today " * 2, False),
    ],
)
def test_repetition(text, expected):
    assert repeats(text) is expected
