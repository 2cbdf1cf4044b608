import json

import pytest

from ftkit.evaluation.measuring.scores import (
    Field,
    answer_label,
    exact_match,
    field_scores,
    json_fields,
    json_object,
    label,
    label_names,
    token_f1,
    word_pair,
    words,
)

TICKET = '{"category": "billing", "priority": "high", "summary": "charged twice for one order"}'


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        ("Paris", " Paris\n", 1),
        ("two  spaces\nhere", "two spaces here", 1),
        ("paris", "Paris", 0),
        ("Paris.", "Paris", 0),
        ("cafe\u0301", "caf\u00e9", 1),  # one letter, written in two ways
        ("", "", 1),
        ('{"b": 2.0, "a": "x "}', '{"a": "x", "b": 2}', 1),
        ('{"a": "5"}', '{"a": 5}', 0),  # a number is not its text
        ('{"a": 1, "b": 2}', '{"a": 1}', 0),
        ('Sure! {"a": 1}', '{"a": 1}', 0),
    ],
)
def test_exact_match(answer: str, reference: str, score: float) -> None:
    assert exact_match(answer, reference) == score


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        ("the cat sat", "the cat sat", 1),
        ("The CAT, sat!", "the cat sat", 1),
        ("cat", "the cat sat", 2 * 1 / (1 + 3)),
        ("cat cat cat", "cat", 2 * 1 / (3 + 1)),  # a repeated word counts as often as the reference has it
        ("dog", "cat", 0),
        ("", "cat", 0),
        ("!?", "…", 1),  # two texts without words agree
        ("İSTANBUL", "istanbul", 1),
        ("東京都", "東京", 2 * 2 / (3 + 2)),
    ],
)
def test_token_f1(answer: str, reference: str, score: float) -> None:
    assert token_f1(answer, reference) == pytest.approx(score)


def test_words_keep_marks_of_other_scripts() -> None:
    assert words("हिन्दी, Ali'nin 2 kedisi") == ["हिन्दी", "ali", "nin", "2", "kedisi"]


@pytest.mark.parametrize(
    "text", ["", "null", "[1]", '"x"', '{"a": NaN}', "{'a': 1}", '{"a": 1} {"a": 2}', "[" * 100_000]
)
def test_only_a_whole_object_is_json(text: str) -> None:
    assert json_object(text) is None


def test_a_json_object_may_have_space_around_it() -> None:
    assert json_object('\n{"a": [1, {"b": null}]} ') == {"a": [1, {"b": None}]}


def test_fields_are_categories_when_their_values_repeat_and_are_short() -> None:
    references = [
        json.dumps(
            {"kind": f"kind {n % 20}", "summary": f"a sentence that is longer than thirty: {n}", "id": n}
        )
        for n in range(40)
    ]
    fields = {field.name: field.kind for field in json_fields([*references, "not json", "[]"])}
    assert fields == {
        "kind": "category",
        "summary": "text",
        "id": "text",
    }  # 40 different ids: not counted, read


def test_labels_of_a_category_come_most_frequent_first() -> None:
    (field,) = json_fields(['{"c": "x"}', '{"c": "y"}', '{"c": "y"}', '{"c": true}'])
    assert field == Field("c", "category", ('"y"', '"x"', "true"))
    assert field.metrics == ("c_accuracy", "c_macro_f1")
    assert label_names(field.labels) == ["y", "x", "true"]


def test_names_of_labels_stay_different() -> None:
    assert label_names([label("5"), label(5)]) == ['"5"', "5"]


def test_scores_of_a_right_and_a_partly_right_answer() -> None:
    fields = json_fields([TICKET, TICKET.replace("billing", "delivery"), *_other_summaries()])
    right = field_scores(TICKET, TICKET, fields)
    assert set(right.values()) == {1.0}
    partly = field_scores(TICKET.replace("high", "low").replace("one order", "a kettle"), TICKET, fields)
    assert (partly["category_accuracy"], partly["priority_accuracy"]) == (1, 0)
    assert partly["summary_token_f1"] == pytest.approx(2 * 3 / (5 + 5))


def test_an_answer_that_is_not_json_is_wrong_everywhere() -> None:
    fields = json_fields([TICKET, *_other_summaries()])
    scores = field_scores("billing", TICKET, fields)
    assert scores["category_accuracy"] == 0
    assert scores["summary_token_f1"] == 0


def test_a_reference_without_the_field_scores_nothing() -> None:
    fields = json_fields([TICKET])
    assert field_scores("hello", "hello", fields)["category_accuracy"] is None


def _other_summaries() -> list[str]:
    rows = [
        {"category": "billing", "priority": "low", "summary": f"quite another long sentence, number {n}"}
        for n in range(25)
    ]
    return [json.dumps(row) for row in rows]


@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("IŞIK", "ışık", True),
        ("ISPARTA", "ısparta", True),
        ("İZMİR", "izmir", True),
        ("DİŞ", "diş", True),
        ("Ilık su", "ılık su", True),
        ("TITLE", "title", True),  # no letter of it is only Turkish
        ("sinir", "sınır", False),  # nerve, border
    ],
)
def test_words_know_both_letters_i(answer: str, reference: str, same: bool) -> None:
    given, wanted = word_pair(answer, reference)
    assert (given == wanted) is same


@pytest.mark.parametrize("text", ["Billing", " billing.\n", "“BILLING”", "**billing**", "(Billing)!"])
def test_case_and_punctuation_around_it_make_no_other_label(text: str) -> None:
    assert answer_label(text) == "billing"


def test_labels_that_differ_inside_stay_different() -> None:
    assert answer_label("C++") != answer_label("C")
    assert answer_label("not billing") != answer_label("billing")
    assert answer_label("?!") == "?!"
    assert answer_label("KIRMIZI") == answer_label("kırmızı")
    assert answer_label("DİŞ") == answer_label("diş")
