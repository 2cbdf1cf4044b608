"""The source tree as the contract tests see it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ftkit"


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def raised_errors() -> Iterator[tuple[str, str, str]]:
    """``(key, English text, place)`` of every error of the family that is made anywhere in the package."""
    family = {node.name for node in tree(PACKAGE / "errors.py").body if isinstance(node, ast.ClassDef)}
    for node in (node for path in modules() for node in tree(path).body if isinstance(node, ast.ClassDef)):
        if any(isinstance(base, ast.Name) and base.id in family for base in node.bases):
            family.add(node.name)
    for path in modules():
        for node in ast.walk(tree(path)):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in family
            ):
                continue
            match node.args:
                case [ast.Constant(value=str(key)), ast.Constant(value=str(text)), *_]:
                    yield key, text, f"{path.relative_to(ROOT)}:{node.lineno}"
                case _:
                    raise AssertionError(f"{path}:{node.lineno}: key and text of an error are plain strings")
