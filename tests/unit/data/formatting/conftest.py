import json
import shutil
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from ftkit.data.formatting.service import FormattingService
from ftkit.data.service import DataService
from ftkit.data.splits.service import SplitService
from ftkit.settings import Settings
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database
from ftkit.store.files import Folders
from tests.tiny import CHAT_TEMPLATE, make_tiny_model

# Writes an open question otherwise than an answered one, as templates of thinking models do.
THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
# Has neither roles nor newlines between turns, and ends with nothing but the end token.
BARE = (
    "{% for m in messages %}{% if m.role == 'assistant' %} {{ m.content }}<|im_end|>{% else %}[{{ m.content }}]"
    "{% endif %}{% endfor %}"
)
TEMPLATES = {"chatml": CHAT_TEMPLATE, "thinking": THINKING, "bare": BARE}


@pytest.fixture(scope="package")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models that differ in nothing but their chat template."""
    folder = tmp_path_factory.mktemp("models")
    first = make_tiny_model(folder / "chatml")
    for name, template in TEMPLATES.items():
        if name != "chatml":
            shutil.copytree(first, folder / name)
        (folder / name / "chat_template.jinja").write_text(template)
    return folder


@pytest.fixture
def home(tmp_path: Path, models: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(models, target_is_directory=True)
    return home


@pytest.fixture
def shared(home: Path):
    database = Database(f"sqlite:///{home / 'ftkit.sqlite'}")
    numbers = count(1)
    environment = Settings.from_environment().worker_environment()
    yield (
        (Artefacts(database), Folders(home), lambda: datetime(2026, 11, 25, tzinfo=UTC)),
        lambda: f"{next(numbers):012x}",
        environment,
    )
    database.close()


@pytest.fixture
def service(shared) -> FormattingService:
    return FormattingService(*shared[0], *shared[1:])


@pytest.fixture
def splits(shared) -> SplitService:
    return SplitService(*shared[0], shared[1])


@pytest.fixture
def imported(shared, tmp_path: Path):
    """A dataset of these rows."""
    data = DataService(*shared[0], shared[1])

    def make(rows: list[dict], mapping: dict[str, str] | None = None):
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        return data.import_upload(data.add_upload(path, path.name).id, None, mapping)

    return make
