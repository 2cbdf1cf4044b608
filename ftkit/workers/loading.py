"""Loading a tokenizer, a base model and an adapter from folders of the data folder.

Takes folders, gives transformers and PEFT objects ready to answer. It reads safetensors only, never runs code that came
with a model, and never asks the network.
"""

import contextlib
import ctypes
import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from ftkit.errors import BadInput
from ftkit.models.kinds import is_encoder_decoder

ADAPTER = "default"
# PEFT's own name for "no adapter" in ``adapter_names`` of a mixed batch.
BASE = "__base__"


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in a model's folder, with its chat template."""
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(
    folder: Path, dtype: torch.dtype | None = None, quantization: BitsAndBytesConfig | None = None
) -> PreTrainedModel:
    """The model in a folder, in evaluation mode on the best device, with PyTorch's own attention where it has one.

    Args:
        folder: config and safetensors, or a GGUF file, whose numbers are taken out of their few bits.
        dtype: numbers that the weights are kept in; None for the fastest that is right here (``answer_dtype``).
        quantization: keep the weights of linear layers in fewer bits. Such a model can be neither merged nor saved.
    """
    packed = next(iter(sorted(folder.glob("*.gguf"))), None)
    if packed is None:
        _refuse_pickles(folder, "model*.safetensors")
    kind: Any = AutoModelForSeq2SeqLM if is_encoder_decoder(folder) else AutoModelForCausalLM
    model: Any = kind.from_pretrained(
        folder,
        dtype=dtype or answer_dtype(),
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        quantization_config=quantization,
        **({} if packed is None else {"gguf_file": packed.name}),
    )
    if model.config.model_type == "gpt2":
        # transformers leaves it unset for GPT-2, and the loss is then divided by one token too many a row.
        model.loss_type = "ForCausalLM"
    if quantization is None:
        model = model.to(device())
    else:  # such weights were put in place as they were loaded
        _keep_gradients(model)
    return cast(PreTrainedModel, model.eval())


def _keep_gradients(model: Any) -> None:
    """Let 4-bit layers compute after a validation as before it.

    On processors with 16-bit units bitsandbytes packs them anew in the first forward pass without training, and computes
    with a kernel that has no gradient from then on: adapters would learn something else, without a word.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def load_with_adapter(
    model_folder: Path, adapter_folder: Path, dtype: torch.dtype | None = None
) -> PeftModel:
    """The base model with a LoRA adapter on top, in evaluation mode.

    The adapter's name is ``ADAPTER``; in a batch, ``adapter_names=[BASE, ADAPTER]`` gives a row to each.
    """
    return put_on(load_model(model_folder, dtype), adapter_folder).eval()


def mixes(tuned_folder: Path) -> bool:
    """Whether a row with it and a row without it fit into one batch: it is an adapter, and not DoRA, which PEFT does not mix."""
    return is_adapter(tuned_folder) and not json.loads(_adapter_config(tuned_folder).read_bytes()).get(
        "use_dora"
    )


def is_adapter(tuned_folder: Path) -> bool:
    """Whether it needs its base model; a whole model needs none."""
    return _adapter_config(tuned_folder).exists()


def _adapter_config(tuned_folder: Path) -> Path:
    return tuned_folder / "adapter_config.json"


def put_on(
    model: PreTrainedModel, adapter_folder: Path, name: str = ADAPTER, *, trainable: bool = False
) -> PeftModel:
    """A model with an adapter on top."""
    _refuse_pickles(adapter_folder, "adapter_model.safetensors")
    base: Any = model
    with quiet_peft():
        return PeftModel.from_pretrained(base, str(adapter_folder), adapter_name=name, is_trainable=trainable)


def scale_adapter(model: Any, adapter: str, strength: float) -> None:
    """Add this share of an adapter's change: 1 as it was trained, 0 nothing of it."""
    for module in model.modules():
        if hasattr(module, "set_scale"):
            module.set_scale(adapter, strength)


def chat_ids(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[dict[str, str]],
    add_generation_prompt: bool = False,
) -> list[int]:
    """Token ids of a conversation as the model's chat template writes it."""
    ids = tokenizer.apply_chat_template(
        list(messages), tokenize=True, add_generation_prompt=add_generation_prompt, return_dict=False
    )
    return cast(list[int], ids)


@contextlib.contextmanager
def quiet_peft() -> Iterator[None]:
    """Keep back the one warning of PEFT 0.21 that says nothing to us: it asks transformers 5 under an old name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
        yield


def device() -> torch.device:
    """Where models run on this machine."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def answer_dtype() -> torch.dtype:
    """bfloat16 where the hardware computes in it, else float32."""
    return torch.bfloat16 if has_fast_bf16() else torch.float32


def has_fast_bf16() -> bool:
    """Whether 16-bit arithmetic is in the hardware: without it one product takes hundreds of times longer."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    probes: Any = torch.cpu
    return bool(probes._is_avx512_bf16_supported() or probes._is_amx_tile_supported())


def give_back_memory() -> None:
    """Let the operating system have what loading has freed: pieces between those in use fit nothing that comes later."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is not None:
        trim(0)


def _refuse_pickles(folder: Path, pattern: str) -> None:
    if not any(folder.glob(pattern)):
        raise BadInput(
            "models.no_safetensors",
            "{folder} holds no {pattern}. Only safetensors weights are loaded: pull the model again.",
            folder=folder.name,
            pattern=pattern,
        )
