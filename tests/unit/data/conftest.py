import json
import os
import zipfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from ftkit.data.reading import readers
from ftkit.data.reading.archives import Source
from ftkit.data.service import DataService
from ftkit.data.splits.service import SplitService
from ftkit.settings import Settings
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database
from ftkit.store.files import Folders


@pytest.fixture
def shared(tmp_path):
    """What the room's services have in common: artefacts, folders, clock, ids."""
    home = tmp_path / "home"
    home.mkdir()
    database = Database(f"sqlite:///{home / 'ftkit.sqlite'}")
    numbers = count(1)
    yield (
        Artefacts(database),
        Folders(home),
        lambda: datetime(2026, 11, 22, tzinfo=UTC),
        lambda: f"{next(numbers):012x}",
    )
    database.close()


@pytest.fixture
def service(shared):
    return DataService(*shared)


@pytest.fixture
def environment(tmp_path):
    """What worker processes inherit."""
    return Settings.from_environment(
        {**os.environ, "FTKIT_HOME": str(tmp_path / "home")}
    ).worker_environment()


@pytest.fixture
def splits(shared):
    return SplitService(*shared)


@pytest.fixture
def home(service, tmp_path):
    return tmp_path / "home"


@pytest.fixture
def write(tmp_path):
    """A file of this name and content."""

    def make(name: str, content: str | bytes | list[dict]) -> Path:
        path = tmp_path / name
        if isinstance(content, list):
            content = "\n".join(json.dumps(row, ensure_ascii=False) for row in content) + "\n"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


@pytest.fixture
def read(write, tmp_path):
    """Rows and report of a file of this name and content."""

    def made(name: str, content: str | bytes, options=None):
        path = write(name, content)
        spool = tmp_path / "spool"
        reading = readers.scan([Source(path, name)], spool, options)
        return list(readers.spooled(spool)), reading

    return made


_SHEET = (
    '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{}</sheetData></worksheet>"
)


def _cell(value: object, place: str) -> str:
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def _sheet(rows: list[list[object]]) -> str:
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = "".join(
            _cell(value, f"{chr(64 + place)}{number}")
            for place, value in enumerate(row, start=1)
            if value != ""
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    return _SHEET.format("".join(lines))


@pytest.fixture
def workbook(tmp_path):
    """An Excel file with these sheets: name → rows, or name → (rows, state)."""

    def make(sheets: dict, name: str = "book.xlsx", extra: dict[str, str] | None = None) -> Path:
        path = tmp_path / name
        relations, listed, types = [], [], []
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, (title, value) in enumerate(sheets.items(), start=1):
                rows, state = value if isinstance(value, tuple) else (value, "visible")
                archive.writestr(f"xl/worksheets/sheet{number}.xml", _sheet(rows))
                listed.append(
                    f'<sheet name="{title}" sheetId="{number}" state="{state}" r:id="rId{number}"/>'
                )
                relations.append(
                    f'<Relationship Id="rId{number}" Target="worksheets/sheet{number}.xml" '
                    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/>'
                )
                types.append(
                    f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType='
                    '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
                )
            archive.writestr(
                "xl/workbook.xml",
                '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
                'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
                f"<sheets>{''.join(listed)}</sheets></workbook>",
            )
            archive.writestr(
                "xl/_rels/workbook.xml.rels",
                '<?xml version="1.0"?><Relationships '
                f'xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{"".join(relations)}</Relationships>',
            )
            archive.writestr(
                "_rels/.rels",
                '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                '<Relationship Id="rId1" Target="xl/workbook.xml" '
                'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>',
            )
            archive.writestr(
                "[Content_Types].xml",
                '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f"{''.join(types)}</Types>",
            )
            for inner, text in (extra or {}).items():
                archive.writestr(inner, text)
        return path

    return make
