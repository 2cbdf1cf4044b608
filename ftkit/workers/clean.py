"""The cleaning worker: makes a clean dataset of another one, and answers the short question what that would do.

As a job it takes what ``CleaningService`` wrote and leaves ``datasets/<id>`` with its record in the database, or nothing.
As a question it cleans the first rows only and tells what changes. It decides nothing: the steps do.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ftkit.data import clean, storage
from ftkit.data.cleaning import running, texts
from ftkit.data.cleaning.personal import MaskPersonalData
from ftkit.data.cleaning.steps import Context
from ftkit.data.health.personal import load_finder
from ftkit.errors import Refused
from ftkit.records import Dataset
from ftkit.settings import Settings
from ftkit.store.artefacts import enter
from ftkit.store.files import building
from ftkit.workers.harness import Worker, answer, run

_BEAT_EVERY = 0.5  # seconds
_SETTLED = 0.02
_SHOWN_TEXT = 6_000  # characters of a text that a preview carries


def job(worker: Worker) -> Mapping[str, Any]:
    """Clean the dataset of the inputs; a stop leaves nothing behind."""
    inputs = worker.inputs
    draft = Dataset.model_validate(inputs["dataset"])
    steps = clean.parse(inputs["steps"])
    if any(isinstance(step, MaskPersonalData) for step in steps):
        worker.progress("preparing")
        load_finder()  # takes seconds in which no stop is heard: before there is anything to clear away
    worker.raise_if_stopped()
    with building(Path(inputs["target"])) as folder:
        source = Path(inputs["source"])
        summary = running.run(source, folder, steps, _context(inputs), _ticker(worker))
        if not summary.kept:
            raise Refused(
                "clean.nothing_left", "No row would be left. Look at the preview and loosen the steps."
            )
        worker.raise_if_stopped()
        worker.progress("saving")
        record = draft.model_copy(
            update={
                "rows": summary.kept,
                "content_hash": summary.content_hash,
                "file_hash": storage.file_hash(folder / storage.ROWS),
                "notes": running.notes(summary),
            }
        )
    enter(record, Settings.from_environment().store_url)
    return {"kept": summary.kept, "changed": summary.changed, "dropped": summary.dropped}


def preview(question: dict[str, Any]) -> dict[str, Any]:
    """What the steps do to the first rows.

    Args:
        question: ``source``, ``steps``, ``mapping``, ``columns``, ``seed``, ``models``; ``rows`` to look at and ``shown``
            examples of each kind.

    Returns:
        ``rows`` looked at, ``kept``, ``changed``, ``dropped`` (reason → rows), ``by_step``; ``changes`` and ``drops``:
        examples with the row's number, the steps or the reason, and the texts before and after.
    """
    steps = clean.parse(question["steps"])
    source = Path(question["source"])
    rows = storage.read_rows(source, limit=question["rows"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        storage.write_rows(folder / "sample.parquet", rows, *storage.columns_of(source))
        context = _context(question)
        summary = running.run(folder / "sample.parquet", folder, steps, context, lambda _done, _all: None)
        audit = running.audit_rows(folder / running.AUDIT)
        new = storage.read_rows(folder / storage.ROWS)
    changed = _of_each(audit, "changed", question["shown"])
    dropped = _of_each(audit, "dropped", question["shown"])
    return {
        **summary.model_dump(mode="json", include={"rows", "kept", "changed", "dropped", "by_step"}),
        "changes": [
            {
                "row": one.row,
                "steps": one.changed_by,
                "texts": _differences(rows[one.row], new[one.new_row], context),
            }
            for one in changed
            if one.new_row is not None
        ],
        "drops": [
            {
                "row": one.row,
                "step": one.dropped_by,
                "reason": one.reason,
                "like": one.like,
                "text": "\n".join(text for _, text in texts.leaves(rows[one.row], context.used))[
                    :_SHOWN_TEXT
                ],
            }
            for one in dropped
        ],
    }


def _of_each(audit: Sequence[running.AuditRow], outcome: str, shown: int) -> list[running.AuditRow]:
    """Some rows with an outcome, in their order: of each step and reason at first one, then one more."""
    seen: Counter[tuple[Any, ...]] = Counter()
    ranked = []
    for one in audit:
        if one.outcome == outcome:
            sort = (one.changed_by[-1:], one.dropped_by, one.reason)
            ranked.append((seen[sort], one.row, one))
            seen[sort] += 1
    chosen = sorted(ranked, key=lambda rank: rank[:2])[:shown]
    return [one for _, _, one in sorted(chosen, key=lambda rank: rank[1])]


def _differences(old: dict[str, Any], new: dict[str, Any], context: Context) -> list[dict[str, str]]:
    after = dict(texts.leaves(new, context.columns))
    return [
        {
            "place": ".".join(map(str, place)),
            "before": text[:_SHOWN_TEXT],
            "after": after.get(place, "")[:_SHOWN_TEXT],
        }
        for place, text in texts.leaves(old, context.columns)
        if after.get(place) != text
    ]


def _context(inputs: Mapping[str, Any]) -> Context:
    models: Mapping[str, str] = inputs["models"]
    return Context(
        mapping=inputs["mapping"],
        columns=tuple(inputs["columns"]),
        seed=inputs["seed"],
        count_tokens=lambda model, text: _tokenizer(models[model])(text),
        special_tokens=lambda model: _special_tokens(models[model]),
    )


@cache
def _tokenizer(folder: str) -> Callable[[str], int]:
    from tokenizers import Tokenizer  # noqa: PLC0415  only where tokens are counted

    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    tokenizer.no_truncation()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


@cache
def _special_tokens(folder: str) -> Sequence[str]:
    from tokenizers import Tokenizer  # noqa: PLC0415  as above

    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    return sorted(one.content for one in tokenizer.get_added_tokens_decoder().values() if one.special)


def _ticker(worker: Worker) -> running.Tick:
    """Beat now and then, with the time that is left as far as it can be told."""
    began = time.monotonic()
    last = [began - _BEAT_EVERY]

    def tick(done: int, every: int) -> None:
        worker.raise_if_stopped()
        now = time.monotonic()
        if now - last[0] < _BEAT_EVERY:
            return
        last[0] = now
        left = (now - began) / done * (every - done) if every and done / every > _SETTLED else None
        worker.progress("cleaning", done, every, seconds_left=left)

    return tick


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(job)
    else:
        answer(preview)
