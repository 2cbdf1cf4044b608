"""How rows become batches, and what of them is learned."""

from ftkit.training.option import Options, option


class DataOptions(Options):
    """How rows become batches, and what of them is learned."""

    max_length: int = option(
        512,
        "Longest row",
        "Rows with more tokens than this are left out of training and counted.",
        "data",
        level="simple",
        unit="tokens",
        ge=16,
        le=131072,
    )
    completion_only_loss: bool = option(
        True,
        "Learn answers only",
        "The loss counts the answer, not the question.",
        "data",
        needs=("method", ("sft",)),
    )
    allow_secrets: bool = option(
        False,
        "Train on keys and passwords",
        "Start although training rows hold keys or passwords. The model can repeat them to whoever talks to it.",
        "data",
    )
    packing: bool = option(
        False,
        "Packing",
        "Join short rows into full blocks of the longest row's length.",
        "data",
        needs=("method", ("sft",)),
    )
    fast_path: bool = option(
        True,
        "Fast path",
        "On a processor, compute without padding and only what the loss needs, where that gives the same result.",
        "data",
        needs=("method", ("sft",)),
    )
