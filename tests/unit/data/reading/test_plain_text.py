import json

import pytest

from ftkit.data.reading import encodings
from ftkit.data.reading.plain_text import marked


def test_a_row_per_line(read):
    rows, reading = read("a.txt", "one\n\n  two \r\nthree")
    assert rows == [{"text": "one"}, {"text": "  two "}, {"text": "three"}]
    assert set(reading.notes) == {"Each line became a row.", "Blank lines left out: 1."}


def test_a_row_per_paragraph_where_lines_stand_in_paragraphs(read):
    rows, reading = read("a.txt", "a\nb\n\n\nc\nd\ne\n\nf\n")
    assert rows == [{"text": "a\nb"}, {"text": "c\nd\ne"}, {"text": "f"}]
    assert reading.notes == ("Each paragraph (lines between blank lines) became a row.",)


def test_two_long_lists_are_no_paragraphs(read):
    text = "\n".join(f"line {n}" for n in range(40))
    assert len(read("a.txt", f"{text}\n\n{text}")[0]) == 80


def test_lines_with_a_gap_after_each_are_lines(read):
    assert len(read("a.txt", "a\n\nb\n\nc\n")[0]) == 3


def test_a_long_line_is_named(read, monkeypatch):
    monkeypatch.setattr(encodings, "ROW_LENGTH_LIMIT", 20)
    rows, reading = read("a.txt", f"a\n{'b' * 50}\nc\n")
    assert rows == [{"text": "a"}, {"text": "c"}]
    assert [item.line for item in reading.skipped] == [2]


def test_unicode_line_separators_stay_inside(read):
    assert read("a.txt", "one\u2028two\u0085three\nfour")[0] == [
        {"text": "one\u2028two\u0085three"},
        {"text": "four"},
    ]


TURKISH = "### Talimat: Topla\n### Girdi: 1 2\n### Yanıt: 3"
ENGLISH = "Below is an instruction.\n\n### Instruction:\nAdd.\n\n### Input:\n1 2\n\n### Response:\n3\n\n"


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (TURKISH, {"instruction": "Topla", "input": "1 2", "output": "3"}),
        ("### TALİMAT: a ### YANIT: b", {"instruction": "a", "output": "b"}),
        ("### Instruction:\na ## b\n### Response:\nc", {"instruction": "a ## b", "output": "c"}),
        (
            ENGLISH,
            {"instruction": "Add.", "input": "1 2", "output": "3", "system": "Below is an instruction."},
        ),
        ("### Soru: a\n### Cevap:", {"instruction": "a", "output": ""}),
        ("### Instruction: a", None),
        ("### Response: a ### Instruction: b", None),
        ("### Instruction: a ### Response: b ### Instruction: c ### Response: d", None),
        ("# Response: heading\ntext", None),
        ("no marks", None),
    ],
)
def test_marks_divide_a_text(text, row):
    assert marked(text) == row


def test_a_file_of_marked_blocks(read):
    rows, reading = read("a.txt", ENGLISH * 3 + ENGLISH.replace("Response", "Reply"))
    assert [row["output"] for row in rows] == ["3", "3", "3"]
    assert {row["system"] for row in rows} == {"Below is an instruction."}
    assert [item.line for item in reading.skipped] == [36]
    assert reading.notes[0] == "Instruction and answer are marked with ###: each pair became a row."


def test_marked_lines_and_columns_get_columns_of_their_own_beside_the_text(read):
    line = TURKISH.replace("\n", " ")
    rows, reading = read("a.txt", f"{line}\n{line}\nbaşka bir metin\n")
    assert rows[0] == {"text": line, "instruction": "Topla", "input": "1 2", "output": "3"}
    assert rows[2] == {"text": "başka bir metin"}
    assert "“text” marks instruction and answer with ###" in "".join(reading.notes)
    rows, _ = read("a.jsonl", json.dumps({"metin": TURKISH}))
    assert rows == [{"metin": TURKISH, "instruction": "Topla", "input": "1 2", "output": "3"}]
    rows, _ = read("a.jsonl", "\n".join(json.dumps({"text": text}) for text in ("a", "b", TURKISH)))
    assert rows == [{"text": "a"}, {"text": "b"}, {"text": TURKISH}]
