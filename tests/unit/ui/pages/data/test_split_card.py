from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from ftkit.settings import Settings
from ftkit.ui.pages.data import page as data
from ftkit.ui.pages.data import split_card
from ftkit.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path / "home")})) as workspace:
        yield workspace


@pytest.fixture
def page(workspace: Workspace) -> Any:
    with gr.Blocks():
        return data._Page(workspace)


def visit(lang: str = "en", **ids: str) -> Any:
    return SimpleNamespace(query_params=ids, cookies={"ftkit_lang": lang}, headers={})


def test_columns_and_other_datasets_can_be_chosen(workspace: Workspace, page: Any) -> None:
    first, second = (workspace.data.import_sample(f"house-voice-{lang}") for lang in ("en", "tr"))
    group, stratify, other = page._offer(visit(dataset=first.id))
    assert [value for _, value in group.choices] == ["", *first.columns]
    assert [value for _, value in stratify.choices] == ["", *first.columns]
    assert [value for _, value in other.choices] == ["", second.id]
    assert len(page._offer(visit())) == 3


def test_every_choice_reaches_the_split_and_its_report(workspace: Workspace, page: Any) -> None:
    first, second = (workspace.data.import_sample(f"house-voice-{lang}") for lang in ("en", "tr"))
    here = visit(dataset=first.id)
    address = page._split(here, 95, 5, 0, 7, "question", "answer", second.id, "no")
    made = workspace.splits.get(address.partition("split=")[2])
    assert (made.ratios, made.seed, made.group, made.stratify) == ((0.95, 0.05, 0), 7, "question", "answer")
    assert (made.test_dataset, made.near) == (second.id, False)
    shown = str(split_card.report(made, "en"))
    assert "Leak report" in shown
    assert "Same group in another part" in shown
    assert "The test is a dataset of its own with 124 rows" in shown
    assert "Sınama, 124 satırlık ayrı bir veri kümesi" in split_card.report(made, "tr")
    usual = workspace.splits.get(page._split(here, 80, 10, 10, 42, "", "", "", "auto").partition("split=")[2])
    assert usual.near
    assert "Same group" not in split_card.report(usual, "en")
    leaky = usual.model_copy(update={"leaks": 3})
    assert "ft-notice ft-bad" in split_card.report(leaky, "en")
