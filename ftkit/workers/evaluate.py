"""The evaluation worker: base, tuned model and further runs measured on the same rows of one part of a split.

Takes ``inputs.json`` (split, mapping, part, model, tuned, others, seed, max_new_tokens, cache, and what to measure), writes
``samples.parquet`` and, last, ``report.json``. What the models say is kept as it comes: started again after a stop or a kill, it
asks only what is not known. Greedy and seeded: the same inputs give the same report on one machine. It changes neither model
nor data.
"""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import AutoConfig

from ftkit.data.storage import iterate_rows
from ftkit.errors import Refused
from ftkit.evaluation.measuring.options import Options
from ftkit.store.files import hash_file, hash_value, read_json, write_json
from ftkit.workers import loading
from ftkit.workers.evaluation.about import add_facts
from ftkit.workers.evaluation.asking import Asking, ask_all
from ftkit.workers.evaluation.beside.sheets import Sheet, general_sheet, names_sheet
from ftkit.workers.evaluation.prepared import Prepared, default_limit, prepare_rows
from ftkit.workers.evaluation.remembered import Remembered
from ftkit.workers.evaluation.sides import Side, groups
from ftkit.workers.evaluation.summary import add_scores, summarise
from ftkit.workers.generation import context_of
from ftkit.workers.harness import Worker, run
from ftkit.workers.training.rows import FastTokenizer

_LIBRARIES = (
    "torch",
    "transformers",
    "peft",
    "evaluate",
    "sacrebleu",
    "rouge_score",
    "scikit-learn",
    "scipy",
)
_ANSWERING = ("torch", "transformers", "peft")  # what a model says depends on these alone
BASE, TUNED = "base", "tuned"


class Inputs(NamedTuple):
    """What is evaluated on what."""

    split: Path
    mapping: dict[str, str]
    part: str
    model: Path
    tuned: Path
    others: dict[str, Path]
    names: dict[str, str]
    seed: int
    max_new_tokens: int | None
    cache: Path
    options: Options

    @classmethod
    def of(cls, worker: Worker) -> "Inputs":
        """From ``inputs.json``."""
        value = worker.inputs
        others = value.get("others") or []
        return cls(
            split=Path(value["split"]),
            mapping=value["mapping"],
            part=value["part"],
            model=Path(value["model"]),
            tuned=Path(value["tuned"]),
            others={one["run"]: Path(one["tuned"]) for one in others},
            names={one["run"]: one["name"] for one in others},
            seed=value["seed"],
            max_new_tokens=value.get("max_new_tokens"),
            cache=Path(value.get("cache") or worker.path / "answers"),
            options=Options.from_json(value),
        )

    @property
    def file(self) -> Path:
        """The rows."""
        return self.split / f"{self.part}.parquet"

    @property
    def sides(self) -> list[Side]:
        """Who is measured."""
        others = [Side(name, folder) for name, folder in self.others.items()]
        return [Side(BASE, None), Side(TUNED, self.tuned), *others]


def evaluate(worker: Worker) -> dict[str, Any]:
    """Measure all sides; the result's metrics say how many rows were used and left out."""
    inputs = Inputs.of(worker)
    values = read_part(inputs)
    worker.progress("loading")
    config = AutoConfig.from_pretrained(inputs.model, local_files_only=True, trust_remote_code=False)
    encode = FastTokenizer(inputs.model)
    rows, left_out = prepare_rows(values, inputs.mapping, encode, context_of(config))
    if not rows:
        raise Refused(
            "evaluation.no_rows",
            "None of the {rows} rows of the {part} part can be evaluated ({reason}). Choose another part or mapping.",
            rows=len(values),
            part=inputs.part,
            reason="; ".join(left_out),
        )
    limit = inputs.max_new_tokens or default_limit(rows)
    told = signature(inputs, values, limit)
    known = {side.name: Remembered(inputs.cache, _depends_on(inputs, told, side)) for side in inputs.sides}
    sheets = [(sheet, _known_of(inputs, told, sheet)) for sheet in _sheets(inputs, values, encode, limit)]
    askings = [
        Asking(worker, rows, limit, known),
        *(Asking(worker, sheet.rows, sheet.limit, said, sheet.name) for sheet, said in sheets),
    ]
    loaded = ask_all(worker, inputs.model, groups(inputs.sides), askings)
    samples = [_sample(row, known) for row in rows]
    names = [side.name for side in inputs.sides]
    worker.progress("scoring")
    asked = [sample for sample, row in zip(samples, rows, strict=True) if row.asked]
    add_scores(samples, names, inputs.options)
    report = summarise(samples, names, inputs.options, inputs.seed, worker.path)
    for name, others in report.get("others", {}).items():
        others["name"] = inputs.names[name]
    for name, facts in report["answers"].items():
        facts["out_of_context"] = _out_of_context(asked, name, limit)
    report |= {
        "rows": len(rows),
        "left_out": left_out.total(),
        "left_out_reasons": dict(left_out.most_common()),
        "signature": told,
        **{
            sheet.name: sheet.summarise({side: known.of for side, known in said.items()})
            for sheet, said in sheets
        },
    }
    add_facts(samples, values, inputs.mapping, inputs.seed)
    write_samples(worker.path / "samples.parquet", samples)
    write_json(worker.path / "report.json", report)
    return {"rows": len(rows), "left_out": left_out.total(), "models_loaded": loaded}


