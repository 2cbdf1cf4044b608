from hypothesis import given
from hypothesis import strategies as st

from ftkit.evaluation.errors import difference
from ftkit.evaluation.errors.difference import Piece, likeness, word_difference


def test_words_that_one_side_lacks_are_told_apart():
    assert word_difference("the red cat sat", "the black cat sat down") == [
        Piece("same", "the "),
        Piece("extra", "red"),
        Piece("missing", "black"),
        Piece("same", " cat sat"),
        Piece("missing", " down"),
    ]


def test_equal_texts_have_one_piece_and_empty_ones_none():
    assert word_difference("çay", "çay") == [Piece("same", "çay")]
    assert word_difference("", "") == []


def test_how_alike_two_texts_are():
    assert likeness(word_difference("a b c", "a b d")) == 2 / 3
    assert likeness(word_difference("no", "yes")) == 0
    assert likeness(word_difference("", "")) == likeness(word_difference("a", "a")) == 1


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_of_either_text_is_lost(answer, reference):
    pieces = word_difference(answer, reference)
    assert "".join(text for kind, text in pieces if kind != "missing") == answer
    assert "".join(text for kind, text in pieces if kind != "extra") == reference


def test_long_texts_are_compared_line_by_line(monkeypatch):
    monkeypatch.setattr(difference, "_MOST", 10)
    assert word_difference("a b c\nd e f", "a b c\nd e g") == [
        Piece("same", "a b c\n"),
        Piece("extra", "d e f"),
        Piece("missing", "d e g"),
    ]
