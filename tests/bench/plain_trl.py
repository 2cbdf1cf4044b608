"""What a person's own script does: TRL's defaults with LoRA, on the same rows. Prints one line of JSON."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer


class Clock(TrainerCallback):
    """Seconds spent in steps."""

    def __init__(self) -> None:
        self.seconds, self._began = 0.0, 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._began = time.monotonic()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.seconds += time.monotonic() - self._began


def main(model: str, rows: str) -> None:
    with Path(rows).open(encoding="utf-8") as file:
        made = Dataset.from_list(json.load(file))
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
            processing_class=AutoTokenizer.from_pretrained(model),
            train_dataset=made,
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
            args=SFTConfig(
                output_dir=folder,
                num_train_epochs=1,
                per_device_train_batch_size=4,
                learning_rate=1e-3,
                warmup_steps=5,
                lr_scheduler_type="cosine",
                bf16=True,
                use_cpu=not torch.cuda.is_available(),
                max_length=512,
                report_to="none",
                save_strategy="no",
                disable_tqdm=True,
                seed=42,
            ),
            callbacks=[clock],
        )
        tokens = sum(map(len, trainer.train_dataset["input_ids"]))
        done = trainer.train()
        trainer.save_model(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told = {
        "tokens_per_second": round(tokens / clock.seconds, 2),
        "train_loss": done.training_loss,
        "steps": done.global_step,
        "train_seconds": round(clock.seconds, 2),
        "peak_memory_mb": peak,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
