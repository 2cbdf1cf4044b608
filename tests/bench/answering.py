"""Answers of base and tuned model to the rows of a part, as a person's own script makes them, or with ftkit's worker.

    python -m tests.bench.answering plain|ftkit JOB

JOB is the folder of an evaluation with its ``inputs.json``. All in float32. Prints one line of JSON.
"""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from ftkit.data.chat import training_row
from ftkit.data.storage import iterate_rows
from ftkit.workers import loading
from ftkit.workers.evaluate import evaluate
from ftkit.workers.harness import Worker

Answers = dict[str, list[str]]


def plain(inputs: dict[str, Any]) -> dict[str, Any]:
    """transformers' ``generate`` for one prompt after another, with one model and then with the other."""
    tokenizer: Any = AutoTokenizer.from_pretrained(inputs["model"])
    rows = iterate_rows(Path(inputs["split"]) / f"{inputs['part']}.parquet")
    prompts = [training_row(row, inputs["mapping"])["prompt"] for row in rows]
    base, under = (
        AutoModelForCausalLM.from_pretrained(inputs["model"], dtype=torch.float32).eval() for _ in range(2)
    )
    tuned = PeftModel.from_pretrained(under, inputs["tuned"]).eval()
    answers: Answers = {}
    begun = Moment.now()
    for side, model in (("base", base), ("tuned", tuned)):
        answers[side] = []
        for prompt in prompts:
            asked = tokenizer.apply_chat_template(
                prompt, add_generation_prompt=True, return_dict=True, return_tensors="pt"
            )
            made = model.generate(**asked, max_new_tokens=inputs["max_new_tokens"], do_sample=False)
            new = made[0, asked["input_ids"].shape[1] :]
            answers[side].append(tokenizer.decode(new, skip_special_tokens=True))
    return {**begun.since("answer"), "answers": answers}


class Moment(NamedTuple):
    """A time on the wall and in the processor: on a busy machine the second one says more."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> "Moment":
        """This one."""
        return cls(time.monotonic(), time.process_time())

    def since(self, name: str, until: "Moment | None" = None) -> dict[str, float]:
        """Seconds from here to then, or to now."""
        end = until or Moment.now()
        return {
            f"{name}_seconds": round(end.wall - self.wall, 2),
            f"{name}_cpu_seconds": round(end.cpu - self.cpu, 2),
        }


class Timed(Worker):
    """Knows when each phase began."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.began: dict[str, Moment] = {}

    def progress(self, phase: str, *at: Any, **more: Any) -> None:
        """Note the time of a new phase."""
        self.began.setdefault(phase, Moment.now())
        super().progress(phase, *at, **more)


def with_ftkit(job: Path) -> dict[str, Any]:
    """The whole evaluation; nothing of it is known before."""
    import pyarrow.parquet as pq

    shutil.rmtree(job / "answers", ignore_errors=True)
    loading.answer_dtype = lambda: torch.float32
    worker = Timed(job)
    evaluate(worker)
    samples = pq.read_table(job / "samples.parquet").to_pylist()
    return {
        **worker.began["generating"].since("answer", worker.began["scoring"]),
        **worker.began["evaluating"].since("likelihood", worker.began["generating"]),
        "answers": {side: [sample[f"{side}_answer"] for sample in samples] for side in ("base", "tuned")},
    }


def main(how: str, job: Path) -> None:
    """Answer all rows."""
    inputs = json.loads((job / "inputs.json").read_text())
    print(json.dumps(plain(inputs) if how == "plain" else with_ftkit(job)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
