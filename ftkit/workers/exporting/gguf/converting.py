"""Safetensors to GGUF by llama.cpp's own converter.

Takes a folder of ``from_pretrained``, writes one file. The converter tells tokenizers by a hash of what they make of a text, and so
knows only those of published models; one with more tokens of the same kind is told here by its own description.
"""

import json
from pathlib import Path
from typing import Any

import gguf
import torch
from conversion import ModelBase, ModelType, get_model_architecture, get_model_class

from ftkit.errors import Refused
from ftkit.export.options import Quantization

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
    """The converter of a kind of model, with a second way to tell the tokenizer."""

    def tell(self: Any, tokenizer: Any) -> str:
        try:
            return str(known.get_vocab_base_pre(self, tokenizer))
        except NotImplementedError as error:
            self.told_here = True
            return _pre_tokenizer(folder, error)

    body = {"model_arch": known.model_arch, "told_here": False, "get_vocab_base_pre": tell}
    return type(known.__name__, (known,), body)


def _pre_tokenizer(folder: Path, error: NotImplementedError) -> str:
    """llama.cpp's name for how a tokenizer cuts a text into words.

    Raises:
        Refused: it has none for this one.
    """
    described = json.loads((folder / "tokenizer.json").read_bytes()).get("pre_tokenizer") or {}
    steps = described.get("pretokenizers", [described])
    kinds = [step.get("type") for step in steps]
    bytes_last = bool(steps) and kinds[-1] == "ByteLevel" and steps[-1].get("use_regex", True)
    if bytes_last and not steps[-1].get("add_prefix_space"):
        if len(steps) == 1:
            return "gpt-2"
        if kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
            return "smollm"
    raise Refused(
        "export.no_gguf_tokenizer",
        "llama.cpp's converter does not know how this model's tokenizer cuts a text into words ({kinds}). Export the model as "
        "merged instead.",
        kinds=", ".join(map(str, kinds)) or "-",
    ) from error
