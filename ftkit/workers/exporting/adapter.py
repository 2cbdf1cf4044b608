"""The adapter alone, for PEFT, vLLM and other programs that put it on the base model themselves."""

import shutil
from pathlib import Path

import torch

from ftkit.errors import Refused
from ftkit.workers.exporting.job import ExportJob, Verified
from ftkit.workers.exporting.parity.ways import by_transformers
from ftkit.workers.exporting.weights import copy_words, write_card
from ftkit.workers.loading import load_with_adapter

_FILES = ("adapter_config.json", "adapter_model.safetensors")


class AdapterExporter:
    """The run's adapter with the tokenizer and a card."""

    def build(self, job: ExportJob, folder: Path) -> None:
        """Copy the adapter.

        Raises:
            Refused: the run changed the whole model.
        """
        if not job.adapter:
            raise Refused(
                "export.no_adapter",
                "The run {run} changed the whole model and made no adapter. Export it as merged instead.",
                run=job.run["name"],
            )
        for name in _FILES:
            shutil.copyfile(job.tuned / name, folder / name)
        copy_words(job, folder)
        write_card(job, folder)

    def verify(self, job: ExportJob, folder: Path) -> Verified:
        """Put it on the base model as PEFT does."""
        model = load_with_adapter(job.model, folder, torch.float32)
        return Verified(("peft",), (by_transformers(job, "adapter", model, folder),))
