import json

import pytest

from ftkit.data.chat import RowProblem, answer_text, conversation, cut, example, training_row

HI = {"role": "user", "content": "hi"}
HELLO = {"role": "assistant", "content": "hello"}
SYSTEM = {"role": "system", "content": "be kind"}
ALPACA = {"instruction": "do", "user": "with", "assistant": "out"}


@pytest.mark.parametrize(
    ("row", "mapping", "messages"),
    [
        ({"m": [SYSTEM, HI, HELLO]}, {"messages": "m"}, [SYSTEM, HI, HELLO]),
        ({"m": json.dumps([HI, HELLO])}, {"messages": "m"}, [HI, HELLO]),
        ({"m": [HI, HELLO], "s": "be kind"}, {"messages": "m", "system": "s"}, [SYSTEM, HI, HELLO]),
        ({"m": [SYSTEM, HI, HELLO], "s": "other"}, {"messages": "m", "system": "s"}, [SYSTEM, HI, HELLO]),
        ({"m": [{"role": "system", "content": " "}, HI, HELLO]}, {"messages": "m"}, [HI, HELLO]),
        (
            {
                "m": [
                    {"from": "system", "value": "be kind"},
                    {"from": "human", "value": "hi"},
                    {"from": "gpt", "value": "hello"},
                ]
            },
            {"messages": "m"},
            [SYSTEM, HI, HELLO],
        ),
        (
            {"m": [HI, {"from": "tool", "value": "7"}, HELLO]},
            {"messages": "m"},
            [HI, {"role": "tool", "content": "7"}, HELLO],
        ),
        (
            {
                "m": [
                    {"role": "user", "content": [{"type": "text", "text": "h"}, "i"]},
                    {**HELLO, "tool_calls": None},
                ]
            },
            {"messages": "m"},
            [HI, HELLO],
        ),
        ({"q": "hi", "a": "hello"}, {"user": "q", "assistant": "a"}, [HI, HELLO]),
        (
            {"q": "hi", "a": "hello", "s": "be kind"},
            {"system": "s", "user": "q", "assistant": "a"},
            [SYSTEM, HI, HELLO],
        ),
        (
            {"do": "sum", "with": "1 2", "out": "3"},
            ALPACA,
            [{"role": "user", "content": "sum\n\n1 2"}, {"role": "assistant", "content": "3"}],
        ),
        ({"do": "hi", "with": "", "out": "hello"}, ALPACA, [HI, HELLO]),
        ({"do": "hi", "with": None, "out": "hello"}, ALPACA, [HI, HELLO]),
        ({"do": "", "with": "hi", "out": "hello"}, ALPACA, [HI, HELLO]),
        (
            {"q": "hi", "a": {"é": 1}},
            {"user": "q", "assistant": "a"},
            [HI, {"role": "assistant", "content": '{"é": 1}'}],
        ),
        ({"q": "hi", "c": "hello", "r": "no"}, {"user": "q", "chosen": "c", "rejected": "r"}, [HI, HELLO]),
        ({"m": [HI], "c": {"from": "gpt", "value": "hello"}}, {"messages": "m", "chosen": "c"}, [HI, HELLO]),
        ({"m": [HI], "c": [HI, HELLO]}, {"messages": "m", "chosen": "c"}, [HI, HELLO]),
        ({"c": [HI, HELLO]}, {"chosen": "c"}, [HI, HELLO]),
        (
            {"q": "hi", "c": "[1] is a footnote"},
            {"user": "q", "chosen": "c"},
            [HI, {"role": "assistant", "content": "[1] is a footnote"}],
        ),
        ({"t": " plain "}, {"text": "t"}, [{"role": "assistant", "content": " plain "}]),
    ],
)
def test_conversations(row, mapping, messages):
    assert conversation(row, mapping) == messages


