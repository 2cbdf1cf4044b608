"""Every local form of a tuned bundled model: made, loaded again, and compared with the trained one; prints the parity table."""

import pytest

from ftkit.export.options import ExportOptions
from ftkit.workspace import FIRST_SAMPLE, Workspace

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def run(workspace: Workspace) -> str:
    """A short run of the default recipe."""
    workspace.data.import_sample(FIRST_SAMPLE)
    split = workspace.splits.split(f"sample-{FIRST_SAMPLE}").id
    recipe = "smollm2-135m/sft-lora"
    short = {"max_steps": 12, "eval_steps": 12, "warmup_steps": 1}
    spec = workspace.training.recipe(recipe).spec.model_copy(update=short)
    made = workspace.training.start(spec, split, recipe)
    view = workspace.training.wait(made.id)
    assert view.state == "done", view.job.error
    return made.id


@pytest.mark.parametrize(
    "options",
    [
        ExportOptions(target="adapter"),
        ExportOptions(target="merged", precision="fp32"),
        ExportOptions(target="merged", precision="bf16"),
        *(ExportOptions(target="gguf", quantization=one) for one in ("f32", "f16", "bf16", "q8_0")),
    ],
    ids=lambda one: f"{one.target}-{one.quantization if one.target == 'gguf' else one.precision}",
)
def test_each_form_answers_as_the_trained_model(
    workspace: Workspace, run: str, options: ExportOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    view = workspace.exports.wait(workspace.exports.create(run, options).id)
    assert view.job.state == "done", view.job.error
    assert view.parity is not None
    with capsys.disabled():
        print(f"\n{options.target} {options.precision} {options.quantization}")
        for row in view.parity["rows"]:
            print(
                f"  {row['way']:10} tokens equal: {row['token_ids_equal']}  "
                f"answers equal: {row['equal_answers']}/{row['prompts']}  {row['note']}"
            )
    assert all(row["token_ids_equal"] for row in view.parity["rows"])
    assert {row["note"] for row in view.parity["rows"]} <= {"same", "rounding"}
