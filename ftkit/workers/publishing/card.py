"""The model card of an uploaded result: what it was made from and how, without a row of the data or a path of this machine.

Takes a run's spec, inputs and metrics, gives Markdown. It uploads nothing.
"""

from collections.abc import Mapping
from typing import Any

import yaml
from huggingface_hub import ModelCard, ModelCardData

from ftkit.models.catalogue import source_on_hub
from ftkit.training.spec import RunSpec

_METHODS = {"sft": "supervised fine-tuning", "dpo": "DPO", "kto": "KTO"}
_SHOWN = (
    *(
        "eval_loss",
        "eval_token_accuracy",
        "eval_reward_accuracy",
        "eval_reward_margin",
        "train_loss",
        "best_step",
    ),
    *("steps", "rows", "tokens", "train_seconds", "tokens_per_second", "precision"),
)


def model_card(
    spec: RunSpec, model: Mapping[str, Any], data: Mapping[str, str], metrics: Mapping[str, Any], name: str
) -> ModelCard:
    """The card.

    Args:
        spec: of the run.
        model: the base model's record, ``model.json``.
        data: ``split`` id and ``hash`` of the rows.
        metrics: of the result.
        name: of the repository.
    """
    base = source_on_hub(str(model.get("id", "")), str(model.get("source", "")))
    about = ModelCardData(
        license=str(model.get("license") or "").lower() or None,
        base_model=base,
        library_name="peft" if spec.use_peft else "transformers",
        pipeline_tag="text-generation",
        tags=["ftkit", spec.method, *(["lora"] if spec.use_peft else [])],
    )
    figures = "\n".join(f"| {key} | {metrics[key]} |" for key in _SHOWN if metrics.get(key) is not None)
    kind = "A LoRA adapter" if spec.use_peft else "A model"
    settings = yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    text = f"""# {name}

{kind} made from {base or model.get("name", "a model of one's own")} by {_METHODS.get(spec.method, spec.method)}, with ftkit.

## Data

Not published. Its id is `{data["split"]}` and its content has the hash `{data["hash"]}`.

## Figures

Measured on validation rows where the name begins with `eval_`.

| | |
|---|---|
{figures}

## Settings

```yaml
{settings}```
"""
    return ModelCard(f"---\n{about.to_yaml()}\n---\n\n{text}")
