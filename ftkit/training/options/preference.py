"""Learning from preferences."""

from typing import Literal

from ftkit.training.option import Options, option


class PreferenceOptions(Options):
    """Learning from preferences."""

    beta: float = option(
        0.1,
        "Beta",
        "How strongly the model is held near where it started: higher stays nearer.",
        "preference",
        needs=("method", ("dpo", "kto")),
        gt=0,
        le=10,
    )
    loss_type: Literal["sigmoid", "ipo", "hinge", "robust", "apo_zero"] = option(
        "sigmoid",
        "Loss",
        "sigmoid is DPO as published; ipo over-fits less on few pairs; robust bears wrong labels.",
        "preference",
        needs=("method", ("dpo",)),
    )
    desirable_weight: float = option(
        1.0,
        "Weight of good answers",
        "Raise it where good answers are rarer than bad ones, so that both count alike.",
        "preference",
        needs=("method", ("kto",)),
        gt=0,
        le=100,
    )
    undesirable_weight: float = option(
        1.0,
        "Weight of bad answers",
        "Raise it where bad answers are rarer than good ones.",
        "preference",
        needs=("method", ("kto",)),
        gt=0,
        le=100,
    )