def read_part(inputs: Inputs) -> list[dict[str, Any]]:
    """All rows of the part.

    Raises:
        Refused: it is empty.
    """
    values = list(iterate_rows(inputs.file))
    if not values:
        raise Refused(
            "evaluation.empty_part",
            "The {part} part of the split has no rows. Choose another part, or split with a larger share for it.",
            part=inputs.part,
        )
    return values


def _sheets(
    inputs: Inputs, values: Sequence[Mapping[str, Any]], encode: FastTokenizer, limit: int
) -> list[Sheet]:
    """What is asked beside the rows."""
    sheets = [general_sheet(inputs.mapping, encode)] if inputs.options.general else []
    if inputs.options.names:
        sheets.append(names_sheet(values, inputs.mapping, encode, limit, inputs.seed))
    return sheets


def _known_of(inputs: Inputs, told: Mapping[str, Any], sheet: Sheet) -> dict[str, Remembered]:
    """What base and tuned model said of a sheet before."""
    beside = {"max_new_tokens": sheet.limit, **sheet.depends_on}
    return {
        side.name: Remembered(inputs.cache, _depends_on(inputs, told, side) | beside)
        for side in inputs.sides
        if side.name in (BASE, TUNED)
    }


def signature(inputs: Inputs, values: Sequence[Mapping[str, Any]], limit: int) -> dict[str, Any]:
    """What two reports must have in common to be compared."""
    return {
        "split": inputs.split.name,
        "part": inputs.part,
        "rows_hash": hash_file(inputs.file),
        "rows_content": rows_content(values),
        "model": inputs.model.name,
        "tuned_hashes": _weights(inputs.tuned),
        "others_hashes": {name: _weights(folder) for name, folder in inputs.others.items()},
        "decoding": "greedy",
        "max_new_tokens": limit,
        "seed": inputs.seed,
        "dtype": str(loading.answer_dtype()).removeprefix("torch."),
        "device": str(loading.device()),
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def rows_content(values: Sequence[Mapping[str, Any]]) -> str:
    """Hash of the rows alone: the same in another order and in another split."""
    return hash_value(sorted(json.dumps(dict(row), sort_keys=True, default=str) for row in values))


def _weights(folder: Path) -> list[str]:
    return [hash_file(file) for file in sorted(folder.glob("*.safetensors"))]


def _depends_on(inputs: Inputs, told: Mapping[str, Any], side: Side) -> dict[str, Any]:
    """All that the answers of one side depend on: neither the other sides, nor names, nor what is measured."""
    # The record has a hash of all files of the model: reading gigabytes again would tell nothing more.
    record = read_json(inputs.model / "model.json") or {}
    model = record.get("content_hash") or [hash_file(path) for path in sorted(inputs.model.glob("*.*"))]
    hashes = {BASE: None, TUNED: told["tuned_hashes"], **told["others_hashes"]}[side.name]
    config = side.folder / "adapter_config.json" if side.folder is not None else None
    return {
        **{name: told[name] for name in ("rows_hash", "decoding", "max_new_tokens", "dtype", "device")},
        "versions": {name: told["versions"][name] for name in _ANSWERING},
        "mapping": inputs.mapping,
        "model_hash": model,
        "tuned": hashes,
        # The same weights with another alpha are another model.
        "adapter": read_json(config) if config is not None else None,
    }


def write_samples(path: Path, samples: list[dict[str, Any]]) -> None:
    """All samples as Parquet, as a whole or not at all."""
    temporary = path.with_name(f".{path.name}.part")
    pq.write_table(pa.Table.from_pylist(samples), temporary)
    temporary.replace(path)


def _sample(row: Prepared, known: Mapping[str, Remembered]) -> dict[str, Any]:
    system = "\n\n".join(m["content"] for m in row.prompt if m["role"] == "system")
    turns = [m for m in row.prompt if m["role"] != "system"]
    many = len(turns) > 1
    sample: dict[str, Any] = {
        "row": row.row,
        "system": system or None,
        "prompt": "\n\n".join(f"{m['role']}: {m['content']}" if many else m["content"] for m in turns),
        "reference": row.reference,
        "scored_tokens": len(row.ids) - row.start,
    }
    for side, remembered in known.items():
        said = remembered.of(row.row)
        sample |= {f"{side}_nll": said["nll"], f"{side}_answer": None}
        if row.asked:
            sample |= {f"{side}_{name}": said[name] for name in ("answer", "tokens", "cut")}
    return sample


def _out_of_context(samples: Sequence[Mapping[str, Any]], side: str, limit: int) -> int:
    """Answers that ended because the model reads no further, before the limit that was set."""
    return sum(sample[f"{side}_cut"] and sample[f"{side}_tokens"] < limit for sample in samples)


if __name__ == "__main__":
    run(evaluate)
