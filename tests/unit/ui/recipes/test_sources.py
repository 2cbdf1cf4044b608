from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from ftkit.settings import Settings
from ftkit.training.spec import RunSpec
from ftkit.ui import form
from ftkit.ui.recipes.sources import Sources
from ftkit.workspace import Workspace


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Sources]:
    with (
        Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path)})) as workspace,
        gr.Blocks(),
    ):
        yield Sources(workspace)


def fill(sources: Sources, text: str, lang: str = "en") -> tuple[str, dict[str, Any]]:
    visit: Any = SimpleNamespace(query_params={}, cookies={"ftkit_lang": lang}, headers={})
    note, *fields = sources._fill(visit, text)
    return str(note), dict(zip(form.FIELDS, fields, strict=True))


def test_a_recipe_fills_the_fields(sources: Sources) -> None:
    text = "method: dpo\nlearning_rate: 5e-4\nbeta: 0.3\nextra_arguments: {label_smoothing: 0.1}"
    note, fields = fill(sources, text)
    assert "4 settings" in note
    values = [fields[name]["value"] for name in form.FIELDS]
    assert RunSpec.parse(form.read(values)) == RunSpec(
        method="dpo", learning_rate=5e-4, beta=0.3, extra_arguments={"label_smoothing": 0.1}
    )
    assert fields["beta"]["visible"]


@pytest.mark.parametrize(("lang", "meant"), [("en", "Did you mean learning_rate?"), ("tr", "learning_rate?")])
def test_every_mistake_is_said_at_once(sources: Sources, lang: str, meant: str) -> None:
    text = "learning_rat: 1\nr: many\nmax_length: 4\noptim: lion\nlora_alpha: 0"
    note, fields = fill(sources, text, lang)
    wrong = {"r", "max_length", "optim", "lora_alpha"}
    assert meant in note
    assert all(f"({name})" in note for name in wrong)
    # What a widget cannot show is left empty, never silently replaced by a value that works.
    assert (fields["r"]["value"], fields["optim"]["value"], fields["max_length"]["value"]) == (None, None, 4)
    verdicts = dict(zip(form.FIELDS, sources._marks(text)[1:], strict=True))
    assert {name for name, one in verdicts.items() if not one["is_valid"]} == wrong
    values = [fields[name].get("value") for name in form.FIELDS]
    assert set(form.mistakes(form.read(values), lang)) == wrong


@pytest.mark.parametrize("text", ["", "words", "a: &a [1]\nb: *a", "r: " + "9" * 70_000])
def test_what_is_no_recipe_changes_no_field(sources: Sources, text: str) -> None:
    note, fields = fill(sources, text)
    assert "ft-notice" in note
    assert all(one["is_valid"] for one in sources._marks(text))
    assert all(update == gr.skip() for update in fields.values())


def test_text_of_a_file_is_escaped(sources: Sources) -> None:
    note, _ = fill(sources, '"<img src=x onerror=alert(1)>": 1')
    assert "<img" not in note
    assert "&lt;img" in note


def test_a_file_is_text_or_refused(sources: Sources) -> None:
    visit: Any = SimpleNamespace(query_params={}, cookies={}, headers={})
    assert sources._read(visit, "r: 8\n# ğ".encode()) == "r: 8\n# ğ"
    with pytest.raises(gr.Error, match="no text"):
        sources._read(visit, b"\xff\xfe\x00r")
