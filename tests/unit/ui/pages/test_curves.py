"""The page that compares runs, over records and files as workers leave them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from ftkit.errors import BadInput
from ftkit.jobs.folder import JobFolder
from ftkit.records import Job, Run, Split
from ftkit.settings import Settings
from ftkit.store.jobs import JobTable
from ftkit.training.spec import RunSpec
from ftkit.ui.pages import curves
from ftkit.workspace import Workspace

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path / "home")})) as workspace:
        made = Split(
            id="s1",
            name="s",
            created_at=NOW,
            dataset="d",
            ratios=(0.8, 0.1, 0.1),
            sizes={"train": 8},
            mapping={},
        )
        workspace.artefacts.add(made)
        add_run(workspace, "r1", "First", 1.25, r=8)
        add_run(workspace, "r2", "Second <b>", 1.5, learning_rate=1e-4)
        yield workspace


def add_run(
    workspace: Workspace, id_: str, name: str, eval_loss: float, model: str = "m", **options: Any
) -> None:
    workspace.artefacts.add(
        Run(
            id=id_,
            name=name,
            created_at=NOW,
            recipe="smollm2-135m/sft-lora",
            split="s1",
            model=model,
            spec=RunSpec(**options).model_dump(mode="json"),
        )  # fmt: skip
    )
    folder = JobFolder(workspace.folders.run(id_))
    folder.path.mkdir(parents=True)
    lines = [{"step": step, "loss": 2 - step / 20} for step in range(1, 31)] + [
        {"step": 30, "eval_loss": eval_loss}
    ]
    folder.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    job = Job(
        id=f"j{id_}", kind="train", lane="compute", artefact=id_, state="done", nonce="n", queued_at=NOW,
        started_at=NOW, finished_at=NOW + timedelta(seconds=75),
    )  # fmt: skip
    JobTable(workspace._database).add(job)
    folder.finish("n", "done", metrics={"eval_loss": eval_loss, "train_seconds": 65, "tokens_per_second": 90})


def visit(lang: str = "en", **ids: str) -> Any:
    return SimpleNamespace(query_params=ids, cookies={"ftkit_lang": lang}, headers={})


@pytest.fixture
def page(workspace: Workspace) -> Any:
    with gr.Blocks():
        return curves._Page(workspace)


def test_two_runs_stand_side_by_side(page: Any) -> None:
    seen, note, body, plot, legend, figures, settings, timer = page._show(visit(runs="r1,r2"), "")
    assert (note, body.visible, timer.active) == ("", True, False)
    frame, colours = plot.value, plot.color_map
    assert frame is not None
    assert set(colours) == {
        f"{name} · {series}" for name in ("First", "Second <b>") for series in ("training", "validation")
    }
    assert len(set(colours.values())) == 4
    assert legend.count("<li>") == 2
    assert all(colour in legend for colour in colours.values())
    assert "Second &lt;b&gt;" in legend
    (best,) = [row for row in figures.split("<tr>") if "✓ best" in row]
    assert "Validation loss" in best
    assert best.index("1.250") < best.index("✓ best") < best.index("1.500")
    assert 'href="/runs?run=r1"' in figures
    assert "Second &lt;b&gt;" in figures
    assert settings.count("<tr>") == 3, "a heading and two settings"
    assert "Learning rate" in settings
    assert "LoRA rank" in settings
    assert page._show(visit(runs="r1,r2"), seen) == gr.skip()


def test_losses_of_other_models_are_not_ranked(page: Any, workspace: Workspace) -> None:
    add_run(workspace, "r3", "First", 0.5, model="other")
    figures = page._show(visit(runs="r1,r3"), "")[5]
    assert "none is marked as the best" in figures
    assert "✓ best" not in figures
    assert "First (r1)" in figures
    assert "First (r3)" in figures


def test_the_choice_becomes_the_address_and_comes_back(page: Any) -> None:
    assert page._choose(["r1", "r2"]) == "/curves?runs=r1,r2"
    form, choice = page._open(visit(runs="r2,r1,gone"))
    assert form.visible
    assert choice.value == ["r2", "r1"]
    for few in (None, [], ["r1"], [str(n) for n in range(7)]):
        with pytest.raises(BadInput, match="Choose 2 to 6 runs"):
            page._choose(few)


def test_what_is_missing_is_said_in_both_languages(page: Any, workspace: Workspace) -> None:
    note, body = page._show(visit(runs="r1,gone"), "")[1:3]
    assert "deleted: gone" in note
    assert "Choose two or more" in note
    assert not body.visible
    assert "İki" not in note
    assert "koşu seçin" in page._show(visit("tr", runs="r1"), "")[1]
    assert "yan yana" not in page._show(visit("tr", runs="r1,r2"), "")[1]
    for id_ in ("r1", "r2"):
        workspace.training.delete(id_)
    assert "Nothing to compare yet" in page._show(visit(), "")[1]
    assert not page._open(visit())[0].visible
