"""What makes a folder a model: safetensors, a config that needs no code, a tokenizer, ``model.json``.

Takes a filled folder, checks it and writes its record. It fetches nothing.
"""

import hashlib
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from ftkit.errors import BadInput
from ftkit.models.chat_template import TemplateRefusal
from ftkit.models.kinds import ENCODER_DECODER, is_encoder_decoder
from ftkit.records import Model
from ftkit.store.files import hash_file, write_json
from ftkit.workers.loading import chat_ids, load_tokenizer
from ftkit.workers.training.rows import FastTokenizer

_COPIED = (
    *("*.safetensors", "*.json", "tokenizer.model", "spiece.model", "merges.txt", "vocab.txt", "*.jinja"),
    "LICENSE*",
)
_PROBES = (
    "How much is 1,5 €?\nSee https://example.org",
    "  çaydanlık  ısınmıyor 🙂",
    '{"category": "billing", "n": [1, 22, 333]}',
)


def copy(source: Path, folder: Path) -> None:
    """Copy what a model needs, and nothing that could run.

    Raises:
        BadInput: there are no safetensors in it.
    """
    if not any(source.glob("*.safetensors")):
        raise BadInput(
            "models.folder_no_safetensors",
            "{folder} holds no safetensors weights. Weights in other formats may run code when they are opened: save "
            "the model with save_pretrained() first.",
            folder=source,
        )
    for pattern in _COPIED:
        for file in source.glob(pattern):
            if file.is_file() and file.name != "model.json":
                shutil.copyfile(file, folder / file.name)


def describe(folder: Path, **known: Any) -> Model:
    """Check a model's folder and write its ``model.json``.

    Args:
        folder: config, safetensors and tokenizer.
        **known: what the files do not tell: id, name, source, created_at …

    Raises:
        BadInput: the model cannot be used; the sentence says why.
    """
    config = _config(folder, known["name"])
    _check_tokenizer(folder, known["name"])
    kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    with torch.device("meta"):
        shape = kind.from_config(config, trust_remote_code=False)
    record = Model(
        parameters=shape.num_parameters() + _own_output_layer(folder, shape),
        context_length=int(getattr(config, "max_position_embeddings", 0) or 0),
        architecture=_architecture(config),
        content_hash=_hash(folder),
        versions={name: version(name) for name in ("transformers", "tokenizers", "safetensors")},
        **known,
    )
    write_json(folder / "model.json", record.model_dump(mode="json"))
    return record


def _config(folder: Path, name: str) -> Any:
    try:
        config: Any = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if config.is_encoder_decoder:
            known = config.model_type in ENCODER_DECODER
        else:
            known = type(config) in AutoModelForCausalLM._model_mapping
    except (ValueError, OSError, KeyError) as error:
        raise _unsupported(name, str(error).partition("\n")[0]) from error
    if not known:
        raise _unsupported(name, f"{type(config).__name__} does not write text from text")
    return config


def _own_output_layer(folder: Path, shape: Any) -> int:
    """Weights of an output layer that transformers takes for the embeddings of a T5, until it sees both in the files."""
    head = shape.get_output_embeddings()
    if not shape.config.is_encoder_decoder or head.weight is not shape.get_input_embeddings().weight:
        return 0
    names: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="pt") as weights:
            names.update(weights.keys())
    return int(head.weight.numel()) if {"lm_head.weight", "shared.weight"} <= names else 0


def _unsupported(name: str, reason: str) -> BadInput:
    return BadInput(
        "models.unsupported",
        "{model} is not a text model that works without code of its own ({reason}). Choose another model.",
        model=name,
        reason=reason,
    )


def _check_tokenizer(folder: Path, name: str) -> None:
    """Counting and training read ``tokenizer.json`` directly: both must give the ids of the model's own tokenizer."""
    if is_encoder_decoder(folder) and load_tokenizer(folder).chat_template is not None:
        raise _unsupported(name, "it has both an encoder and a chat template")
    if _ids_agree(folder):
        return
    own: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    own.save_pretrained(folder)
    if not _ids_agree(folder):
        raise BadInput(
            "models.tokenizer",
            "The tokenizer of {model} does more than its tokenizer.json says, so rows could not be counted exactly. "
            "Choose another model.",
            model=name,
        )


def _ids_agree(folder: Path) -> bool:
    if not (folder / "tokenizer.json").exists():
        return False
    own: Any = load_tokenizer(folder)
    fast = FastTokenizer(folder)
    if any(own(text)["input_ids"] != fast.text(text) for text in _PROBES):
        return False
    if own.chat_template is None:
        return True
    turns = [
        {"role": role, "content": text}
        for role, text in zip(("user", "assistant", "user"), _PROBES, strict=True)
    ]
    try:
        return all(
            fast.chat(turns[:n], n % 2 == 1) == chat_ids(own, turns[:n], n % 2 == 1)
            for n in range(1, len(turns) + 1)
        )
    except TemplateRefusal:
        return False


def _architecture(config: Any) -> dict[str, int]:
    """The numbers that the memory estimate needs, whatever the config calls them."""
    text = config.get_text_config()
    heads = text.num_attention_heads
    width = getattr(text, "head_dim", None) or text.hidden_size // heads
    inner = getattr(text, "intermediate_size", None) or getattr(text, "d_ff", None)
    decoder = (
        {"decoder_layers": config.num_decoder_layers, "heads": heads} if config.is_encoder_decoder else {}
    )
    return {
        "hidden": text.hidden_size,
        "layers": text.num_hidden_layers,
        "intermediate": inner or 4 * text.hidden_size,
        "vocabulary": text.vocab_size,
        "key_value": (getattr(text, "num_key_value_heads", None) or heads) * width,
        **decoder,
    }


def _hash(folder: Path) -> str:
    """One hash over the names and contents of all files."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    lines = "".join(f"{path.name} {hash_file(path)}\n" for path in files)
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()
