"""Every method on the bundled model by its recipe: a few steps of the real trainer, a result that loads, a loss that falls."""

import json
from pathlib import Path
from typing import Any

import pytest

from ftkit.data.bundled import path_of
from ftkit.ratings.sampling import Sampling
from ftkit.ratings.sides.names import Side
from ftkit.records import Run
from ftkit.workspace import FIRST_SAMPLE, Workspace

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(1800)]
ROWS = 24
STEPS = 6


def _rows(kind: str) -> list[dict[str, Any]]:
    with path_of(FIRST_SAMPLE).open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(ROWS), strict=False)]
    asked = [{"system": row["system"], "instruction": row["message"]} for row in rows]
    good, bad = [row["answer"] for row in rows], "I do not know. Please write to somebody else."
    if kind == "text":
        return [{"text": f"{row['message']}\n{row['answer']}"} for row in rows]
    if kind == "pairs":
        return [{**one, "chosen": answer, "rejected": bad} for one, answer in zip(asked, good, strict=True)]
    if kind == "marks":
        marked = [(answer, True) if n % 2 else (bad, False) for n, answer in enumerate(good)]
        return [
            {**one, "output": text, "label": mark} for one, (text, mark) in zip(asked, marked, strict=True)
        ]
    return [{**one, "output": answer} for one, answer in zip(asked, good, strict=True)]


@pytest.fixture(scope="module")
def splits(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A split for each kind of rows."""
    folder = tmp_path_factory.mktemp("rows")
    found = {}
    for kind in ("answers", "text", "pairs", "marks"):
        file = folder / f"{kind}.json"
        file.write_text(json.dumps(_rows(kind)))
        found[kind] = workspace.splits.split(workspace.data.import_file(file).id, (0.75, 0.25, 0)).id
    return found


def _train(workspace: Workspace, recipe: str, split: str, **options: Any) -> tuple[Run, dict[str, Any]]:
    spec = workspace.training.recipe(recipe).spec
    short = {"max_steps": STEPS, "eval_steps": STEPS, "warmup_steps": 1, "gradient_accumulation_steps": 1}
    run = workspace.training.start(spec.model_copy(update={**short, **options}), split, recipe)
    view = workspace.training.wait(run.id)
    assert view.state == "done", view.job.error
    return run, view.metrics


def _losses(workspace: Workspace, run: Run) -> list[float]:
    return [point["loss"] for point in workspace.training.curves(run.id) if "loss" in point]


@pytest.mark.parametrize(
    ("recipe", "kind", "options"),
    [
        ("smollm2-135m/sft-lora", "answers", {}),
        ("smollm2-135m/sft-lora", "answers", {"fast_path": False, "use_dora": True}),
        ("smollm2-135m/sft-lora", "answers", {"load_in_8bit": True}),
        ("smollm2-135m/sft-qlora", "answers", {}),
        ("smollm2-135m/sft-full", "answers", {}),
        ("smollm2-135m/pretrain-full", "text", {}),
        ("smollm2-135m/dpo-lora", "pairs", {"learning_rate": 5e-5}),
        ("smollm2-135m/kto-lora", "marks", {"learning_rate": 5e-5}),
    ],
    ids=["lora", "dora", "8-bit", "qlora", "full", "pretrain", "dpo", "kto"],
)
def test_the_recipe_trains(
    workspace: Workspace, splits: dict[str, str], recipe: str, kind: str, options: dict[str, Any]
) -> None:
    run, metrics = _train(workspace, recipe, splits[kind], **options)
    losses = _losses(workspace, run)
    assert min(losses[-2:]) < losses[0]
    assert metrics["tokens"] > 0
    folder = workspace.folders.tuned(run.id)
    assert folder is not None
    assert folder.name == ("adapter" if run.spec["use_peft"] else "model")
    question = [{"role": "user", "content": "Sort: my parcel is late."}]
    sides = [Side(kind="base", id=run.model), Side(kind="run", id=run.id)]
    *_, last = workspace.comparisons.compare(sides, [question] * 2, Sampling(max_new_tokens=16))
    assert last.done
    assert all(answer.tokens > 0 for answer in last.answers)


def test_dpo_goes_on_from_a_fine_tuned_adapter(
    workspace: Workspace, splits: dict[str, str], tmp_path: Path
) -> None:
    first, _ = _train(workspace, "smollm2-135m/sft-lora", splits["answers"])
    run, metrics = _train(
        workspace, "smollm2-135m/dpo-lora", splits["pairs"], start_from_run=first.id, learning_rate=5e-5
    )
    assert first.id in run.parents
    assert _losses(workspace, run)[0] == pytest.approx(0.6931, abs=0.01)
    assert metrics["eval_reward_margin"] > 0
