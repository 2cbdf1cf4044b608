import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkit.data import clean
from ftkit.errors import BadInput
from tests.unit.data.cleaning.conftest import context

# What mends, breaks up or removes; a second run has nothing left to do.
IDEMPOTENT = [
    {"step": "normalise_text"},
    {"step": "normalise_text", "unicode": "NFKC", "double_spaces": True, "lower_case": "turkish"},
    {"step": "normalise_text", "unicode": "NFKC", "lower_case": "plain"},
    {"step": "repair_mojibake"},
    {"step": "neutralise_special_tokens"},
    {"step": "neutralise_special_tokens", "how": "remove"},
]
DIRT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("\u200b\u200d\u202e\ufeff\u00ad\u00a0\r\n\t <|>[]/s İIıi①ﬁÃ¼Ã§"),
    ),
    max_size=60,
)


def rewritten(step: dict, text: str) -> str:
    (made,) = clean.parse([step])
    return made.rewrite(context())(text)


@pytest.mark.parametrize("step", IDEMPOTENT, ids=lambda step: "-".join(map(str, step.values())))
@given(text=DIRT)
def test_a_second_run_changes_nothing(step, text):
    once = rewritten(step, text)
    assert rewritten(step, once) == once


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("  a\u00a0b \r\nc\t\n\n\n\n\n\nd ", "a b\nc\n\n\nd"),
        ("e\u0301", "é"),
        ("pa\u200bss\ufeffword\u202e", "password"),
        ("\x1b[31mred\x00", "[31mred"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("zero\u200dwidth", "zerowidth"),
        ("def f():\n    return  1", "def f():\n    return  1"),
        ("hidden\U000e0041\U000e0042", "hidden"),
    ],
)
def test_text_is_tidied_and_code_and_scripts_are_left_alone(text, tidy):
    assert rewritten({"step": "normalise_text"}, text) == tidy


def test_lower_case_follows_the_language():
    assert rewritten({"step": "normalise_text", "lower_case": "turkish"}, "ISPARTA İZMİR") == "ısparta izmir"
    assert rewritten({"step": "normalise_text", "lower_case": "plain"}, "ISPARTA") == "isparta"


def test_broken_letters_are_repaired_and_good_ones_are_left():
    assert rewritten({"step": "repair_mojibake"}, "Ã§ay ve ÅŸeker") == "çay ve şeker"
    assert rewritten({"step": "repair_mojibake"}, "çay “ve” &amp; şeker…") == "çay “ve” &amp; şeker…"
    assert rewritten({"step": "repair_mojibake", "entities": True}, "a &amp; b") == "a & b"


@pytest.mark.parametrize(
    ("step", "text", "new"),
    [
        ({"find": "a.b", "replace": r"\1"}, "a.b axb", r"\1 axb"),
        ({"find": r"(\w+)@(\w+)", "replace": r"\2 at \1", "pattern": True}, "me@home", "home at me"),
        (
            {"find": "cat", "replace": "dog", "whole_words": True, "ignore_case": True},
            "Cat category",
            "dog category",
        ),
        ({"find": "x"}, "axbx", "ab"),
    ],
)
def test_find_and_replace(step, text, new):
    assert rewritten({"step": "find_replace", **step}, text) == new


def test_a_pattern_that_never_ends_is_given_up_with_words():
    began = time.monotonic()
    with pytest.raises(BadInput, match="takes longer than"):
        rewritten({"step": "find_replace", "find": r"(a|aa)+$", "pattern": True}, "a" * 5_000 + "b")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "step",
    [
        {"find": ""},
        {"find": "(", "pattern": True},
        {"find": "a", "replace": r"\9", "pattern": True},
        {"find": "a", "replace": r"\g<no>", "pattern": True},
    ],
)
def test_a_wrong_pattern_is_said_before_any_row(step):
    (made,) = clean.parse([{"step": "find_replace", **step}])
    with pytest.raises(BadInput):
        made.judge(context())


def test_a_replacement_that_blows_up_is_refused():
    step = {"step": "find_replace", "find": "a", "replace": "b" * 500}
    with pytest.raises(BadInput, match="shorter replacement"):
        rewritten(step, "a" * 20_000)


CONTROL = [
    "<|im_end|>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "<|eot_id|>",
    "<<SYS>>",
    "<end_of_turn>",
    "<｜User｜>",
]


@pytest.mark.parametrize("how", ["break", "remove"])
@given(pieces=st.lists(st.one_of(st.sampled_from(CONTROL), st.text(max_size=6)), max_size=8))
def test_no_control_token_is_left(how, pieces):
    new = rewritten({"step": "neutralise_special_tokens", "how": how}, "".join(pieces))
    assert [token for token in CONTROL if token in new] == []


def test_a_model_s_own_control_tokens_are_found_too():
    (made,) = clean.parse([{"step": "neutralise_special_tokens", "model": "m"}])
    change = made.rewrite(context(special_tokens=lambda model: ["@@stop@@", "x"] if model == "m" else []))
    assert change("go @@stop@@ x") == "go @ @stop@@ x"


def test_text_without_dirt_is_left_alone():
    plain = "Use a < b | c > d, a[i] and <b>bold</b>."
    for step in IDEMPOTENT[:1] + IDEMPOTENT[3:]:
        assert rewritten(step, plain) == plain
