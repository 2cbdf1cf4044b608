"""Finished evaluations of the ticket sample, made without a model: the answers are written here, all else is measured by the
real functions, so that every outcome and many kinds of errors are in them."""

import json
from pathlib import Path
from typing import Any

from ftkit.data.bundled import path_of
from ftkit.evaluation.service import EvaluationService
from ftkit.records import Part, Run
from ftkit.settings import Settings
from ftkit.store.files import read_json, write_json
from ftkit.store.looks import Looks
from ftkit.workspace import Workspace
from tests.finished_run import NOW, RUN, SleepingLauncher, add_curves, open_room

ROWS = 200


def add_triage(home: Path, extra: dict[int, str] | None = None) -> dict[Part, str]:
    """Sample, split, run and one evaluation of the validation and one of the test part; gives their ids.

    Args:
        home: the data folder.
        extra: further answers of the tuned model, by place in the part.
    """
    made: dict[Part, str] = {}
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(home)})) as workspace:
        file = home / "tickets.jsonl"
        lines = path_of("ticket-triage").read_text(encoding="utf-8").splitlines()[:ROWS]
        told = [json.loads(line) | {"channel": ("mail", "chat")[n % 2]} for n, line in enumerate(lines)]
        file.write_text("\n".join(map(json.dumps, told)), encoding="utf-8")
        split = workspace.splits.split(workspace.data.import_file(file, "Tickets").id, (0.5, 0.25, 0.25))
    with open_room(home, SleepingLauncher()) as room:
        run = Run(
            id=RUN, name="Triage", created_at=NOW, parents=(split.id,), recipe="a/b", split=split.id, model="m1", spec={}, seed=42,
        )  # fmt: skip
        room.artefacts.add(run)
        write_json(room.folders.run(RUN) / "adapter" / "adapter_config.json", {})
        add_curves(room)
        service = EvaluationService(
            room.artefacts, room.folders, room.jobs, Looks(room.database), room.clock, room.new_id
        )
        for part in ("validation", "test"):
            made[part] = service.start(RUN, part).id
            folder = room.folders.evaluation(made[part])
            _measure(folder, read_json(folder / "inputs.json"), extra or {})
            room.end(made[part])
    return made


def answers(place: int, reference: str) -> tuple[str, str]:
    """What base and tuned model say of a row: right, wrong in one way, or not at all."""
    wanted = json.loads(reference)
    other = "billing" if wanted["category"] != "billing" else "returns"
    base = reference if place % 4 == 0 else f"I would call this {wanted['category']}."
    tuned = (
        json.dumps(wanted | {"category": other}) if place % 3 == 0
        else json.dumps({"category": wanted["category"], "summary": wanted["summary"]}) if place % 5 == 0
        else json.dumps(wanted | {"summary": f"{wanted['summary']} today"})
    )  # fmt: skip
    return base, tuned


def _measure(folder: Path, inputs: dict[str, Any], extra: dict[int, str]) -> None:
    from ftkit.data.storage import iterate_rows
    from ftkit.evaluation.measuring.options import Options
    from ftkit.workers.evaluate import write_samples
    from ftkit.workers.evaluation.about import add_facts
    from ftkit.workers.evaluation.summary import add_scores, summarise

    values = list(iterate_rows(Path(inputs["split"]) / f"{inputs['part']}.parquet"))
    samples = []
    for place, row in enumerate(values):
        base, tuned = answers(place, row["answer"])
        tuned = extra.get(place, tuned)
        texts = {"system": row["system"], "prompt": row["message"], "reference": row["answer"]}
        sides = {
            "base_answer": base, "base_nll": 30.0, "base_tokens": 9, "base_cut": place % 7 == 0,
            "tuned_answer": tuned, "tuned_nll": 10.0 + place % 5, "tuned_tokens": 9, "tuned_cut": False,
        }  # fmt: skip
        samples.append({"row": place, **texts, "scored_tokens": 10, **sides})
    options = Options()
    add_scores(samples, ("base", "tuned"), options)
    report = summarise(samples, ("base", "tuned"), options, 42, folder)
    report |= {
        "rows": len(samples),
        "left_out": 0,
        "left_out_reasons": {},
        "signature": {
            "part": inputs["part"],
            "max_new_tokens": 64,
            "seed": 42,
            "versions": {"torch": "2.13.0"},
        },
    }
    add_facts(samples, values, inputs["mapping"], 42)
    write_samples(folder / "samples.parquet", samples)
    write_json(folder / "report.json", report)
