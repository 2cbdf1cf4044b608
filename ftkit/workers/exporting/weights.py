"""The tuned model in memory and as a folder that ``from_pretrained`` takes.

Adapters are merged into the clean base model in fp32, whatever the run trained on: a 4-bit model object is never merged, as its
weights may have been repacked in place and would come out as garbage. It compares nothing.
"""

import shutil
import warnings
from pathlib import Path
from typing import Any

import torch

from ftkit.training.spec import RunSpec
from ftkit.workers.exporting.job import ExportJob
from ftkit.workers.loading import give_back_memory, load_model, put_on
from ftkit.workers.publishing.card import model_card

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
# What a tokenizer consists of; weights and the record of this program are not for others.
_WORDS = (
    *(
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
    ),
    *("merges.txt", "spiece.model", "tokenizer.model", "chat_template.jinja"),
)


def tuned_model(job: ExportJob, dtype: torch.dtype = torch.float32) -> Any:
    """The tuned model as the compare page has it: the whole one, or the clean base with the adapter on top, not merged."""
    if not job.adapter:
        return load_model(job.tuned, dtype)
    return put_on(load_model(job.model, dtype), job.tuned).eval()


def merged_weights(job: ExportJob, folder: Path, precision: str | None = None) -> Path:
    """Write the whole tuned model with its tokenizer into a folder, which may be there already.

    Args:
        job: what is exported.
        folder: where to.
        precision: ``fp32`` or ``bf16``; that of the options where None.

    Returns:
        the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = tuned_model(job)
    say_whether_tied(model)
    if job.adapter:
        model = model.merge_and_unload(safe_merge=True)
    model = model.to("cpu", DTYPES[precision or job.options.precision])
    with warnings.catch_warnings():
        # Sampling settings of the base model without do_sample: they are kept as they were.
        warnings.filterwarnings("ignore", message=".*generation flags.*")
        model.save_pretrained(folder, safe_serialization=True)
    del model
    give_back_memory()
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)  # safetensors writes for the owner alone; a server in a container is somebody else
    copy_words(job, folder)
    return folder


def say_whether_tied(model: Any) -> None:
    """Let the configuration say that the output layer has weights of its own, where it has.

    transformers 5 writes ``tie_word_embeddings`` true for every T5 and finds out from the weights; other programs believe the
    configuration, and would put the embeddings of a Flan-T5 in the place of its output layer.
    """
    read, said = model.get_input_embeddings(), model.get_output_embeddings()
    if read is not None and said is not None and read.weight.data_ptr() != said.weight.data_ptr():
        model.config.tie_word_embeddings = False


def copy_words(job: ExportJob, folder: Path) -> None:
    """The tokenizer's files with the chat template, as they were in training."""
    for name in _WORDS:
        if (job.model / name).exists():
            shutil.copyfile(job.model / name, folder / name)


def write_card(job: ExportJob, folder: Path) -> None:
    """``README.md``: what the model was made from and how, without a row of the data."""
    spec = RunSpec.model_validate(job.run["spec"])
    card = model_card(spec, job.base, job.data, job.metrics, job.name)
    (folder / "README.md").write_text(str(card), encoding="utf-8")
