"""The banner after a backup took the place of the database."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ftkit.records import Restoration, RowCount
from ftkit.ui.store.restored import banner

WHEN = datetime(2026, 1, 1, 12, tzinfo=UTC)


def restoration(**changes: Any) -> Restoration:
    return Restoration.model_validate(
        {
            "cause": "damaged",
            "reason": "<b>malformed</b>",
            "at": WHEN,
            "backup": "ftkit-20260101T120000Z.sqlite",
            "backup_made_at": WHEN,
            "set_aside": "ftkit.sqlite.damaged-x",
            **changes,
        }
    )


def row(name: str, before: int | None, now: int, exact: bool = True) -> RowCount:
    return RowCount(name=name, before=before, now=now, exact=exact)


def test_nothing_is_said_where_nothing_happened() -> None:
    assert banner(None, "en") == ""


@pytest.mark.parametrize("cause", ["damaged", "missing", "asked"])
@pytest.mark.parametrize("lang", ["en", "tr"])
def test_the_backup_and_the_former_file_are_named(cause: str, lang: str) -> None:
    said = banner(restoration(cause=cause), lang)
    assert "2026-01-01" in said
    assert "ftkit.sqlite.damaged-x" in said
    assert "<b>malformed" not in said


def test_only_what_differs_is_listed() -> None:
    rows = (
        row("dataset", 3, 2),
        row("split", 2, 2),
        row("jobs", 7, 9, exact=False),
        row("other", None, 1, exact=False),
    )
    english, turkish = (banner(restoration(rows=rows), lang) for lang in ("en", "tr"))
    assert "<td>datasets</td><td>3</td><td>2</td>" in english
    assert "<td>jobs</td><td>7 could be read</td><td>9</td>" in english
    assert "<td>other</td><td>unreadable</td><td>1</td>" in english
    assert "splits" not in english
    assert "<td>veri kümeleri</td><td>3</td><td>2</td>" in turkish
    assert "7 tanesi okunabildi" in turkish


def test_that_nothing_differs_is_said_too() -> None:
    assert "same number of rows" in banner(restoration(rows=(row("split", 2, 2),)), "en")


def test_folders_without_a_record_unfold() -> None:
    said = banner(restoration(folders=("runs/a", "runs/<i>")), "en")
    assert "no list shows any more: 2" in said
    assert "<li>runs/a</li><li>runs/&lt;i&gt;</li>" in said
