"""One GGUF file for llama.cpp and the programs on it, with a Modelfile for Ollama."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from ftkit.errors import Refused
from ftkit.export.parity import Rounding
from ftkit.workers.exporting.gguf import llama
from ftkit.workers.exporting.gguf.converting import convert
from ftkit.workers.exporting.gguf.modelfile import modelfile
from ftkit.workers.exporting.job import ExportJob, Verified
from ftkit.workers.exporting.merged import heard_merged
from ftkit.workers.exporting.parity.ways import by_transformers
from ftkit.workers.exporting.weights import merged_weights, write_card
from ftkit.workers.loading import give_back_memory

FILE = "model.gguf"
_ROUNDINGS: dict[str, Rounding] = {"f32": "fp32", "f16": "f16", "bf16": "bf16", "q8_0": "q8_0"}


class GgufExporter:
    """The merged model in one file."""

    def build(self, job: ExportJob, folder: Path) -> None:
        """Merge in fp32, and convert that.

        Raises:
            Refused: llama.cpp does not take this model.
        """
        whole = merged_weights(job, job.scratch / "whole", "fp32")
        job.worker.progress("converting")
        known = convert(whole, folder / FILE, job.options.quantization, job.name)
        if not known and not llama.installed():
            raise Refused(
                "export.tokenizer_unproved",
                "The tokenizer of this model is none of a published model, and whether llama.cpp reads it rightly can only be "
                "seen with llama.cpp itself. Install it with: pip install xllamacpp; then try again.",
            )
        (folder / "Modelfile").write_text(modelfile(job.model, FILE), encoding="utf-8")
        write_card(job, folder)

    def verify(self, job: ExportJob, folder: Path) -> Verified:
        """Load the file with transformers, and with llama.cpp where it is installed."""
        rounding = _ROUNDINGS[job.options.quantization]
        ways = [heard_merged(job, job.scratch / "whole", "fp32")]
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=FILE)
        model: Any = AutoModelForCausalLM.from_pretrained(folder, gguf_file=FILE, dtype=torch.float32)
        ways.append(by_transformers(job, "gguf", model.eval(), tokenizer, rounding))
        del model
        give_back_memory()
        if llama.installed():
            ways.append(llama.by_llama_cpp(job, folder / FILE, rounding))
        loaded = ("transformers", "llama.cpp") if llama.installed() else ("transformers",)
        return Verified(loaded, tuple(ways), {"llama_cpp": llama.installed()})
