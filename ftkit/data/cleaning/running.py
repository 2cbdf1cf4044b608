"""Running a list of steps over the rows of a dataset.

Takes a rows file, leaves three files in a folder: the rows that stay, an audit log that accounts for every row of the
parent, and the counts. Rows stream through; only what became of them is held. It enters nothing into the database.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftkit.data import storage
from ftkit.data.cleaning.steps import Change, Context, Drop, Judge, Row, Step, WholeStep
from ftkit.data.phrases import phrase
from ftkit.records import Record

AUDIT, SUMMARY = "audit.parquet", "cleaning.json"
_LOOK_EVERY = 200  # rows
_SHOWN_REASONS = 20

Tick = Callable[[int, int], None]


class StepCount(Record):
    """What one step of a list did."""

    step: str
    changed: int
    dropped: int
    reasons: dict[str, int]


class Summary(Record):
    """What a whole list did; ``kept`` counts the changed rows too, so that kept + dropped = rows."""

    rows: int
    kept: int
    changed: int
    dropped: dict[str, int]
    seed: int
    content_hash: str
    steps: tuple[dict[str, Any], ...]
    by_step: tuple[StepCount, ...]


class AuditRow(Record):
    """What became of one row of the parent."""

    row: int
    outcome: str
    new_row: int | None
    changed_by: tuple[str, ...]
    dropped_by: str | None
    reason: str | None
    like: int | None
    edits: tuple[dict[str, Any], ...] = ()


AUDIT_COLUMNS = tuple(AuditRow.model_fields)
_AUDIT_JSON = tuple(name for name in AUDIT_COLUMNS if name not in {"outcome", "dropped_by", "reason"})


def run(source: Path, folder: Path, steps: Sequence[Step], context: Context, tick: Tick) -> Summary:
    """Clean a rows file into ``folder``.

    Args:
        source: rows file of the parent.
        folder: gets ``rows.parquet``, ``audit.parquet`` and ``cleaning.json``.
        steps: in the order in which they run.
        context: roles, columns, seed.
        tick: told now and then how many of how many pieces of work are done; may raise to end it.

    Raises:
        BadInput: a step does not fit this dataset.
    """
    ledger = _Ledger([step.step for step in steps])
    path = source
    stages = _stages(steps)
    numbers: Sequence[int] | None = None
    for place, stage in enumerate(stages):
        target = folder / (storage.ROWS if place == len(stages) - 1 else f"stage-{place}.parquet")
        progress = _Pieces(tick, place, len(stages))
        numbers = _run_stage(stage, (path, numbers), target, context, ledger, progress)
        if path != source:
            path.unlink()
        path = target
    assert numbers is not None, "there is at least one stage"  # noqa: S101
    summary = ledger.summary(steps, context.seed, numbers, content_hash(path))
    ledger.write(folder / AUDIT, numbers)
    (folder / SUMMARY).write_text(summary.model_dump_json(indent=1), encoding="utf-8")
    return summary


def notes(summary: Summary) -> tuple[str, ...]:
    """What a run did, as notes of a dataset."""
    first = phrase("clean_counts", kept=summary.kept, rows=summary.rows, changed=summary.changed)
    reasons = list(summary.dropped.items())[:_SHOWN_REASONS]
    return first, *(phrase("clean_counts_reason", count=count, reason=why) for why, count in reasons)


def audit_rows(path: Path, offset: int = 0, limit: int | None = None) -> list[AuditRow]:
    """Rows of an audit log, one for each row of the parent in its order."""
    return [AuditRow.model_validate(row) for row in storage.read_rows(path, offset, limit)]


@dataclass(frozen=True)
class _Stage:
    """Steps that see one row at a time, behind a step that has to see all of them."""

    whole: tuple[int, WholeStep] | None
    steps: tuple[tuple[int, Step], ...]


class _Pieces:
    """Progress of one stage in rows."""

    def __init__(self, tick: Tick, place: int, stages: int) -> None:
        self._tick, self._place, self._stages = tick, place, stages

    def at(self, row: int, rows: int) -> None:
        if row % _LOOK_EVERY == 0:
            self._tick(self._place * rows + row, self._stages * rows)


@dataclass
class _Ledger:
    """What happened to which row of the parent."""

    names: list[str]
    rows: int = 0
    changed: dict[int, list[int]] = field(default_factory=dict)
    dropped: dict[int, tuple[int, Drop]] = field(default_factory=dict)
    edits: dict[int, tuple[dict[str, Any], ...]] = field(default_factory=dict)

    def judge(self, number: int, row: Row, judges: Sequence[tuple[int, Judge]]) -> Row | None:
        """The row behind all steps; None when one of them dropped it."""
        for place, decide in judges:
            verdict = decide(number, row)
            if isinstance(verdict, Drop):
                self.dropped[number] = (place, verdict)
                return None
            if isinstance(verdict, Change):
                row = verdict.row
                if verdict.edits:
                    self.edits[number] = verdict.edits
                self.changed.setdefault(number, []).append(place)
        return row

    def summary(self, steps: Sequence[Step], seed: int, kept: Sequence[int], content_hash: str) -> Summary:
        reasons = Counter(drop.reason for _, drop in self.dropped.values())
        changes = Counter(place for places in self.changed.values() for place in places)
        each = [Counter[str]() for _ in self.names]
        for place, drop in self.dropped.values():
            each[place][drop.reason] += 1
        counted = (
            StepCount(
                step=name, changed=changes[place], dropped=each[place].total(), reasons=_sorted(each[place])
            )
            for place, name in enumerate(self.names)
        )
        return Summary(
            rows=self.rows,
            kept=len(kept),
            changed=len(self.changed.keys() - self.dropped.keys()),
            dropped=_sorted(reasons),
            seed=seed,
            content_hash=content_hash,
            steps=tuple(step.model_dump(mode="json", exclude={"salt", "edits"}) for step in steps),
            by_step=tuple(counted),
        )

    def write(self, path: Path, kept: Sequence[int]) -> None:
        """One line for every row of the parent, none left out."""
        new = {number: place for place, number in enumerate(kept)}
        with storage.RowsWriter(path, AUDIT_COLUMNS, _AUDIT_JSON) as writer:
            for number in range(self.rows):
                writer.add(self._line(number, new.get(number)).model_dump(mode="json"))

    def _line(self, number: int, new_row: int | None) -> AuditRow:
        place, drop = self.dropped.get(number, (None, None))
        changed = self.changed.get(number, [])
        return AuditRow(
            row=number,
            outcome="dropped" if drop else "changed" if changed else "kept",
            new_row=new_row,
            changed_by=tuple(self.names[one] for one in changed),
            dropped_by=None if place is None else self.names[place],
            reason=drop.reason if drop else None,
            like=drop.like if drop else None,
            edits=self.edits.get(number, ()),
        )


def _run_stage(
    stage: _Stage,
    source: tuple[Path, Sequence[int] | None],
    target: Path,
    context: Context,
    ledger: _Ledger,
    pieces: _Pieces,
) -> list[int]:
    """Run the steps of a stage; gives the numbers, in the parent, of the rows that are left."""
    path, numbers = source
    gone: dict[int, tuple[int, str]] = {}
    if stage.whole is not None:
        gone = stage.whole[1].scan(context, storage.iterate_rows(path))
    judges = [(place, step.judge(context)) for place, step in stage.steps]
    names, json_columns = storage.columns_of(path)
    total = storage.count_rows(path)
    left: list[int] = []
    with storage.RowsWriter(target, names, json_columns) as writer:
        for place, row in enumerate(storage.iterate_rows(path)):
            pieces.at(place, total)
            number = place if numbers is None else numbers[place]
            if place in gone and stage.whole is not None:
                first, why = gone[place]
                ledger.dropped[number] = (
                    stage.whole[0],
                    Drop(why, first if numbers is None else numbers[first]),
                )
                continue
            new = ledger.judge(number, row, judges)
            if new is not None:
                left.append(number)
                writer.add(new)
    ledger.rows = total if numbers is None else ledger.rows
    return left


def _stages(steps: Sequence[Step]) -> list[_Stage]:
    stages: list[_Stage] = []
    whole: tuple[int, WholeStep] | None = None
    waiting: list[tuple[int, Step]] = []
    for place, step in enumerate(steps):
        if isinstance(step, WholeStep):
            if whole is not None or waiting:
                stages.append(_Stage(whole, tuple(waiting)))
            whole, waiting = (place, step), []
        else:
            waiting.append((place, step))
    return [*stages, _Stage(whole, tuple(waiting))]


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def content_hash(path: Path) -> str:
    """One hash over all rows of a file, whatever their layout on the disk."""
    digest = hashlib.sha256()
    for row in storage.iterate_rows(path):
        digest.update(
            json.dumps(row, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass") + b"\n"
        )
    return f"sha256:{digest.hexdigest()}"
