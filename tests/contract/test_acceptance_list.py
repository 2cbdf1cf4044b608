"""Every number of the acceptance list of malformed inputs, M01 to M93, is asserted by a test that runs."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.unit.data.malformed import CASES, MEANING

TESTS = Path(__file__).parents[1]
NUMBERS = [f"M{number:02}" for number in range(1, 94)]
NAMED = re.compile(r"test_((?:m\d\d_)+)")
# What the tests over the made files are called; each of their files and rows has a number.
OVER_CASES, OVER_MEANING = (
    "test_every_file_gets_its_answer",
    "test_rows_that_mean_nothing_are_left_out_with_their_reason",
)


def asserting_tests() -> Iterator[tuple[str, str]]:
    """File and name of every test function that asserts something and is not skipped."""
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and _asserts(node):
                yield str(file.relative_to(TESTS)), node.name


def _asserts(function: ast.FunctionDef) -> bool:
    marks = " ".join(ast.unparse(mark) for mark in function.decorator_list)
    body = ast.unparse(function)
    return "skip" not in marks and "xfail" not in marks and bool(re.search(r"\bassert |pytest\.raises", body))


def answered() -> dict[str, set[str]]:
    """Number → tests that assert its answer."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for file, name in asserting_tests():
        place = f"{file}::{name}"
        if named := NAMED.match(name):
            for number in named[1].strip("_").split("_"):
                found[number.upper()].add(place)
        for over, numbers in (
            (OVER_CASES, [case.number for case in CASES if case.refused or case.rows is not None]),
            (OVER_MEANING, [number for number, *_ in MEANING]),
        ):
            if name == over:
                for number in numbers:
                    found[number].add(f"{place}[{number}]")
    return found


def test_every_number_of_the_list_is_asserted() -> None:
    found = answered()
    assert [number for number in NUMBERS if number not in found] == []
    assert sorted(found.keys() - set(NUMBERS)) == []
