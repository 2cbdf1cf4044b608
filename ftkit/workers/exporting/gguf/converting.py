"""Safetensors to GGUF by llama.cpp's own converter.

Takes a folder of ``from_pretrained``, writes one file. The converter tells tokenizers by a hash of what they make of one text: it knows
only those of published models, and takes some for each other that cut other texts differently. What the tokenizer's own description
says plainly goes before that.
"""

import json
from pathlib import Path
from typing import Any

import gguf
import torch
from conversion import ModelBase, ModelType, get_model_architecture, get_model_class

from ftkit.errors import Refused
from ftkit.export.targets import Quantization

_TYPES = {
    "f32": gguf.LlamaFileType.ALL_F32,
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "bf16": gguf.LlamaFileType.MOSTLY_BF16,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
}


def convert(folder: Path, file: Path, quantization: Quantization, name: str) -> bool:
    """Write the model in a folder as GGUF.

    Returns:
        whether the converter itself knew the tokenizer; else only llama.cpp can show that it was told rightly.

    Raises:
        Refused: llama.cpp has no such architecture or no such tokenizer.
    """
    hparams = ModelBase.load_hparams(folder, False)
    architecture = get_model_architecture(hparams, ModelType.TEXT)
    try:
        known: Any = get_model_class(architecture, mmproj=False)
    except NotImplementedError as error:
        raise Refused(
            "export.no_gguf_kind",
            "llama.cpp's converter does not know models of the kind {kind}. Export it as merged instead.",
            kind=architecture,
        ) from error
    own = _told_by_description(known, folder)
    with torch.inference_mode():
        made = own(folder, _TYPES[quantization], file, model_name=name)
        made.write()
    return not made.told_here


def _told_by_description(known: Any, folder: Path) -> Any:
    """The converter of a kind of model, with a better way to tell the tokenizer."""
    described = _pre_tokenizer(folder)

    def tell(self: Any, tokenizer: Any) -> str:
        try:
            by_hash = str(known.get_vocab_base_pre(self, tokenizer))
        except NotImplementedError as error:
            if described is None:
                raise _unknown_tokenizer(folder) from error
            self.told_here = True
            return described
        return described or by_hash

    body = {"model_arch": known.model_arch, "told_here": False, "get_vocab_base_pre": tell}
    return type(known.__name__, (known,), body)


def _pre_tokenizer(folder: Path) -> str | None:
    """llama.cpp's name for how a tokenizer cuts a text into words, where it is one of the two plain ways."""
    steps = _steps(folder)
    if not steps or steps[-1].get("type") != "ByteLevel" or steps[-1].get("add_prefix_space"):
        return None
    if not steps[-1].get("use_regex", True):
        return None
    if len(steps) == 1:
        return "gpt-2"
    digits = len(steps) == 2 and steps[0].get("type") == "Digits" and steps[0].get("individual_digits")  # noqa: PLR2004
    return "smollm" if digits else None


def _steps(folder: Path) -> list[dict[str, Any]]:
    described = json.loads((folder / "tokenizer.json").read_bytes()).get("pre_tokenizer") or {}
    steps: list[dict[str, Any]] = described.get("pretokenizers", [described])
    return steps


def _unknown_tokenizer(folder: Path) -> Refused:
    return Refused(
        "export.no_gguf_tokenizer",
        "llama.cpp's converter does not know how this model's tokenizer cuts a text into words ({kinds}). Export the model as "
        "merged instead.",
        kinds=", ".join(str(step.get("type")) for step in _steps(folder)),
    )
