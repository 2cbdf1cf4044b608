from typing import Any

import pytest

from ftkit.data.prompts.drawing import draw

CHAT = {"system": "system", "user": "question", "assistant": "answer"}


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "system": "Be kind.",
            "question": "long question " * (1 + 9 * (n % 2)),
            "answer": f"answer {n}",
            "kind": ("billing", "delivery", "")[n % 3],
            "number": str(n),
            "same": "always",
            "note": "x" * (100 if n == 7 else 3),
        }
        for n in range(count)
    ]


def test_prompts_keep_reference_place_and_labels() -> None:
    drawn = draw(rows(30), CHAT, 100, 1)
    assert [one.row for one in drawn.prompts] == list(range(30))
    first, second = drawn.prompts[:2]
    assert first.messages[0] == {"role": "system", "content": "Be kind."}
    assert (first.reference, first.plain) == ("answer 0", False)
    assert first.labels == {"kind": "billing", "prompt_length": "short"}
    assert second.labels == {"kind": "delivery", "prompt_length": "long"}
    assert drawn.prompts[2].labels == {"prompt_length": "short"}, "no label where the column is empty"


def test_the_seed_draws() -> None:
    one, same, other = (draw(rows(30), CHAT, 5, seed) for seed in (1, 1, 2))
    assert one == same != other
    places = [prompt.row for prompt in one.prompts]
    assert places == sorted(set(places))
    assert len(places) == 5


def test_rows_that_ask_nothing_are_counted() -> None:
    bad = [*rows(2), {"system": "", "question": "", "answer": "x"}]
    drawn = draw(bad, CHAT, 9, 1)
    assert (len(drawn.prompts), drawn.left_out) == (2, {"“question” is empty": 1})


def test_prompts_of_one_length_have_no_length_label() -> None:
    drawn = draw([rows(2)[0]] * 3, CHAT, 9, 1)
    assert all("prompt_length" not in one.labels for one in drawn.prompts)


@pytest.mark.parametrize(
    ("mapping", "row", "asked"),
    [
        ({"prompt": "p", "completion": "c"}, {"p": "### Q\nhi\n", "c": "ho"}, "### Q\nhi\n"),
        ({"text": "t"}, {"t": "word " * 100}, ("word " * 39).rstrip()),
    ],
)
def test_plain_texts_go_without_a_template(mapping: dict[str, str], row: dict[str, str], asked: str) -> None:
    (one,) = draw([row], mapping, 1, 1).prompts
    assert one.plain
    assert one.messages == ({"role": "user", "content": asked},)


def test_a_prompt_that_calls_tools_is_left_out() -> None:
    call = {"function": {"name": "look", "arguments": {}}}
    turns = [
        {"role": "user", "content": "when?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "now"},
        {"role": "assistant", "content": "now"},
    ]
    drawn = draw([{"messages": turns}], {"messages": "messages"}, 1, 1)
    assert drawn.left_out == {"the conversation before the answer calls tools": 1}
