"""Size budgets: habits do not stop growth, these do."""

import ast
from pathlib import Path

import pytest

from tests.contract.source import PACKAGE, ROOT, functions, modules, tree

FILE_LINES = 400
FUNCTION_LINES = 60
PARAMETERS = 7
ROOM_MODULES = 10
APP_LINES = 30


def too_long_files(paths: list[Path]) -> list[str]:
    return [p.name for p in paths if len(p.read_text(encoding="utf-8").splitlines()) > FILE_LINES]


def too_long_functions(paths: list[Path]) -> list[str]:
    return [
        f"{p.name}:{f.name}"
        for p in paths
        for f in functions(p)
        if f.end_lineno - f.lineno + 1 > FUNCTION_LINES
    ]


def too_many_parameters(paths: list[Path]) -> list[str]:
    found = []
    for path in paths:
        for f in functions(path):
            names = [a.arg for a in f.args.posonlyargs + f.args.args if a.arg not in {"self", "cls"}]
            # Keyword-only arguments are named at every call; a long list of them is a record, not a riddle.
            if len(names) > PARAMETERS:
                found.append(f"{path.name}:{f.name}")
    return found


def crowded_rooms(package: Path) -> list[str]:
    rooms = [d for d in [package, *package.rglob("*/")] if d.is_dir() and "__pycache__" not in d.parts]
    return [
        r.name for r in rooms if len([p for p in r.glob("*.py") if p.name != "__init__.py"]) > ROOM_MODULES
    ]


def forbidden_words(paths: list[Path]) -> list[str]:
    found = [
        f"{p.name}: module name" for p in paths if p.stem in {"utils", "util", "helpers", "common", "misc"}
    ]
    for path in paths:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Global):
                found.append(f"{path.name}:{node.lineno}: global")
    return found


def environment_readers(paths: list[Path]) -> list[str]:
    found = []
    for path in paths:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
                found.append(path.relative_to(PACKAGE).as_posix())
    return found


def test_the_tree_keeps_its_budgets() -> None:
    paths = modules()
    assert too_long_files(paths) == []
    assert too_long_functions(paths) == []
    assert too_many_parameters(paths) == []
    assert crowded_rooms(PACKAGE) == []
    assert forbidden_words(paths) == []
    assert set(environment_readers(paths)) <= {"settings.py"}
    assert len((ROOT / "app.py").read_text().splitlines()) <= APP_LINES


@pytest.mark.parametrize(
    ("check", "source"),
    [
        (too_long_files, "x = 1\n" * (FILE_LINES + 1)),
        (too_long_functions, "def f():\n" + "    x = 1\n" * FUNCTION_LINES),
        (too_many_parameters, "def f(a, b, c, d, e, f, g, h): ...\n"),
        (forbidden_words, "def f():\n    global x\n"),
    ],
)
def test_each_budget_can_fail(check, source: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert check([path])


def test_a_crowded_room_is_seen(tmp_path: Path) -> None:
    for n in range(ROOM_MODULES + 1):
        (tmp_path / f"m{n}.py").touch()
    assert crowded_rooms(tmp_path) == [tmp_path.name]
