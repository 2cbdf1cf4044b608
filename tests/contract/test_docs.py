"""What the documents point at is there, and every page has its pictures."""

import re
from pathlib import Path

import pytest

from ftkit.ui.shell import PAGES, SUBPAGES
from tests.contract.source import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def dead_links(document: Path) -> list[str]:
    """Files that a document names as a link or a picture, and that are not there."""
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    files = [target for target in targets if "://" not in target]
    return [target for target in files if not (document.parent / target).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    assert dead_links(document) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("![A](here.png) [b](gone.md) [c](https://example.org) [d](#below)")
    (tmp_path / "here.png").touch()
    assert dead_links(document) == ["gone.md"]


def test_every_page_has_its_pictures() -> None:
    made = {path.stem for path in (ROOT / "docs" / "images").glob("*.png")}
    wanted = {
        f"{page}-{scheme}-{width}"
        for page in (*PAGES, *SUBPAGES)
        for scheme in ("light", "dark")
        for width in (1280, 390)
    }
    assert wanted <= made
