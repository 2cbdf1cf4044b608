"""The filter by an expression over the columns, such as ``len(answer) > 20 and language != "tr"``.

Python's parser reads it; what follows is a list of what is allowed, walked by our own code. Nothing is ever handed to
``eval``: no attribute, no index, no call but those of ``FUNCTIONS``. Mistakes are said with their place in the text.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from ftkit.data.cleaning import texts
from ftkit.data.cleaning.filters import language_of
from ftkit.data.cleaning.steps import KEEP, Context, Judge, Row, Step, Verdict, option, reason
from ftkit.errors import BadInput

_LENGTH = 1_000
_DEPTH = 40
_PATTERN_SECONDS = 1.0
_ROLES = ("question", "answer")
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_SUMS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

Value = str | float | bool | None
_Find = Callable[[Row], Any]


class _Unfit(Exception):
    """This row cannot be judged by the expression."""


class FilterRows(Step):
    """Rows that an expression is true of."""

    title = "Filter by an expression"
    help = "Rows stay or go by what stands in their columns."

    step: Literal["filter_rows"] = "filter_rows"
    expression: str = option(
        "",
        "Expression",
        "Names of columns, or question, answer and language; comparisons, and, or, not, in, + - * /; len, words, lower, "
        'number, contains, starts, ends, matches, col. For example: len(answer) > 20 and language != "tr"',
        max_length=_LENGTH,
    )
    action: Literal["keep", "drop"] = option(
        "keep",
        "Rows of which it is true",
        "What happens to them.",
        choices={"keep": "stay, the others go", "drop": "go"},
    )

    def check(self, context: Context) -> None:
        """Translate the expression.

        Raises:
            BadInput: it cannot be understood; the sentence says where.
        """
        super().check(context)
        compile_expression(self.expression, context)

    def judge(self, context: Context) -> Judge:
        """Translate the expression once.

        Raises:
            BadInput: it cannot be understood; the sentence says where.
        """
        decide = compile_expression(self.expression, context)
        wanted = self.action == "keep"

        def judge_row(_number: int, row: Row) -> Verdict:
            try:
                matches = bool(decide(row))
            except _Unfit as problem:
                return reason("clean_unfit", problem=problem)
            if matches == wanted:
                return KEEP
            return reason("clean_unmatched" if wanted else "clean_matched", expression=self.expression)

        return judge_row


def compile_expression(source: str, context: Context) -> _Find:
    """An expression as a function of a row.

    Raises:
        BadInput: it cannot be understood; the sentence says where.
    """
    if not source.strip():
        raise BadInput("clean.no_expression", "The expression is empty. Write one such as: len(answer) > 20")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is the person's text, and no Python program
            tree = ast.parse(source.strip(), mode="eval")
    except SyntaxError as error:
        raise _mistake(error.offset or 1, "syntax", source) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise _mistake(1, "syntax", source) from error
    return _Compiler(source.strip(), context).compiled(tree.body, 0)


class _Compiler:
    """Allowed nodes to functions; any other node is a mistake."""

    def __init__(self, source: str, context: Context) -> None:
        self._source = source
        self._context = context

    def compiled(self, node: ast.expr, depth: int) -> _Find:
        if depth > _DEPTH:
            raise self._wrong(node, "depth")
        match node:
            case ast.Constant(value=str() | int() | float() | bool() | None as value):
                return lambda _row: value
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.BoolOp(op=op, values=values):
                return self._joined(op, [self.compiled(one, depth + 1) for one in values])
            case ast.UnaryOp(op=ast.Not() | ast.USub() as op, operand=operand):
                return self._turned(op, self.compiled(operand, depth + 1))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SUMS:
                sides = self.compiled(left, depth + 1), self.compiled(right, depth + 1)
                return self._sum(_SUMS[type(op)], *sides)
            case ast.Compare():
                return self._compared(node, depth)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._called(node, name, arguments, depth)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                parts = [self.compiled(one, depth + 1) for one in items]
                return lambda row: [part(row) for part in parts]
        raise self._wrong(node, "not_allowed")

    def _name(self, node: ast.expr, name: str) -> _Find:
        columns, mapping = self._context.columns, self._context.mapping
        if name in columns:
            return lambda row: _plain(row.get(name))
        if name in _ROLES:
            part: Any = name
            return lambda row: texts.part(row, mapping, part)
        if name in mapping:
            column = mapping[name]
            return lambda row: _plain(row.get(column))
        if name == "language":
            used = self._context.used
            return lambda row: language_of("\n".join(text for _, text in texts.leaves(row, used)))[0]
        raise self._wrong(node, "no_column")

    @staticmethod
    def _turned(op: ast.unaryop, inner: _Find) -> _Find:
        if isinstance(op, ast.Not):
            return lambda row: not inner(row)
        return lambda row: -_number(inner(row))

    @staticmethod
    def _joined(op: ast.boolop, parts: list[_Find]) -> _Find:
        if isinstance(op, ast.And):
            return lambda row: all(part(row) for part in parts)
        return lambda row: any(part(row) for part in parts)

    @staticmethod
    def _sum(apply: Callable[[Any, Any], Any], left: _Find, right: _Find) -> _Find:
        def result(row: Row) -> float:
            try:
                return float(apply(_number(left(row)), _number(right(row))))
            except (ZeroDivisionError, OverflowError) as error:
                raise _Unfit(error) from error

        return result

    def _compared(self, node: ast.Compare, depth: int) -> _Find:
        parts = [self.compiled(one, depth + 1) for one in (node.left, *node.comparators)]
        tests: list[Callable[[Any, Any], bool]] = []
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                tests.append(partial(_is_in, isinstance(op, ast.In)))
            elif type(op) in _COMPARISONS:
                tests.append(partial(_compare, _COMPARISONS[type(op)]))
            else:
                raise self._wrong(right, "not_allowed")
        steps = list(zip(parts, tests, parts[1:], strict=False))
        return lambda row: all(test(left(row), right(row)) for left, test, right in steps)

    def _called(self, node: ast.expr, name: str, arguments: list[ast.expr], depth: int) -> _Find:
        if name == "col":
            match arguments:
                case [ast.Constant(value=str() as column)] if column in self._context.columns:
                    return lambda row: _plain(row.get(column))
            raise self._wrong(node, "no_column")
        if name not in FUNCTIONS:
            raise self._wrong(node, "no_function")
        function, count = FUNCTIONS[name]
        if len(arguments) != count:
            raise self._wrong(node, "arguments")
        parts = [self.compiled(one, depth + 1) for one in arguments]
        return lambda row: function(*(part(row) for part in parts))

    def _wrong(self, node: ast.expr, problem: str) -> BadInput:
        before = self._source.encode().splitlines()[node.lineno - 1][: node.col_offset]
        return _mistake(len(before.decode()) + 1, problem, self._source, self._context.columns)


def _mistake(place: int, problem: str, source: str, columns: tuple[str, ...] = ()) -> BadInput:
    around = source.strip()[max(0, place - 1) :][:30]
    if problem in {"no_column", "no_function"}:
        known = columns if problem == "no_column" else tuple(FUNCTIONS)
        return BadInput(
            "clean.unknown_name",
            "Character {place} of the expression, “{around}”: there is no such name. Use one of: {known}.",
            place=place,
            around=around,
            known=", ".join((*known, *((*_ROLES, "language") if problem == "no_column" else ("col",)))),
        )
    if problem == "arguments":
        return BadInput(
            "clean.wrong_arguments",
            "Character {place} of the expression, “{around}”: wrong number of values in the brackets. Correct it.",
            place=place,
            around=around,
        )
    if problem == "syntax":
        return BadInput(
            "clean.bad_expression",
            "Character {place} of the expression, “{around}”: it cannot be understood from here on. Correct it.",
            place=place,
            around=around,
        )
    return BadInput(
        "clean.not_allowed",
        "Character {place} of the expression, “{around}”: only columns, values, comparisons, sums and the listed functions "
        "may be used. Write it with these.",
        place=place,
        around=around,
    )


def _plain(value: Any) -> Any:
    """A column's value for comparing; nothing is empty text, nested values are their text."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return "\n".join(text for _, text in texts.leaves({"": value}, [""]))
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _Unfit(f"“{_text(value)[:30]}”") from error


