import pytest

from ftkit.data.reading import encodings
from ftkit.data.reading.encodings import encoding_of, numbered_lines, open_text
from ftkit.data.reading.report import Report
from ftkit.errors import BadInput

TURKISH = "Açık mısınız? Evet, çok şükür açığız; ürünü iade edeceğim."


def guessed(write, content: bytes) -> tuple[str, list[str]]:
    report = Report()
    return encoding_of(write("file", content), report).name, report.notes


def test_utf8_needs_no_note_and_loses_its_mark(write):
    path = write("file", b"\xef\xbb\xbf" + TURKISH.encode())
    report = Report()
    with open_text(path, encoding_of(path, report)) as stream:
        assert stream.read() == TURKISH
    assert report.notes == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_other_unicode_is_known_by_its_mark(read, encoding):
    text = "soru,cevap\n" + f'"{TURKISH}",evet\n'
    mark = "" if encoding == "utf-16" else "\ufeff"
    rows, reading = read("a.csv", (mark + text).encode(encoding))
    assert rows == [{"soru": TURKISH, "cevap": "evet"}]
    assert any("UTF-" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (TURKISH, "cp1254"),
        ("It\u2019s fine", "cp1252"),
        ("Le café est déjà fermé, ça va très bien", "cp1252"),
        ("Zażółć gęślą jaźń. Dzień dobry, proszę o odpowiedź, dziękuję bardzo", "cp1250"),
        ("Привет, как у вас дела сегодня? Мы ждём ответа", "cp1251"),
        ("こんにちは、元気ですか。今日は良い天気ですね", "cp932"),
    ],
)
def test_a_code_page_is_guessed_and_the_guess_is_said(write, text, encoding):
    name, notes = guessed(write, text.encode(encoding))
    assert name == encoding
    assert len(notes) == 1
    assert encoding in notes[0]
    assert "guess" in notes[0]


def test_one_bad_byte_among_good_lines_is_a_bad_row_and_not_another_encoding(read):
    lines = [f'{{"text": "şu {number}"}}'.encode() for number in range(50)]
    lines[20] = b'{"text": "it\x92s"}'
    rows, reading = read("a.jsonl", b"\n".join(lines))
    assert len(rows) == 49
    assert [(item.line, "0x92" in item.reason) for item in reading.skipped] == [(21, True)]
    assert reading.notes == ()


def test_a_character_across_the_cut_of_a_long_line_is_not_broken(write, monkeypatch):
    monkeypatch.setattr(encodings, "_PIECE", 5)
    for shift in range(6):
        assert guessed(write, b"a" * shift + "ş😀ğ😀".encode() * 3)[0] == "utf-8-sig"


def test_utf16_that_breaks_off_is_refused(read):
    with pytest.raises(BadInput) as caught:
        read("a.txt", b"\xff\xfe" + "one\ntwo".encode("utf-16-le") + b"\x00")
    assert caught.value.key == "data.broken_encoding"


def test_a_long_line_is_passed_over_whole(write, monkeypatch):
    monkeypatch.setattr(encodings, "ROW_LENGTH_LIMIT", 10)
    monkeypatch.setattr(encodings, "_PIECE", 7)
    path = write("file", f"{'x' * 10}\nshort\n{'y' * 30}\nlast\n{'z' * 11}")
    with open_text(path, encoding_of(path, Report())) as stream:
        assert list(numbered_lines(stream)) == [
            (1, "x" * 10),
            (2, "short"),
            (3, None),
            (4, "last"),
            (5, None),
        ]
