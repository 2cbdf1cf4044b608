import pytest

from ftkit.data.reading.admission import Admission, Refusal
from ftkit.data.reading.report import Report


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"a": "x\0y"}, "nul_character"),
        ({"a": ["\ud800"]}, "half_character"),
        ({"a": "\udc92"}, "bad_byte"),
        ({"a": float("inf")}, "json_not_finite"),
        ({"a": {1, 2}}, "not_text"),
        ({"a": "x" * 1_000_001}, "row_too_long"),
    ],
)
def test_refusals(row, key):
    with pytest.raises(Refusal) as caught:
        Admission().admit(row)
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("texts", "notes"),
    [
        (["plain", "tab\tand\nline", "\\u001b as text is text"], []),
        (
            ["\x1b[31m", "\x07", "\x85 is a line end"],
            ["Rows with control characters, which no page shows: 2. They are kept."],
        ),
        (
            ["a\u200bb", "\ufeff", "\u202e"],
            ["Rows with invisible or direction-changing characters: 3. They are kept."],
        ),
        (["aile 👩\u200d👩\u200d👧", "می\u200cخواهم"], []),
    ],
)
def test_unseen_characters_are_counted_not_changed(texts, notes):
    admission, report = Admission(), Report()
    for text in texts:
        admission.admit({"a": text})
    admission.finish(report)
    assert report.notes == notes
