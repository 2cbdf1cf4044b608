import string

import pytest

from ftkit.data.phrases import PHRASES, kind_of_value, phrase, recognise, translate


@pytest.mark.parametrize("key", PHRASES)
def test_every_sentence_is_recognised_with_its_values(key):
    names = [name for _, name, _, _ in string.Formatter().parse(PHRASES[key]) if name]
    values = {name: f"value {number}" for number, name in enumerate(names)}
    assert recognise(phrase(key, **values)) == (key, values)


def test_other_text_is_left_alone():
    assert recognise("something else entirely") is None
    assert translate("something else entirely", {"no_answer": "x"}) == "something else entirely"


def test_words_inside_a_sentence_are_translated_too():
    turkish = {"not_an_object": "sütunlu bir nesne yerine {found}", "kind_list": "liste"}
    assert (
        translate(phrase("not_an_object", found=kind_of_value([])), turkish)
        == "sütunlu bir nesne yerine liste"
    )
    assert (
        translate(phrase("not_an_object", found=kind_of_value("")), turkish)
        == "sütunlu bir nesne yerine text"
    )


def test_hostile_values_are_flattened_and_cut():
    said = phrase("no_column", name="a\n\x1b[31m" + "x" * 500)
    assert len(said) < 120
    assert said.isprintable()
    assert "{}" in phrase("no_column", name="{}")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "nothing"),
        (True, "true or false"),
        (1, "a number"),
        ("", "text"),
        ([], "a list"),
        ({}, "an object"),
    ],
)
def test_kinds(value, kind):
    assert kind_of_value(value) == kind