def _compare(test: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    """Text with text, else numbers; text that is no number can only be unequal to one."""
    if isinstance(one, str) and isinstance(other, str):
        return test(one, other)
    try:
        return test(_number(one), _number(other))
    except _Unfit:
        if test in (operator.eq, operator.ne):
            return test is operator.ne
        raise


def _is_in(wanted: bool, item: Any, group: Any) -> bool:
    if isinstance(group, list):
        return any(_compare(operator.eq, item, one) for one in group) == wanted
    return (_text(item) in _text(group)) == wanted


def _matches(text: Any, pattern: Any) -> bool:
    import regex  # noqa: PLC0415  unlike re it can give up after a time

    try:
        return regex.search(_text(pattern), _text(text), timeout=_PATTERN_SECONDS) is not None
    except (regex.error, TimeoutError, RecursionError, OverflowError) as error:
        raise BadInput(
            "clean.bad_match",
            "The pattern {pattern} cannot be used, or takes too long ({problem}). Make it simpler.",
            pattern=_text(pattern),
            problem=error,
        ) from error


FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int]] = {
    "len": (lambda value: len(_text(value)), 1),
    "words": (lambda value: len(_text(value).split()), 1),
    "lower": (lambda value: _text(value).lower(), 1),
    "number": (_number, 1),
    "contains": (lambda text, part: _text(part).casefold() in _text(text).casefold(), 2),
    "starts": (lambda text, part: _text(text).startswith(_text(part)), 2),
    "ends": (lambda text, part: _text(text).endswith(_text(part)), 2),
    "matches": (_matches, 2),
}
