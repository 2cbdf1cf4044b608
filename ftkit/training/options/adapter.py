"""The adapter that is trained beside frozen weights, and how those are kept."""

from ftkit.training.option import Options, option


class AdapterOptions(Options):
    """The adapter that is trained beside frozen weights, and how those are kept."""

    r: int = option(
        16,
        "LoRA rank",
        "Size of the adapter. Higher can learn more and needs more memory.",
        "adapter",
        level="simple",
        needs=("use_peft", (True,)),
        ge=1,
        le=512,
    )
    load_in_4bit: bool = option(
        False,
        "Frozen weights in 4 bits",
        "QLoRA: less memory, slower on a processor. Models below a billion parameters lose quality.",
        "adapter",
        needs=("use_peft", (True,)),
    )
    load_in_8bit: bool = option(
        False,
        "Frozen weights in 8 bits",
        "Less memory than 16 bits with next to no loss of quality; slower.",
        "adapter",
        needs=("use_peft", (True,)),
    )
    lora_alpha: int = option(
        32,
        "LoRA alpha",
        "Weight of the adapter; twice the rank is usual.",
        "adapter",
        needs=("use_peft", (True,)),
        ge=1,
        le=1024,
    )
    lora_dropout: float = option(
        0.0,
        "LoRA dropout",
        "Share of the adapter switched off at random in each step.",
        "adapter",
        needs=("use_peft", (True,)),
        ge=0,
        lt=1,
    )
    target_modules: str = option(
        "all-linear",
        "LoRA layers",
        "'all-linear', or the names of the layers that get an adapter, separated by commas.",
        "adapter",
        needs=("use_peft", (True,)),
        min_length=1,
    )
    use_rslora: bool = option(
        False,
        "rsLoRA",
        "Divide the adapter's weight by the square root of its rank, which suits high ranks.",
        "adapter",
        needs=("use_peft", (True,)),
    )
    use_dora: bool = option(
        False,
        "DoRA",
        "Learn length and direction of the weights apart: often a little better, about twice as slow.",
        "adapter",
        needs=("use_peft", (True,)),
    )
    start_from_run: str = option(
        "",
        "Go on from run",
        "Id of a finished run whose adapter is trained further, as in DPO after SFT; empty starts a new adapter.",
        "adapter",
        needs=("use_peft", (True,)),
        pattern=r"^[A-Za-z0-9._-]{0,63}$",
    )
