import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from ftkit.data.formatting.service import Token, TokenView
from ftkit.settings import Settings
from ftkit.ui.pages.data import tokens
from ftkit.workspace import Workspace
from tests.tiny import make_tiny_model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def workspace(tmp_path: Path, tiny: Path) -> Iterator[Workspace]:
    shutil.copytree(tiny, tmp_path / "home" / "models" / "tiny")
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path / "home")})) as workspace:
        yield workspace


@pytest.fixture
def page(workspace: Workspace) -> Any:
    with gr.Blocks():
        return tokens._Page(workspace)


def visit(lang: str = "en", **ids: str) -> Any:
    return SimpleNamespace(query_params=ids, cookies={"ftkit_lang": lang}, headers={})


def token(text: str, trained: bool = True, beyond: bool = False) -> Token:
    return Token(id=7, text=text, trained=trained, beyond=beyond)


def test_each_kind_has_its_class_its_count_and_its_word():
    view = TokenView(
        tokens=(token("<b>", False), token("yes"), token("no"), token("far", beyond=True)), limit=3, longest=4
    )
    shown = str(tokens.tokens_of(view, "en"))
    assert '<span class="ft-token ft-masked" title="7 · only read">&lt;b&gt;</span>' in shown
    assert '<span class="ft-token ft-trained">learned</span> 2' in shown
    assert '<span class="ft-token ft-beyond">beyond the limit</span> 1' in shown
    assert "This row has 4 tokens, and at most 3 fit" in shown
    assert "öğrenilen</span> 2" in str(tokens.tokens_of(view, "tr"))


def test_a_row_without_anything_to_learn_says_so():
    assert "no token to learn" in tokens.tokens_of(TokenView(tokens=(token("x"),), limit=9), "en")
    problem = TokenView(limit=9, problem="nothing is asked before the answer")
    assert "nothing is asked before the answer" in tokens.tokens_of(problem, "en")
    assert "yanıttan önce" in tokens.tokens_of(problem, "tr")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n", "a⏎\n"),
        ("\t", "⇥\t"),
        ("  ", "··"),
        ("", "…"),
        (" İyi", " İyi"),
        ("a\u200bb\u00a0\u202e", "a‹U+200B›b‹U+00A0›‹U+202E›"),
        ("👋", "👋"),
    ],
)
def test_what_cannot_be_seen_gets_a_sign(text, shown):
    assert tokens.visible(text) == shown


def test_thousands_of_tokens_are_not_all_drawn():
    shown = str(tokens.tokens_of(TokenView(tokens=(token("x"),) * 3000, limit=9000), "en"))
    assert shown.count('class="ft-token ft-trained" title') == 2500
    assert "Further tokens that are not drawn here: 500." in shown


def test_the_page_walks_through_rows_of_a_dataset_and_of_a_part(workspace: Workspace, page: Any) -> None:
    dataset = workspace.data.import_sample("house-voice-tr")
    split = workspace.splits.split(dataset.id)
    ids = {"dataset": dataset.id, "split": split.id}
    back, cards, of, model = page._open(visit(**ids))
    assert cards.visible
    assert f'href="/data?dataset={dataset.id}&amp;split={split.id}"' in back
    assert [value for _, value in of.choices] == ["dataset", "train", "validation", "test"]
    assert model.value == "tiny"
    row, place, shown = page._go_on(visit(**ids), 0, "dataset", "tiny", 512, True)
    assert (row, place) == (1, "Row 2 of 124")
    assert "ft-masked" in shown
    assert "ft-masked" not in page._stay(visit(**ids), 0, "dataset", "tiny", 512, False)[2]
    last = split.sizes["test"]
    row, place, _ = page._go_on(visit(**ids), 9999, "test", "tiny", 512, True)
    assert (row, place) == (last - 1, f"Row {last} of {last}")
    assert page._go_back(visit(**ids), 0, "test", "tiny", 4, True)[0] == 0
    assert "No model on this machine yet" in page._stay(visit(**ids), 0, "dataset", None, 512, True)[2]


def test_the_page_gives_rows_another_form(workspace: Workspace, page: Any) -> None:
    dataset = workspace.data.import_sample("house-voice-tr")
    here = visit(dataset=dataset.id)
    made = {
        name: workspace.data.get(
            page._format(here, shape, template, "{{ answer }}", "tiny", "").split("=")[1]
        )
        for name, shape, template in (
            ("a", "text", "talimat"),
            ("b", "text", "model"),
            ("c", "chat", "alpaca"),
        )
    }
    assert workspace.data.rows(made["a"].id, 0, 1)[0]["text"].startswith("### Talimat:\n")
    assert workspace.data.rows(made["b"].id, 0, 1)[0]["text"].startswith("<|im_start|>user\n")
    assert made["c"].columns == ("messages",)
    own = page._format(here, "text", "own", "S: {{ instruction }} C: {{ answer }}", "tiny", "Mine")
    assert workspace.data.get(own.split("=")[1]).name == "Mine"
    shown = [part["visible"] for part in tokens._fields("text", "own")]
    assert shown == [True, True]
    assert [part["visible"] for part in tokens._fields("chat", "own")] == [False, False]
