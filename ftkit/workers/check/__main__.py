"""The job: pieces of the dataset shared among processes, put together in their order, written as ``report.json``.

Takes ``inputs.json`` (file, mapping, columns, rows, model, max_length, split, personal, options). The report is the same
however many processes worked on it.
"""

import contextlib
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from ftkit import __version__
from ftkit.data.chat import is_text
from ftkit.data.health.answers import Balance
from ftkit.data.health.findings import Copies, Counted, Tokens, report
from ftkit.data.health.tally import Tally
from ftkit.errors import BadInput
from ftkit.models.chat_template import TemplateRefusal
from ftkit.models.kinds import is_encoder_decoder
from ftkit.store.files import write_json
from ftkit.workers.check import copies, pieces
from ftkit.workers.check.pieces import Piece, Seen
from ftkit.workers.check.processes import processes
from ftkit.workers.harness import Worker, run
from ftkit.workers.training.rows import FastTokenizer, row_limit

_PIECE_ROWS = 2000  # as many as a batch of the file, so that no batch is decoded twice
_LANGUAGE_ROWS = 5_000
_GRAMMAR_ROWS = 200
_SEED = 1
_LOOK_EVERY = 0.5  # seconds
_COMPARING = 0.4  # time for comparing a row, against that for looking at one
_LIBRARIES = ("rensa", "py3langid", "harper-py", "ftfy", "presidio-analyzer", "phonenumbers", "tokenizers")


class Plan(NamedTuple):
    """What is looked at by which process."""

    pieces: list[Piece]
    hints: tuple[Piece, int] | None
    question: copies.Question


def check(worker: Worker) -> dict[str, Any]:
    """Check a dataset; the result's metrics name its rows and findings."""
    started = time.monotonic()
    inputs = worker.inputs
    worker.progress("checking", 0, inputs["rows"])
    limit = _limit(inputs)
    plan = make_plan(inputs, limit)
    with processes(shared_modules(inputs["personal"])) as pool:
        seen, hints, found = _work(worker, pool, plan, inputs["rows"])
    made = report(
        _counted(inputs, limit, seen, hints, found),
        time.monotonic() - started,
        inputs["options"],
        {"ftkit": __version__, **{name: version(name) for name in _LIBRARIES}},
    )
    write_json(worker.path / "report.json", made.model_dump(mode="json"))
    return {"rows": made.rows, "findings": len(made.findings), "seconds": made.seconds}


def shared_modules(personal: bool) -> tuple[str, ...]:
    """What the processes load once for all; presidio, seconds and 400 MB, only where personal data is looked for."""
    finder = ("presidio_analyzer.predefined_recognizers",) if personal else ()
    return "ftkit.workers.check.pieces", "ftkit.workers.check.copies", *finder


def make_plan(inputs: Mapping[str, Any], limit: int) -> Plan:
    """Cut the work into pieces."""
    rows = inputs["rows"]
    every = max(1, -(-rows // _LANGUAGE_ROWS))
    cut = [
        Piece(
            file=inputs["file"],
            offset=offset,
            limit=_PIECE_ROWS,
            mapping=inputs["mapping"],
            columns=tuple(inputs["columns"]),
            model=inputs["model"] or "",
            max_length=limit,
            personal=inputs["personal"],
            language_every=every,
        )
        for offset in range(0, rows, _PIECE_ROWS)
    ]
    grammar_every = max(1, rows // _GRAMMAR_ROWS)
    whole = cut[0]._replace(limit=rows) if cut else None
    question = copies.Question(
        inputs["file"],
        inputs["mapping"],
        tuple(inputs["columns"]),
        inputs["split"] or "",
        inputs["split_id"] or "",
        _SEED,
        inputs["personal"],
    )
    return Plan(cut, (whole, grammar_every) if whole else None, question)


def _work(
    worker: Worker, pool: ProcessPoolExecutor, plan: Plan, rows: int
) -> tuple[list[Seen], list[Tally], Copies]:
    """Everything, the long work first."""
    comparing = pool.submit(copies.compare, plan.question)
    reading = [pool.submit(pieces.hints, *plan.hints)] if plan.hints else []
    looking = [pool.submit(pieces.look, piece) for piece in plan.pieces]
    started = time.monotonic()
    waiting: set[Future[Any]] = {comparing, *looking, *reading}
    while waiting:
        done, waiting = wait(waiting, timeout=_LOOK_EVERY, return_when=FIRST_COMPLETED)
        worker.raise_if_stopped()
        for future in done:
            future.result()  # an error ends the check at once
        _tell(worker, looking, comparing, rows, time.monotonic() - started)
    return (
        [future.result() for future in looking],
        [future.result() for future in reading],
        comparing.result(),
    )


def _tell(
    worker: Worker, looking: list[Future[Seen]], comparing: Future[Copies], rows: int, seconds: float
) -> None:
    finished = sum(future.done() for future in looking)
    step = min(rows, finished * _PIECE_ROWS)
    work = len(looking) * (1 + _COMPARING)
    done = finished + _COMPARING * len(looking) * comparing.done()
    left = round(seconds / done * (work - done), 1) if done else None
    worker.progress("comparing" if finished == len(looking) else "checking", step, rows, seconds_left=left)


def _counted(
    inputs: Mapping[str, Any], limit: int, seen: list[Seen], hints: list[Tally], found: Copies
) -> Counted:
    """The pieces together, in the order of the rows."""
    tally, balance = Tally(), Balance()
    tokens = Tokens(inputs["model_id"], limit) if inputs["model"] else None
    for piece in seen:
        tally.take(piece.tally)
        balance.take(piece.balance)
        if tokens is not None:
            tokens.lengths += piece.lengths
            tokens.trained += piece.trained
    for hint in hints:
        tally.take(hint)
    return Counted(
        rows=sum(piece.rows for piece in seen),
        usable=sum(piece.usable for piece in seen),
        mapping=inputs["mapping"],
        tally=tally,
        tokens=tokens,
        balance=balance,
        copies=found,
        personal=inputs["personal"],
        grammar_of=tally.counter("read").total(),
    )


def _limit(inputs: Mapping[str, Any]) -> int:
    """The longest row that counts; a model that takes no conversations is refused here, before the work begins."""
    if not inputs["model"]:
        return int(inputs["max_length"])
    folder = Path(inputs["model"])
    if is_text(inputs["mapping"]) and is_encoder_decoder(folder):
        raise BadInput(
            "check.text_for_encoder",
            "{model} reads a question and writes an answer, and these rows are one text each. Choose columns for question "
            "and answer, or a model that goes on with texts.",
            model=folder.name,
        )
    if "text" not in inputs["mapping"] or "messages" in inputs["mapping"]:
        with contextlib.suppress(TemplateRefusal):  # it may refuse this one and take the rows
            FastTokenizer(folder).chat([{"role": "user", "content": "?"}])
    return row_limit(folder, inputs["max_length"])


if __name__ == "__main__":
    run(check)
