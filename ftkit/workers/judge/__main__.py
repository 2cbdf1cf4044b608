"""The judge worker: a language model compares the answers of an evaluation, in both orders.

Takes ``inputs.json`` (options, rows, evaluation, model), appends to ``verdicts.jsonl`` and writes, last, ``report.json``. What has a
verdict is never asked again, so a killed, stopped or failed start is simply followed by another one. The key comes from the environment
and is written nowhere.
"""

import asyncio
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ftkit.errors import Refused
from ftkit.evaluation.judge.counting import pending, report_of
from ftkit.evaluation.judge.options import JudgeOptions
from ftkit.evaluation.judge.rubric import Case
from ftkit.settings import Settings
from ftkit.store.files import write_json
from ftkit.workers.harness import Worker, run
from ftkit.workers.judge.asking import Asking
from ftkit.workers.judge.desk import Desk


def judge(worker: Worker) -> dict[str, Any]:
    """Ask for every verdict that is missing; the result's metrics say how many rows have theirs."""
    options = JudgeOptions(**worker.inputs["options"])
    samples = pq.read_table(Path(worker.inputs["evaluation"]) / "samples.parquet").to_pylist()
    wanted = set(worker.inputs["rows"])
    cases = {sample["row"]: _case(sample) for sample in samples if sample["row"] in wanted}
    key = _key(options)
    desk = Desk(worker, options, cases, key)
    desk.note_same()
    calls = pending(worker.inputs["rows"], desk.lines())
    if calls and options.endpoint:
        desk.begin(len(calls), waits_for_others=True)
        asyncio.run(Asking(options, desk, worker.stop_asked).run(calls, key))
    elif calls:
        from ftkit.workers.judge.local import ask_model  # noqa: PLC0415 - torch, which an endpoint does not need

        ask_model(worker, options, Path(worker.inputs["model"]), calls, desk)
    report = report_of(worker.inputs, desk.lines(), samples)
    write_json(worker.path / "report.json", report)
    return {name: report[name] for name in ("rows", "judged", "failed_rows")}


def _case(sample: dict[str, Any]) -> Case:
    return Case(
        row=sample["row"],
        system=sample.get("system") or "",
        prompt=sample["prompt"],
        reference=sample["reference"] or "",
        base=sample["base_answer"],
        tuned=sample["tuned_answer"],
    )


def _key(options: JudgeOptions) -> str:
    if not options.key_env:
        return ""
    key = Settings.from_environment().environment.get(options.key_env, "").strip()
    if not key:
        raise Refused(
            "judge.no_key",
            "The environment variable {name}, which is to hold the key, is not set where ftkit was started. Set it and start "
            "ftkit again, or leave the name empty if the endpoint needs no key.",
            name=options.key_env,
        )
    return key


if __name__ == "__main__":
    run(judge)
