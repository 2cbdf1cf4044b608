"""The quickstart with a tiny model under the bundled one's name, and a recipe of four steps."""

import json
from pathlib import Path

import pytest

from ftkit.cli.output import Answer, give
from ftkit.cli.quickstart import shown
from ftkit.cli.session import open_workspace
from ftkit.models.catalogue import BUNDLED_ID
from ftkit.workspace import FIRST_SAMPLE
from tests.tiny import make_tiny_model
from tests.unit.cli.test_loop import documented


@pytest.fixture
def quick_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "recipes" / "smollm2-135m"
    folder.mkdir(parents=True)
    (folder / "sft-lora.yaml").write_text("max_steps: 4\neval_steps: 2\nmax_length: 512\n")
    monkeypatch.setenv("FTKIT_RECIPES", str(tmp_path / "recipes"))


@pytest.mark.training
@pytest.mark.filterwarnings(
    "ignore:subprocess .* is still running:ResourceWarning"
)  # workers outlive a command
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("quick_recipe")
def test_the_whole_way(ftkit, home, capsys):
    make_tiny_model(home / "models" / BUNDLED_ID, context_length=2048)
    with open_workspace() as workspace:
        dataset = workspace.data.import_sample(FIRST_SAMPLE).id
        split = workspace.splits.split(dataset).id
    done = ftkit("quickstart", "--json")
    assert done.code == 0, done.err
    told = done.json
    assert set(told) == documented("quickstart")
    assert (told["dataset"], told["split"]) == (dataset, split)  # what is there is used again
    assert told["metrics"]["steps"] == 4
    assert list(told["seconds"]) == ["data", "model", "train", "evaluate", "report"]
    assert [line for line in done.err.splitlines() if line.startswith("[")] == [
        f"[{number}/5] {stage}" for number, stage in enumerate(told["seconds"], start=1)
    ]
    assert "category_accuracy" in told["tuned"]
    assert "value" in told["difference"]["perplexity"]
    assert len(told["comparison"]) == 3
    assert all(set(row) == {"prompt", "reference", "base", "tuned"} for row in told["comparison"])
    assert Path(told["report"]).is_relative_to(home)
    assert "<html" in Path(told["report"]).read_text()

    measured = json.loads((home / "evaluations" / told["evaluation"] / "report.json").read_text())
    give(Answer(told, shown(told, measured)), as_json=False)
    seen = capsys.readouterr().out
    assert all(text in seen for text in (told["run"], "category_accuracy", "Test row 3", told["report"]))
