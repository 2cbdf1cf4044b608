"""Which model is trained, and by which method."""

from typing import Literal

from ftkit.training.option import Options, option

Method = Literal["sft", "dpo", "kto"]


class ModelOptions(Options):
    """Which model is trained, and by which method."""

    model_name_or_path: str = option(
        "smollm2-135m-instruct",
        "Base model",
        "The model to start from, by its id in the model list.",
        "model",
        level="simple",
        min_length=1,
    )
    method: Method = option(
        "sft",
        "Method",
        "sft learns to answer as the examples do, or to go on with plain texts. dpo learns from pairs of a better and a "
        "worse answer, kto from single answers marked as good or bad.",
        "model",
        level="simple",
    )
    use_peft: bool = option(
        True,
        "LoRA adapter",
        "Train a small adapter beside frozen weights. Off trains all weights: more memory, a whole model as the result.",
        "model",
        level="simple",
    )
