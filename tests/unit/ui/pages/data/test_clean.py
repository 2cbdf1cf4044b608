import os
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from ftkit.data.clean import STEPS
from ftkit.errors import BadInput, NotAllowed
from ftkit.settings import Settings
from ftkit.ui.pages.data import clean
from ftkit.ui.pages.data.cleaning import form, views
from ftkit.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    given = {**os.environ, "FTKIT_HOME": str(tmp_path / "home")}
    with Workspace(Settings.from_environment(given)) as workspace:
        yield workspace


@pytest.fixture
def page(workspace) -> Any:
    with gr.Blocks():
        return clean._Page(workspace)


@pytest.fixture
def dataset(workspace):
    return workspace.data.import_sample("house-voice-en")


def visit(lang: str = "en", **ids: str) -> Any:
    return SimpleNamespace(query_params=ids, cookies={"ftkit_lang": lang}, headers={})


def values_of(page: Any) -> list[Any]:
    return [one.value for one in page._panels.fields]


def test_steps_of_the_address_are_chosen_and_unknown_ones_are_said(page, dataset):
    shown = page._open(visit(dataset=dataset.id, steps="drop_empty,<b>,drop_short"))
    head, opened, preset, steps, chosen, radio = shown[:6]
    assert opened.visible
    assert [one["step"] for one in steps] == ["drop_empty", "drop_short"]
    assert "&lt;b&gt;" in head
    assert (preset["value"], chosen, radio.value) == ("own", 0, 0)
    assert [label for label, _ in radio.choices] == ["1. Remove empty rows", "2. Remove short rows"]
    assert [one.visible for one in shown[6 : 6 + len(STEPS)]] == [name == "drop_empty" for name in STEPS]


def test_without_steps_the_mild_preset_is_there_and_without_a_dataset_a_choice(page, workspace, dataset):
    steps = page._open(visit(dataset=dataset.id))[3]
    assert [one["step"] for one in steps] == [one.step for one in workspace.cleaning.preset("light").steps]
    assert len(page._open(visit())) == len(page._open(visit(dataset=dataset.id)))
    head, opened, *_ = page._open(visit())
    assert f'href="/clean?dataset={dataset.id}"' in head
    assert not opened.visible


def test_steps_are_added_moved_set_and_removed(page):
    start = [form.defaults("drop_empty")]
    values = values_of(page)
    steps, chosen, *_ = page._add_step(visit(), "drop_short", start, 0, *values)
    assert ([one["step"] for one in steps], chosen) == (["drop_empty", "drop_short"], 1)
    names = list(page._panels._fields)
    values[names.index(("drop_short", "minimum"))] = 77
    values[names.index(("drop_short", "columns"))] = "answer, question"
    steps, chosen, *_ = page._move_up(visit(), steps, chosen, *values)
    assert (chosen, steps[0]["minimum"], steps[0]["columns"]) == (0, 77, ["answer", "question"])
    assert page._move_up(visit(), steps, 0, *values)[0][0]["step"] == "drop_short"
    steps, chosen, *_ = page._remove_step(visit(), steps, chosen, *values)
    assert [one["step"] for one in steps] == ["drop_empty"]
    assert page._remove_step(visit(), steps, 0, *values)[0] == []


def test_every_panel_gives_back_the_values_it_shows(page):
    for name in STEPS:
        updates = page._panels.show(form.defaults(name))[len(STEPS) :]
        assert page._panels.read(name, updates) == form.defaults(name)


def test_steps_go_out_as_yaml_and_come_back(page):
    steps = [form.defaults("keep_languages"), form.defaults("mask_personal_data")]
    text, download = page._write_text(steps, -1, *values_of(page))
    assert download.visible
    assert page._use_text(visit(), text)[0] == steps
    with pytest.raises(BadInput):
        page._use_text(visit(), "steps: nonsense")


def test_a_file_from_elsewhere_is_refused(page, tmp_path):
    (tmp_path / "x.yaml").write_text("- step: drop_empty")
    with pytest.raises(NotAllowed):
        page._open_file(visit(), str(tmp_path / "x.yaml"))


def test_preview_run_result_and_undo(page, workspace, dataset):
    steps = [{"step": "drop_long", "maximum": 420}]
    here = visit("tr", dataset=dataset.id)
    assert "şundan uzun: 420 karakter" in page._preview(here, steps, -1)
    address = page._start_run(here, "Kısa", steps, -1)
    made = address.rpartition("made=")[2]
    workspace.cleaning.wait(made)
    there = visit("tr", dataset=dataset.id, made=made)
    _, card, text, stop, undo, audit, timer = page._show_made(there, "")
    assert (card.visible, stop.visible, undo.visible, audit.visible, timer.active) == (
        True,
        False,
        True,
        True,
        False,
    )
    assert "Kısa hazır" in text
    assert f'href="/data?dataset={made}"' in text
    assert page._show_made(there, "done:") == gr.skip()
    assert page._open(there)[3][0]["maximum"] == 420
    assert page._undo_run(there) == f"/data?dataset={dataset.id}"
    assert "geri alındı" in page._show_made(there, "")[2]


def test_rows_are_corrected_and_saved(page, workspace, dataset):
    editor, here = page._editor, visit(dataset=dataset.id)
    field, text = editor._choose(here, 2)
    assert text == workspace.editing.texts(dataset.id, 1)[0].text
    history, *_ = editor._edit(here, 2, field.value, "<i>New</i> question?")
    assert "New" in history
    assert "<i>" not in history
    assert editor._read(here, 2, field.value) == "<i>New</i> question?"
    editor._take_back(here, 1)
    assert editor._read(here, 2, field.value) == text
    editor._edit(here, 2, field.value, "New?")
    address = editor._save_all(here, "")
    assert (
        workspace.data.rows(address.rpartition("=")[2], 1, 1)[0] != workspace.data.rows(dataset.id, 1, 1)[0]
    )


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("The cat sat.", "The dog sat.", ["<del", ">cat</del>", ">dog</ins>"]),
        ("a\u200bb", "ab", ["⟨U+200B⟩"]),
        ("end \n", "end", ["␣↵"]),
        ("<script>", "<b>", ["&lt;", "script"]),
        ("one two", "three four", [">one two</del>", ">three four</ins>"]),
    ],
)
def test_differences_are_marked_and_escaped(before, after, shown):
    marked = views.difference(before, after, "en")
    assert all(part in marked for part in shown)
    assert "<script>" not in marked


def test_long_texts_are_compared_by_lines_and_unchanged_parts_left_out():
    text = "\n".join(f"line {n} has some words" for n in range(1_000))
    marked = views.difference(text, text.replace("line 500 ", "row 500 "), "en")
    assert "row 500" in marked
    assert len(marked) < 2_000
