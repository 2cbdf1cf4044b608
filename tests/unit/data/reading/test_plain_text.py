from ftkit.data.reading import encodings


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