@pytest.mark.parametrize(
    ("row", "mapping", "reason"),
    [
        ({"a": "x"}, {}, "no column is chosen"),
        ({"a": "x"}, {"user": "q", "assistant": "a"}, "the column “q” is missing"),
        ({"q": " ", "a": "x"}, {"user": "q", "assistant": "a"}, "“q” is empty"),
        ({"q": "x", "a": None}, {"user": "q", "assistant": "a"}, "“a” is empty"),
        ({"t": ""}, {"text": "t"}, "“t” is empty"),
        ({"m": None}, {"messages": "m"}, "“m” is not a list of messages"),
        ({"m": []}, {"messages": "m"}, "“m” is not a list of messages"),
        ({"m": "hello"}, {"messages": "m"}, "“m” is not a list of messages"),
        ({"m": "[broken"}, {"messages": "m"}, "“m” is not a list of messages"),
        ({"m": [HI, 7]}, {"messages": "m"}, "message 2 is a number"),
        ({"m": [{"content": "x"}]}, {"messages": "m"}, "message 1 has no role"),
        ({"m": [{"role": "wizard", "content": "x"}]}, {"messages": "m"}, "the unknown role “wizard”"),
        ({"m": [HI, {"role": "assistant"}]}, {"messages": "m"}, "message 2 has no text"),
        ({"m": [HI, {"role": "assistant", "content": None}]}, {"messages": "m"}, "message 2 has no text"),
        (
            {"m": [HI, {"role": "assistant", "content": 7}]},
            {"messages": "m"},
            "message 2 is a number, not text",
        ),
        ({"m": [{"role": "user", "content": " "}]}, {"messages": "m"}, "message 1 has no text"),
        (
            {"m": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
            {"messages": "m"},
            "a part of the kind “image_url”",
        ),
        (
            {"m": [{**HELLO, "tool_calls": [{"id": 1}]}]},
            {"messages": "m"},
            "message 1 calls a tool without a name",
        ),
        ({"m": [{**HELLO, "tool_calls": "x"}]}, {"messages": "m"}, "calls a tool without a name"),
        (
            {"m": [{**HELLO, "tool_calls": [{"name": "f", "arguments": "[1"}]}]},
            {"messages": "m"},
            "no object",
        ),
        ({"m": [{**HELLO, "tool_calls": [{"name": "f", "arguments": [1]}]}]}, {"messages": "m"}, "no object"),
    ],
)
def test_reasons(row, mapping, reason):
    with pytest.raises(RowProblem) as caught:
        conversation(row, mapping)
    assert reason in caught.value.reason


def test_the_last_answer_is_trained_and_all_before_it_is_the_prompt():
    turns = [SYSTEM, HI, HELLO, {"role": "user", "content": "more"}, {"role": "assistant", "content": "last"}]
    row = training_row({"m": [*turns, {"role": "user", "content": "thanks"}]}, {"messages": "m"})
    assert row == {"prompt": turns[:-1], "completion": turns[-1:]}


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([HI], "there is no answer"),
        ([HI, {"role": "assistant", "content": "  "}], "there is no answer"),
        ([HELLO], "nothing is asked"),
        ([SYSTEM, HELLO], "nothing is asked"),
    ],
)
def test_rows_without_question_or_answer_cannot_be_trained(turns, reason):
    with pytest.raises(RowProblem) as caught:
        training_row({"m": turns}, {"messages": "m"})
    assert reason in caught.value.reason
    with pytest.raises(RowProblem):
        cut(turns)


def test_plain_text_is_trained_as_it_is():
    assert training_row({"t": " x\n"}, {"text": "t"}) == {"text": " x\n"}


def test_examples():
    assert example({"q": "hi", "a": "hello"}, {"user": "q", "assistant": "a"}) == ([HI], "hello")
    text = "word " * 100
    prompt, rest = example({"t": text}, {"text": "t"})
    assert prompt[0]["content"].endswith("word")
    assert f"{prompt[0]['content']} {rest}" == text
    assert example({"t": "short"}, {"text": "t"}) == ([{"role": "user", "content": "short"}], "")


CALL = {"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {}}}]


@pytest.mark.parametrize(
    "given",
    [
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "assistant", "tool_calls": [{"function": {"name": "add", "arguments": '{"a": 1}'}}]},
        {"role": "assistant", "content": "", "tool_calls": json.dumps([CALL])},
        {"from": "gpt", "value": "", "function_call": {"name": "add", "arguments": {"a": 1}}},
    ],
)
def test_tool_calls_of_all_kinds_become_one(given):
    answer = {"role": "tool", "name": "add", "tool_call_id": "c1", "content": "2"}
    turns = conversation({"m": [HI, given, answer, HELLO]}, {"messages": "m"})
    assert turns == [HI, {"role": "assistant", "content": "", "tool_calls": [CALL]}, answer, HELLO]


def test_a_call_is_an_answer_and_its_tools_go_along():
    row = {"m": [HI, {"role": "assistant", "tool_calls": [CALL]}], "t": json.dumps(TOOLS)}
    trained = training_row(row, {"messages": "m", "tools": "t"})
    assert trained["completion"] == [{"role": "assistant", "content": "", "tool_calls": [CALL]}]
    assert trained["tools"] == TOOLS
    assert answer_text(trained["completion"][0]) == '[{"name": "add", "arguments": {"a": 1}}]'
    with pytest.raises(RowProblem, match="not a list of tools"):
        training_row({**row, "t": "add"}, {"messages": "m", "tools": "t"})
    assert "tools" not in training_row({**row, "t": None}, {"messages": "m", "tools": "t"})


@pytest.mark.parametrize(
    ("label", "reason"),
    [(True, ""), ("True", ""), (1, ""), ("iyi", ""), (False, "a bad one"), ("0", "a bad one"), (None, "does not say"), ("?", "does not say")],
)  # fmt: skip
def test_only_answers_marked_as_good_are_learned(label, reason):
    row, mapping = {"q": "hi", "a": "hello", "l": label}, {"user": "q", "assistant": "a", "label": "l"}
    assert conversation(row, mapping) == [HI, HELLO]
    if not reason:
        assert training_row(row, mapping)["completion"] == [HELLO]
        return
    with pytest.raises(RowProblem, match=reason):
        training_row(row, mapping)
