"""What is measured, kept and told while a run goes on."""

from collections.abc import Mapping
from typing import Literal

from ftkit.training.option import Options, option

Metric = Literal["eval_loss", "eval_mean_token_accuracy", "eval_rewards/accuracies", "eval_rewards/margins"]
# What each method measures at a validation.
MEASURED: Mapping[str, frozenset[Metric]] = {
    "sft": frozenset({"eval_loss", "eval_mean_token_accuracy"}),
    "dpo": frozenset({"eval_loss", "eval_rewards/accuracies", "eval_rewards/margins"}),
    "kto": frozenset({"eval_loss", "eval_rewards/margins"}),
}


class WatchOptions(Options):
    """What is measured, kept and told while a run goes on."""

    per_device_eval_batch_size: int = option(
        8,
        "Evaluation batch",
        "Rows at a time when the validation loss is measured.",
        "watch",
        unit="rows",
        ge=1,
        le=512,
    )
    eval_steps: int = option(
        20,
        "Validate every",
        "Steps between two measurements of the validation loss; a checkpoint is kept at each.",
        "watch",
        unit="steps",
        ge=1,
        le=100_000,
    )
    logging_steps: int = option(
        1, "Log every", "Steps between two points of the curves.", "watch", unit="steps", ge=1, le=10_000
    )
    save_total_limit: int = option(
        2, "Checkpoints kept", "The best and the last are always among them.", "watch", ge=1, le=100
    )
    load_best_model_at_end: bool = option(
        True,
        "Keep the best",
        "End with the checkpoint that validated best, not with the last one.",
        "watch",
    )
    metric_for_best_model: Metric = option(
        "eval_loss",
        "Best by",
        "Which checkpoint is the best, also for early stopping. Token accuracy is measured with sft, rewards with dpo and kto.",
        "watch",
        needs=("load_best_model_at_end", (True,)),
    )
    early_stopping_patience: int = option(
        0,
        "Early stopping",
        "End the run after so many validations without a better one; 0 never does.",
        "watch",
        unit="validations",
        ge=0,
        le=1000,
    )
    sample_prompts: int = option(
        2,
        "Sample answers",
        "How many validation prompts are answered before the first step and at each validation, to see the model learn; 0 "
        "asks none.",
        "watch",
        unit="prompts",
        ge=0,
        le=8,
    )
    sample_max_new_tokens: int = option(
        32,
        "Longest sample answer",
        "Tokens after which a sample answer is cut.",
        "watch",
        unit="tokens",
        ge=1,
        le=512,
    )
    report_to: Literal["none", "tensorboard", "trackio", "wandb"] = option(
        "none",
        "Also report to",
        "A tracker that gets the curves too; its package must be installed.",
        "watch",
    )
