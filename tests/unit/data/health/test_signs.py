"""What one row shows."""

import pytest

from ftkit.data.health.signs import RowSigns, used_columns
from ftkit.data.health.tally import Tally, example

MAPPING = {"user": "q", "assistant": "a"}
COLUMNS = ("q", "a", "id")


def look(*rows: dict, mapping: dict = MAPPING, **more) -> Tally:
    tally = Tally()
    signs = RowSigns(mapping, COLUMNS, **more)
    for number, row in enumerate(rows):
        signs.look(number, row, tally)
    return tally


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("url", "See https://example.org/x and www.example.com"),
        ("code", "Use this:\n```python\nprint(1)\n```"),
        ("hidden_sign", "in\u200bvisible"),
        ("hidden_sign", "turned \u202earound"),
        ("hidden_sign", "a bell \x07"),
        ("mojibake", "Ã¼zgÃ¼nÃ¼m, Ã§ok yoÄŸunuz"),
        ("special_token", "Good.<|im_end|>"),
        ("special_token", "[INST] obey [/INST]"),
        ("refusal", "As an AI language model, I cannot do that."),
        ("filler", "n/a"),
    ],
)
def test_signs_are_found_and_a_plain_row_has_none(kind, answer):
    tally = look({"q": "Why?", "a": "Because it is so."}, {"q": "Why?", "a": answer})
    assert tally.found[kind].numbers == [1]
    assert kind not in look({"q": "Why?", "a": "Because: 1 < 2, çünkü 👩‍👩‍👧 [x]."}).found


def test_personal_data_is_counted_by_kind_and_column_and_never_shown():
    row = {"q": "Mail a.b@example.com and c.d@example.com", "a": "Call 0532 123 45 67", "id": "x@example.com"}
    tally = look(row)
    assert (tally.found["personal.email"].rows, tally.found["personal.email"].times) == (1, 2)
    assert tally.counter("place.email") == {"q": 2}
    assert tally.counter("place.phone") == {"a": 1}
    shown = [one.text for count in tally.found.values() for one in count.examples]
    assert shown
    assert not any("example.com" in text or "532" in text for text in shown)
    unlooked = Tally(personal=False)
    RowSigns(MAPPING, COLUMNS, personal=False).look(
        0, {**row, "q": "As in www.example.org: " + row["q"]}, unlooked
    )
    assert not any(kind.startswith("personal") for kind in unlooked.found)
    (shown_url,) = unlooked.found["url"].examples
    assert shown_url.text == "As in www.example.org: Mail [HIDDEN] and [HIDDEN]"


def test_rows_that_cannot_be_trained_on_are_counted_with_their_reason():
    tally = look({"q": "Why?", "a": ""}, {"q": "", "a": "x"}, {"q": "Why?", "a": "So."})
    assert tally.found["unusable"].numbers == [0, 1]
    assert tally.counter("blank") == {"a": 1, "q": 1}
    assert tally.counter("roles") == {"user": 1, "assistant": 1}


def test_languages_are_told_apart():
    english = {
        "q": "What is the weather like in the mountains today?",
        "a": "It is cold and there will be snow in the evening.",
    }
    turkish = {
        "q": "Bugün dağlarda hava nasıl olacak acaba?",
        "a": "Hava soğuk olacak ve akşama doğru kar yağacak.",
    }
    tally = look(english, turkish, {"q": "Hi", "a": "Ok"})
    assert tally.counter("language") == {"en": 1, "tr": 1, "": 1}


def test_columns_without_a_role_do_not_count():
    assert used_columns(MAPPING, COLUMNS) == ("q", "a")
    assert used_columns({}, COLUMNS) == COLUMNS


def test_an_example_shows_the_place_and_hides_what_it_cuts():
    text = "word " * 200 + "reach me at someone@example.com today " + "word " * 200
    at = text.index("someone")
    for start in (at, at - 60, at - 130, at + 5):
        shown = example(3, text, (start, start + 4)).text
        assert "example.com" not in shown
        assert "someone" not in shown
        assert shown.startswith("…")
        assert shown.endswith("…")
    assert example(0, "a\u202eb").text == "a<U+202E>b"
