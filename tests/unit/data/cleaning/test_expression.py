import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkit.data.cleaning.expression import FUNCTIONS, compile_expression
from ftkit.data.cleaning.steps import KEEP, Drop
from ftkit.errors import BadInput
from tests.unit.data.cleaning.conftest import context

ROW = {"question": "What is it?", "answer": "It is a kettle.", "score": "4", "my column": "x", "none": None}
HERE = context(columns=tuple(ROW))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("len(answer) > 5", True),
        ("len(answer) > 5 and score >= 5", False),
        ('language != "tr"', True),
        ('score in ["3", "4"]', True),
        ("score in [3, 4]", True),
        ("score + 1 == 5 and -score < 0", True),
        ('"kettle" in answer', True),
        ('"teapot" not in answer', True),
        ('contains(answer, "KETTLE") and starts(question, "What") and ends(answer, ".")', True),
        (r'matches(answer, "k\\w+e")', True),
        ('col("my column") == "x"', True),
        ('none == "" and len(none) == 0', True),
        ("not words(answer) * 2 < 1 / 2", True),
        ("3 < len(question) < 100", True),
        ('lower(answer) == "it is a kettle."', True),
        ("number(score) == 4.0", True),
    ],
)
def test_expressions(expression, expected):
    assert bool(compile_expression(expression, HERE)(ROW)) is expected


def test_roles_have_names_where_no_column_has_them():
    row = {"instruction": "Add.", "input": "1 2", "output": "3"}
    here = context({"instruction": "instruction", "user": "input", "assistant": "output"})
    assert compile_expression('"1 2" in question and answer == "3"', here)(row)


ATTACKS = [
    "answer.upper()",
    "().__class__",
    "answer.__class__.__mro__",
    "__import__('os').system('true')",
    "open('/etc/passwd')",
    "eval('1')",
    "getattr(answer, 'x')",
    "answer[0]",
    "[x for x in answer]",
    "(lambda: 1)()",
    "len(answer, answer)",
    "len(*answer)",
    "len(x=answer)",
    "f'{answer}'",
    "(x := 1)",
    "answer ** 9999999",
    "answer if score else question",
    "answer is None",
    "b'a'",
    "2 ** 3",
    "1 << 100",
    "col(answer)",
    "1j",
    "...",
    "await answer",
    "yield",
]


@pytest.mark.parametrize("expression", ATTACKS)
def test_nothing_beyond_the_list_is_understood(expression):
    with pytest.raises(BadInput, match="Character "):
        compile_expression(expression, HERE)(ROW)


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("len(answer) > 5 and lenght(answer)", 21),
        ("nothing > 1", 1),
        ('"şöü" in answer and answer.x', 21),
        ("len(answer) > )", 15),
    ],
)
def test_a_mistake_is_said_with_its_place(expression, place):
    with pytest.raises(BadInput, match=rf"Character {place} of"):
        compile_expression(expression, HERE)


@pytest.mark.parametrize(
    "expression", ["", "  ", "(" * 300 + "1" + ")" * 300, "not " * 240 + "1", "1" * 900, "\x00"]
)
def test_degenerate_expressions_are_refused_or_harmless(expression):
    try:
        compile_expression(expression, HERE)(ROW)
    except BadInput:
        return
    assert expression.isdigit()


@given(
    st.text(st.sampled_from("answer score.()[]_'\"<>=!+-*/ and or not in len 0123,:{}lambda"), max_size=60)
)
def test_whatever_is_typed_no_attribute_and_no_foreign_call_is_run(expression):
    try:
        compile_expression(expression, HERE)
    except BadInput:
        return
    for node in ast.walk(ast.parse(expression.strip(), mode="eval")):
        assert not isinstance(node, ast.Attribute | ast.Subscript | ast.Lambda | ast.comprehension)
        if isinstance(node, ast.Call):
            assert node.func.id in {*FUNCTIONS, "col"}


def test_a_row_that_cannot_be_worked_out_goes_with_that_reason(judge):
    step = {"step": "filter_rows", "expression": "score > 3"}
    assert judge(step, ROW, context=HERE) == KEEP
    verdict = judge(step, {**ROW, "score": "high"}, context=HERE)
    assert isinstance(verdict, Drop)
    assert "“high” is not a number" in verdict.reason


def test_matching_rows_can_also_go(judge):
    step = {"step": "filter_rows", "expression": "score > 3", "action": "drop"}
    assert "is true of it" in judge(step, ROW, context=HERE).reason
    assert judge(step, {**ROW, "score": "1"}, context=HERE) == KEEP


def test_a_slow_pattern_is_given_up():
    expression = r'matches(answer, "(a|aa)+$")'
    with pytest.raises(BadInput, match="too long"):
        compile_expression(expression, HERE)({**ROW, "answer": "a" * 5_000 + "b"})
