"""The familiarity worker: how likely a base model finds the answers of some rows of a split, before any training.

Takes ``inputs.json`` (split, mapping, part, model, rows, seed), gives bits per character and perplexity. It asks the model
nothing and trains nothing.
"""

import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftkit.data.storage import iterate_rows
from ftkit.errors import Refused
from ftkit.workers.evaluation.asking import RowCounter
from ftkit.workers.evaluation.likelihoods import each_nll
from ftkit.workers.evaluation.prepared import prepare_rows
from ftkit.workers.generation import context_length
from ftkit.workers.harness import Worker, run
from ftkit.workers.loading import load_model, load_tokenizer
from ftkit.workers.training.rows import FastTokenizer


def measure(worker: Worker) -> Mapping[str, Any]:
    """Figures of one model.

    Raises:
        Refused: none of the rows can be read by it.
    """
    inputs = worker.inputs
    worker.progress("preparing")
    folder = Path(inputs["model"])
    values = sample(Path(inputs["split"]) / f"{inputs['part']}.parquet", inputs["rows"], inputs["seed"])
    worker.progress("loading")
    model = load_model(folder)
    rows, left_out = prepare_rows(values, inputs["mapping"], FastTokenizer(folder), context_length(model))
    if not rows:
        raise Refused(
            "familiarity.nothing_read",
            "None of the {rows} sampled rows can be read by this model ({reason}).",
            rows=len(values),
            reason="; ".join(left_out),
        )
    counted = RowCounter(worker, "measuring", len(rows))
    counted.go_on()
    surprise = 0.0
    for batch in each_nll(model, load_tokenizer(folder), rows):
        surprise += sum(nll for _, nll in batch)
        counted.more(len(batch))
    tokens = sum(len(row.ids) - row.start for row in rows)
    characters = sum(len(row.reference) for row in rows)
    return {
        "bits_per_character": surprise / math.log(2) / characters,
        "perplexity": math.exp(surprise / tokens),
        "rows": len(rows),
        "left_out": left_out.total(),
    }


def sample(file: Path, rows: int, seed: int) -> list[dict[str, Any]]:
    """Rows chosen at random, the same for every model, in the order of the file."""
    values = list(iterate_rows(file))
    chosen = sorted(random.Random(seed).sample(range(len(values)), min(rows, len(values))))  # noqa: S311 - a sample
    return [values[place] for place in chosen]


if __name__ == "__main__":
    run(measure)
