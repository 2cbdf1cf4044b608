"""An export's folder as the room leaves it for the worker, over a tiny model of each kind and an adapter that changes it."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ftkit.workers.harness import Worker
from tests.finished_run import MAPPING, tickets
from tests.tiny import VOCABULARY, make_tiny_adapter, make_tiny_model, make_tiny_t5, tiny_tokenizer

KINDS = ("llama", "gpt2", "t5")


def make_kind(kind: str, folder: Path) -> Path:
    """A model of a kind with ``adapter`` beside it."""
    make = {"llama": make_tiny_model, "gpt2": make_tiny_gpt2, "t5": make_tiny_t5}[kind]
    make(folder)
    make_tiny_adapter(
        folder, folder.parent / "adapter", **({"fan_in_fan_out": True} if kind == "gpt2" else {})
    )
    return folder


def make_tiny_gpt2(folder: Path) -> Path:
    """A random GPT-2 of two layers whose tokenizer has no chat template."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    make_tiny_model(folder)
    torch.manual_seed(0)
    tokenizer = tiny_tokenizer()
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=64,
        n_layer=2,
        n_head=4,
        n_positions=512,
        n_ctx=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():  # small weights find all tokens alike
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(6)
    model.save_pretrained(folder)
    (folder / "chat_template.jinja").unlink()
    return folder


def make_job(folder: Path, model: Path, *, tuned: Path | None = None, **options: Any) -> Worker:
    """A worker that is to export ``tuned`` over ``model``."""
    folder.mkdir(parents=True)
    split = folder.parent / "split"
    split.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(tickets(4)), split / "test.parquet")
    inputs = {
        "options": options,
        "run": {
            "id": "run1",
            "name": "First",
            "spec": {"model_name_or_path": "tiny"},
            "recipe": "tiny/sft-lora",
        },
        "name": "First",
        "model": str(model),
        "tuned": str(tuned or model.parent / "adapter"),
        "split": str(split),
        "mapping": MAPPING,
        "base": json.loads((model / "model.json").read_text()),
        "metrics": {"train_loss": 1.5},
        "data": {"split": "split1", "hash": "sha256:5517"},
    }
    (folder / "inputs.json").write_text(json.dumps(inputs))
    return Worker(folder)
