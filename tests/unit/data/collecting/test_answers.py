import json

import pytest

from ftkit.data.collecting.answers import with_answer
from ftkit.errors import BadInput

TURNS = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "hello"},
    {"role": "user", "content": "bye"},
    {"role": "assistant", "content": "hello"},
]


@pytest.mark.parametrize(
    ("row", "mapping", "expected"),
    [
        ({"q": "a", "a": "b", "n": "1"}, {"user": "q", "assistant": "a"}, {"q": "a", "a": "new", "n": "1"}),
        ({"p": "a", "c": "b"}, {"prompt": "p", "completion": "c"}, {"p": "a", "c": "new"}),
        ({"t": "a"}, {"text": "t"}, {"t": "new"}),
        ({"q": "a", "good": "b", "bad": "c"}, {"user": "q", "chosen": "good", "rejected": "bad"}, {"q": "a", "good": "new", "bad": "c"}),
        ({"m": TURNS}, {"messages": "m"}, {"m": [*TURNS[:3], {"role": "assistant", "content": "new"}]}),
        (
            {"m": [*TURNS, {"role": "user", "content": "thanks"}]},
            {"messages": "m"},
            {"m": [*TURNS[:3], {"role": "assistant", "content": "new"}, {"role": "user", "content": "thanks"}]},
        ),
        (
            {"m": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "no"}]},
            {"messages": "m"},
            {"m": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "new"}]},
        ),
    ],
)  # fmt: skip
def test_only_the_answer_changes(row, mapping, expected):
    before = json.dumps(row)
    assert with_answer(row, mapping, "new") == expected
    assert json.dumps(row) == before


def test_messages_in_a_text_column_stay_one():
    made = with_answer({"m": json.dumps(TURNS)}, {"messages": "m"}, "new")
    assert json.loads(made["m"])[-1] == {"role": "assistant", "content": "new"}


def test_the_answer_that_it_has_already_changes_nothing():
    assert with_answer({"m": TURNS}, {"messages": "m"}, "hello") == {"m": TURNS}


def test_an_answer_that_is_no_single_text_is_not_replaced():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": parts}]
    with pytest.raises(BadInput, match="no single text"):
        with_answer({"m": turns}, {"messages": "m"}, "new")
