"""Tokens that are kept are the tokens that would be made, and whatever they depend on makes them anew."""

from pathlib import Path
from typing import Any

import pytest

from ftkit.workers.data import tokenised as module
from ftkit.workers.data.tokenised import Asked, tokenised
from tests.tiny import make_tiny_model
from tests.unit.workers.runs import MAPPING, make_split, rows

PAIRS = {"system": "system", "user": "message", "chosen": "answer", "rejected": "worse"}
MARKED = {"system": "system", "user": "message", "assistant": "answer", "label": "mark"}
COLUMNS = ("system", "message", "answer", "worse", "mark")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def _file(folder: Path, number: int = 9) -> Path:
    data = [{**row, "worse": "no", "mark": "good" if n % 2 else "bad"} for n, row in enumerate(rows(number))]
    data[2]["answer"] = ""
    return make_split(folder, data, (), COLUMNS) / "train.parquet"


@pytest.mark.parametrize(
    ("mapping", "method"), [(MAPPING, "sft"), (PAIRS, "dpo"), (MARKED, "kto")], ids=["sft", "dpo", "kto"]
)
def test_what_is_read_is_what_was_made(
    mapping: dict[str, str], method: Any, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(_file(tmp_path / "split"), mapping, model, 200, True, method)
    made = tokenised(asked, tmp_path / "cache")
    assert made.rows
    assert made.empty == 1
    monkeypatch.setattr(module, "prepare", None)  # nothing is tokenised the second time
    again = tokenised(asked, tmp_path / "cache")
    assert again == made
    assert type(again.rows[0]) is type(made.rows[0])


def test_other_rows_rules_or_templates_are_tokenised_anew(tmp_path: Path) -> None:
    model = make_tiny_model(tmp_path / "models" / "tiny")
    asked = Asked(_file(tmp_path / "split"), MAPPING, model, 200, True, "sft")
    others = [
        asked._replace(max_length=100),
        asked._replace(completion_only=False),
        asked._replace(method="kto"),
        asked._replace(mapping={**MAPPING, "user": "answer"}),
        asked._replace(file=_file(tmp_path / "more", 10)),
    ]
    keys = {one.key() for one in (asked, *others)}
    assert len(keys) == 1 + len(others)
    template = model / "chat_template.jinja"
    template.write_text(template.read_text() + "\n")
    assert asked.key() not in keys


def test_half_a_file_is_made_again_and_a_full_disk_costs_nothing(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, cache = Asked(_file(tmp_path / "split"), MAPPING, model, 200, True, "sft"), tmp_path / "cache"
    made = tokenised(asked, cache)
    kept = cache / f"{asked.key()}.parquet"
    kept.write_bytes(kept.read_bytes()[:200])
    assert tokenised(asked, cache) == made
    kept.unlink()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.pq, "ParquetWriter", full)
    assert tokenised(asked, cache) == made
    assert not kept.exists()
