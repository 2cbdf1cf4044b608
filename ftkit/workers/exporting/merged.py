"""The whole tuned model as safetensors, for transformers, vLLM, TGI and other programs."""

from pathlib import Path

import torch

from ftkit.export.parity import Heard, Rounding
from ftkit.workers.exporting.job import ExportJob, Verified
from ftkit.workers.exporting.parity.ways import by_transformers
from ftkit.workers.exporting.weights import merged_weights, write_card
from ftkit.workers.loading import load_model


class MergedExporter:
    """Weights in fp32 or bf16 with the tokenizer and a card."""

    def build(self, job: ExportJob, folder: Path) -> None:
        """Merge, or write in the wanted precision what the run changed as a whole."""
        merged_weights(job, folder)
        write_card(job, folder)

    def verify(self, job: ExportJob, folder: Path) -> Verified:
        """Load it as transformers does."""
        return Verified(("transformers",), (heard_merged(job, folder),))


def heard_merged(job: ExportJob, folder: Path, rounding: Rounding | None = None) -> Heard:
    """What the model in a folder of ``merged_weights`` says; computed in fp32, so that only its weights are rounded."""
    model = load_model(folder, torch.float32)
    return by_transformers(job, "merged", model, folder, rounding or job.options.precision)
