"""Scores of single rows against an independent computation or a person's own judgement, on twenty cases or more each."""

import json
from collections import Counter

import pytest
import regex

from ftkit.workers.evaluation.metrics.texts import ExactMatch, JsonValid, Length, RefusalRate, TokenF1

pytestmark = pytest.mark.training  # importing evaluate takes seconds

TEXTS = [
    "", " ", "word", "two words", "  spaces   between ", "line\nbreaks\tand tabs", "end.", "(brackets)", "a,b;c", "semi-detached",
    "3.14", "12 %", "don't", "e-mail: a@b.c", "İstanbul'da ılık bir gün", "ağaç", "日本", "Привет, мир!", "...", "\u00a0nbsp\u00a0here",
    "one two three four five six seven eight nine ten", "UPPER lower", "cafe\u0301", "1a 2b",
]  # fmt: skip
OBJECTS = [
    "{}", '{"a": 1}', ' {"a": 1} ', '{"a": {"b": [1, 2]}}', '{"a": "ü"}', '{"a": 1}{"b": 2}', '{"a": 1} and more', 'Here: {"a": 1}',
    '```json\n{"a": 1}\n```', "[1, 2]", "1", '"text"', "null", "true", "", "   ", "{a: 1}", "{'a': 1}", '{"a": 1,}', '{"a": NaN}',
    '{"a": 1', '{"a": 1}\n', '{"a": Infinity}', "plain words",
]  # fmt: skip
# What a person calls a refusal.
REFUSALS = [
    ("I'm sorry, but I can't help with that.", True), ("I cannot assist with this request.", True), ("As an AI language model, I have no opinions.", True),
    ("I am an AI and do not eat.", True), ("Unfortunately, I cannot access the internet.", True), ("I apologize, but I cannot do so.", True),
    ("I won't help you with that.", True), ("I'm afraid I can't do that.", True), ("Bir yapay zeka modeli olarak bunu bilemem.", True),
    ("Üzgünüm, bu konuda yardımcı olamam.", True), ("Maalesef isteğinizi yerine getiremiyorum.", True),
    ("", False), ("Paris.", False), ("I am sorry to hear that your parcel is late.", False), ("You cannot park here.", False),
    ("The model cannot fly.", False), ("No.", False), ("Üzgünüm, paketiniz yarın gelecek.", False), ("Yardımcı olabilirim.", False),
    ('{"category": "billing"}', False), ("I can help with that.", False), ("An AI is a program.", False),
]  # fmt: skip
PAIRS = [
    ("a", "a"), ("a", "b"), ("", ""), ("", "a"), ("a", ""), ("the cat sat", "the cat sat"), ("the cat sat", "the cat"), ("the the the", "the"),
    ("The Cat", "the cat"), ("cat sat the", "the cat sat"), ("one, two", "one two"), ("one  two", "one two"), ("a b c d", "c d e f"),
    ("yes", "Yes."), ("42", "42"), ("42.", "42"), ("ünlü söz", "ünlü söz"), ("x y z", "p q r"), ("long answer with many words", "answer"),
    ("answer", "long answer with many words"), ("e-mail me", "email me"), ("cafe\u0301", "café"), ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'), ('{"a": 1}', '{"a": 1.0}'),
]  # fmt: skip


def found_words(text: str) -> list[str]:
    """Runs of letters, marks and digits, told apart by the standard's own categories."""
    return regex.findall(r"[\p{L}\p{M}\p{N}]+", text)


@pytest.mark.parametrize("text", [text for text in TEXTS if text != "日本"])
def test_length_counts_runs_of_letters_and_digits(text: str) -> None:
    assert Length.row(text, "") == len(found_words(text))


def test_a_chinese_or_japanese_sign_counts_as_a_word() -> None:
    assert Length.row("日本", "") == 2


@pytest.mark.parametrize("text", OBJECTS)
def test_json_is_valid_where_a_strict_reader_finds_one_object(text: str) -> None:
    def refuse(name: str) -> float:
        raise ValueError(name)

    try:
        valid = isinstance(json.loads(text, parse_constant=refuse), dict)
    except ValueError:
        valid = False
    assert JsonValid.row(text, "{}") == float(valid)


@pytest.mark.parametrize(("text", "refuses"), REFUSALS)
def test_refusals_are_what_a_person_calls_so(text: str, refuses: bool) -> None:
    assert RefusalRate.row(text, "") == float(refuses)


@pytest.mark.parametrize(("answer", "reference"), PAIRS)
def test_token_f1_is_that_of_counted_words(answer: str, reference: str) -> None:
    given, wanted = (
        Counter(found_words(regex.sub("e\u0301", "é", text).casefold())) for text in (answer, reference)
    )
    shared = sum((given & wanted).values())
    if not given or not wanted:
        expected = float(given == wanted)
    elif shared == 0:
        expected = 0.0
    else:
        precision, recall = shared / sum(given.values()), shared / sum(wanted.values())
        expected = 2 * precision * recall / (precision + recall)
    assert TokenF1.row(answer, reference) == pytest.approx(expected)


@pytest.mark.parametrize(("answer", "reference"), PAIRS)
def test_exact_match_is_equality_of_values_or_of_tidied_texts(answer: str, reference: str) -> None:
    try:
        expected = json.loads(answer) == json.loads(reference)
    except ValueError:
        tidied = (" ".join(regex.sub("e\u0301", "é", text).split()) for text in (answer, reference))
        expected = len(set(tidied)) == 1
    assert ExactMatch.row(answer, reference) == float(expected)
