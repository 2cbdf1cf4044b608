import json
import re
from collections import Counter
from itertools import combinations

import pytest

from ftkit.data import bundled
from ftkit.data.chat import training_row

CATEGORIES = {"billing", "delivery", "account", "technical", "returns", "feedback"}
PRIORITIES = {"low", "normal", "high"}
NAMES = ["ticket-triage", "house-voice-en", "house-voice-tr"]
NEAR = 0.7


def rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in bundled.path_of(name).read_text(encoding="utf-8").splitlines()]


def shingles(text: str) -> set[str]:
    """Runs of five words; a shorter text is one run of its own."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[at : at + 5]) for at in range(max(1, len(words) - 4))}


def near_duplicates(texts: list[str]) -> list[tuple[int, int]]:
    """Pairs whose sets of shingles overlap by 0.7 or more; exact, since a few hundred rows need no MinHash."""
    sets = [shingles(text) for text in texts]
    return [
        (one, other)
        for (one, left), (other, right) in combinations(enumerate(sets), 2)
        if len(left & right) >= NEAR * len(left | right)
    ]


@pytest.mark.parametrize(
    ("name", "least"), [("ticket-triage", 300), ("house-voice-en", 120), ("house-voice-tr", 120)]
)
def test_enough_rows_that_can_all_be_trained_on(name, least):
    mapping = {"user": "message" if name == "ticket-triage" else "question", "assistant": "answer"}
    found = rows(name)
    assert len(found) >= least
    assert len(found) == bundled.sample(name).rows
    for row in found:
        assert training_row(row, mapping)["completion"][0]["content"].strip()


def test_every_ticket_has_a_known_label_and_every_label_is_used():
    answers = [json.loads(row["answer"]) for row in rows("ticket-triage")]
    assert all(answer.keys() == {"category", "priority", "summary"} for answer in answers)
    assert all(answer["summary"].strip() for answer in answers)
    categories = Counter(answer["category"] for answer in answers)
    assert categories.keys() == CATEGORIES
    assert {answer["priority"] for answer in answers} == PRIORITIES
    assert max(categories.values()) / len(answers) < 0.4


def test_the_instruction_names_all_labels():
    (system,) = {row["system"] for row in rows("ticket-triage")}
    assert all(label in system for label in CATEGORIES | PRIORITIES)


def test_the_check_for_near_duplicates_sees_one():
    text = "the kettle that i ordered last week arrived with a dent in its lid and no manual in the box"
    assert near_duplicates([text, "something else", text.replace("manual", "leaflet")]) == []
    assert near_duplicates([text * 2, "something else", text * 2 + " thanks"]) == [(0, 2)]
    assert near_duplicates(["where is it", "Where is it?"]) == [(0, 1)]


def test_no_question_is_nearly_another():
    found = [row for name in NAMES for row in rows(name)]
    assert near_duplicates([row.get("message") or row["question"] for row in found]) == []


def test_no_answer_is_nearly_another():
    found = [row for name in NAMES[1:] for row in rows(name)]
    assert near_duplicates([row["answer"] for row in found]) == []


def test_the_readme_says_what_they_are():
    text = (bundled.path_of(NAMES[0]).parent / "README.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"`{name}.jsonl`" in text
        assert f"| {len(rows(name))} |" in text
    assert "CC0-1.0" in text
    assert "Fernweir" in text
