from collections.abc import Callable
from typing import Any

import pytest

from ftkit.data import clean, storage
from ftkit.data.cleaning import running
from ftkit.data.cleaning.steps import Context

QA = {"user": "question", "assistant": "answer"}


def context(mapping: dict[str, str] | None = None, columns: tuple[str, ...] = (), **more: Any) -> Context:
    given = QA if mapping is None else mapping
    return Context(mapping=given, columns=columns or tuple(given.values()), **more)


@pytest.fixture
def judge() -> Callable[..., Any]:
    """The verdict of one step on one row."""

    def decide(step: dict[str, Any], row: dict[str, Any], **more: Any) -> Any:
        (made,) = clean.parse([step])
        return made.judge(more.pop("context", context()))(0, row)

    return decide


@pytest.fixture
def run(tmp_path) -> Callable[..., Any]:
    """A list of steps over rows: what is left, the audit log, the summary."""
    count = iter(range(1_000))

    def ran(steps: list[dict[str, Any]], rows: list[dict[str, Any]], **more: Any) -> Any:
        folder = tmp_path / f"run-{next(count)}"
        folder.mkdir()
        columns = tuple(dict.fromkeys(name for row in rows for name in row))
        as_json = [name for name in columns if any(not isinstance(row.get(name), str | None) for row in rows)]
        storage.write_rows(folder / "source.parquet", rows, columns, as_json)
        given = more.pop("context", None) or context(columns=columns, **more)
        summary = running.run(folder / "source.parquet", folder, clean.parse(steps), given, lambda *_: None)
        return (
            storage.read_rows(folder / storage.ROWS),
            running.audit_rows(folder / running.AUDIT),
            summary,
        )

    return ran
