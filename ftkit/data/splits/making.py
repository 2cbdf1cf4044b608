"""A split made from files: the rows of a dataset read, assigned, written part by part, and measured again.

Takes the files of a dataset and what was asked for, fills a folder and says what came of it and, meanwhile, how far it
is. It enters nothing into the database; large datasets are given to it by a worker.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ftkit.data import storage
from ftkit.data.health import duplicates
from ftkit.data.phrases import phrase
from ftkit.data.splits import leaks, notes, parts
from ftkit.data.splits.rows import Sorted, sort_out
from ftkit.data.splits.splitting import Assigned, Ratios, Row, assign
from ftkit.errors import BadInput
from ftkit.records import PARTS, Part, Record, Split

_SEEDS = 50  # that are tried where a part would be empty
_ALIKE = 0.5  # share of the rows in one cluster, from which on they follow a template rather than repeat each other


# What is being done, and how many of how many steps of it are done. It may raise, to leave at that point.
OnStep = Callable[[str, int, int], None]
PHASES = ("preparing", "comparing", "assigning", "saving", "measuring")


def _say_nothing(_phase: str, _done: int, _all: int) -> None:
    """Where nobody asks how far it is."""


class Plan(Record):
    """What a split shall be.

    Args:
        source: file of the rows.
        mapping: role → column.
        ratios: shares of train, validation and test.
        seed: another seed, another split.
        group: column whose equal values stay together; empty for none.
        stratify: column whose values keep their shares in every part; empty for none.
        near: keep near-duplicates together; None for yes, unless most rows are alike.
        test_source: file of a dataset whose rows are the test part, instead of a share.
        test_mapping: its role → column.
    """

    source: str
    mapping: dict[str, str]
    ratios: Ratios
    seed: int
    group: str = ""
    stratify: str = ""
    near: bool | None = None
    test_source: str = ""
    test_mapping: dict[str, str] = {}


class Made(Record):
    """What came of it: fields of the record, and lists for the manifest."""

    sizes: dict[Part, int]
    near: bool
    leak_kinds: dict[str, int]
    left_out: int
    left_out_reasons: dict[str, int]
    trimmed: int
    notes: tuple[str, ...]
    content_hash: str
    rows: dict[Part, list[int]]
    keys: dict[Part, list[str]]
    left_out_rows: list[dict[str, Any]]

    def lists(self) -> dict[str, Any]:
        """What only the manifest holds."""
        return self.model_dump(include={"rows", "keys", "left_out_rows"})

    def record(self, draft: Split) -> Split:
        """The record of the split, of what was known before and what was found."""
        promised = {kind: count for kind, count in self.leak_kinds.items() if self.near or kind != "near"}
        found = self.model_dump(exclude=set(self.lists())) | {"leaks": sum(promised.values())}
        return Split.model_validate(draft.model_dump() | found)


def make(folder: Path, plan: Plan, on_step: OnStep = _say_nothing) -> Made:
    """Fill a folder with the parts.

    Args:
        folder: where the parts go.
        plan: what is asked for.
        on_step: told how far it is, phase by phase of ``PHASES``.

    Raises:
        BadInput: no row can be trained on, there are too few of them, or the test set has other roles.
    """
    found = _read(plan, on_step)
    held = _held(plan)
    rows = [row._replace(held=True) for row in held.rows.values()] + list(found.rows.values())
    numbers = [*held.rows, *found.rows]
    ratios = _without_test(plan.ratios) if plan.test_source else plan.ratios
    assigned, near, said = _assign(rows, ratios, plan, on_step)
    members: dict[Part, list[int]] = {part: [] for part in PARTS}
    keys: dict[Part, list[str]] = {part: [] for part in PARTS}
    for at, part in assigned.part.items():
        members[part].append(numbers[at])
        keys[part].append(rows[at].key)
    _note_left_out(found, assigned, numbers)
    on_step("saving", 0, 0)
    parts.write(folder, Path(plan.source), members, _test_rows(plan, members))
    kinds = _measure(folder, plan, members, on_step)
    sizes = {part: len(members[part]) for part in PARTS}
    if near is False and kinds["near"]:
        said.append(phrase("split_near_apart", count=kinds["near"]))
    return Made(
        sizes=sizes,
        near=near,
        leak_kinds=kinds,
        left_out=len(found.left_out),
        left_out_reasons=found.reasons(),
        trimmed=found.trimmed,
        notes=(*_notes(plan, ratios, found, held, sizes), *said),
        content_hash=parts.content_hash(folder),
        rows=members,
        keys=keys,
        left_out_rows=[{"row": row, "reason": reason} for row, reason in sorted(found.left_out)],
    )


def _read(plan: Plan, on_step: OnStep) -> Sorted:
    columns = storage.columns_of(Path(plan.source))[0]
    for name in filter(None, (plan.group, plan.stratify)):
        if name not in columns:
            raise BadInput(
                "data.no_such_column",
                "There is no column {name}. Choose one of: {columns}.",
                name=name,
                columns=", ".join(columns),
            )
    found = sort_out(_told_rows(Path(plan.source), on_step), plan.mapping, plan.group, plan.stratify)
    if not found.rows:
        row, reason = found.left_out[0]
        raise BadInput(
            "data.nothing_to_learn",
            "None of the {count} rows can be trained on. Row {row}: {reason}. Choose other columns.",
            count=len(found.left_out),
            row=row,
            reason=reason,
        )
    return found


def _told_rows(file: Path, on_step: OnStep) -> Iterator[storage.Row]:
    rows = storage.count_rows(file)
    for number, row in enumerate(storage.iterate_rows(file)):
        on_step("preparing", number, rows)
        yield row


def _held(plan: Plan) -> Sorted:
    """The rows of the test set, written as rows of this dataset."""
    if not plan.test_source:
        return Sorted()
    held = sort_out(_adapted(plan), plan.mapping, plan.group)
    if not held.rows:
        raise BadInput(
            "data.empty_test_set", "No row of the test set can be used. Choose another dataset for the test."
        )
    return held


def _adapted(plan: Plan) -> list[storage.Row]:
    adapt = parts.adapter(Path(plan.source), plan.mapping, plan.test_mapping)
    return [adapt(row) for row in storage.iterate_rows(Path(plan.test_source))]


def _test_rows(plan: Plan, members: dict[Part, list[int]]) -> list[storage.Row] | None:
    if not plan.test_source:
        return None
    rows = _adapted(plan)
    return [rows[number] for number in members["test"]]


def _without_test(ratios: Ratios) -> Ratios:
    """The ratio of train and validation where the test rows come from elsewhere."""
    rest = ratios[0] + ratios[1]
    return (ratios[0] / rest, ratios[1] / rest, 0.0) if rest else (1.0, 0.0, 0.0)


def _assign(
    rows: Sequence[Row], ratios: Ratios, plan: Plan, on_step: OnStep
) -> tuple[Assigned, bool, list[str]]:
    """The parts, whether near-duplicates are kept together, and what is to be said."""
    deal = partial(assign, rows, ratios, plan.seed, on_row=lambda row: on_step("assigning", row, len(rows)))
    if plan.near is False:
        found, near, said = deal(), False, list[str]()
    else:
        comparing = partial(on_step, "comparing")
        neighbours = duplicates.Neighbours([row.text for row in rows], on_step=comparing)
        found, near, said = _assign_alike(plan, len(rows), deal, neighbours)
    _check_filled(rows, ratios, plan.seed, near, found)
    said += notes.result_notes(rows, ratios, found)
    if plan.stratify:
        said += notes.label_notes(rows, found)
    return found, near, said


def _assign_alike(
    plan: Plan, rows: int, deal: Callable[..., Assigned], neighbours: duplicates.Neighbours
) -> tuple[Assigned, bool, list[str]]:
    try:
        found = deal(neighbours)
    except BadInput:
        if plan.near:
            raise
        return deal(), False, [phrase("split_near_off")]
    if plan.near is None and found.largest > _ALIKE * rows:
        return deal(), False, [phrase("split_near_off")]
    return found, True, []


def _check_filled(rows: Sequence[Row], ratios: Ratios, seed: int, near: bool, found: Assigned) -> None:
    """A part that was asked for holds rows: an empty one would measure nothing later.

    Raises:
        BadInput: one is empty; the sentence names a seed that fills all, where there is one among the next.
    """
    sizes = found.sizes()
    empty = [phrase(f"part_{part}") for part in PARTS if part in _wanted(ratios) and not sizes[part]]
    if not empty:
        return
    values = {"parts": ", ".join(empty), "rows": sum(sizes.values())}
    other = _seed_that_fills(rows, ratios, seed, near)
    if other is None:
        raise BadInput(
            "data.part_empty",
            "Too few of the {rows} rows are free to stand apart: {parts} would be empty. Add rows, or choose other ratios, "
            "such as 1,0,0.",
            **values,
        )
    raise BadInput(
        "data.part_empty_seed",
        "Few of the {rows} rows are free to stand apart: {parts} would be empty. Use the seed {seed}, which fills every part, "
        "or add rows.",
        seed=other,
        **values,
    )


def _seed_that_fills(rows: Sequence[Row], ratios: Ratios, seed: int, near: bool) -> int | None:
    if len(rows) > 10 * _SEEDS:
        return None
    for other in range(seed + 1, seed + 1 + _SEEDS):
        neighbours = duplicates.Neighbours([row.text for row in rows]) if near else None
        try:
            if _wanted(ratios) <= set(assign(rows, ratios, other, neighbours).part.values()):
                return other
        except BadInput:
            return None
    return None


def _wanted(ratios: Ratios) -> set[Part]:
    return {part for part, share in zip(PARTS, ratios, strict=True) if share}


def _note_left_out(found: Sorted, assigned: Assigned, numbers: Sequence[int]) -> None:
    found.left_out += [(numbers[at], phrase("split_apart")) for at in assigned.apart]
    found.left_out += [
        (numbers[at], phrase(f"split_{bond}_in_test")) for at, bond in assigned.like_test.items()
    ]


def _measure(folder: Path, plan: Plan, members: dict[Part, list[int]], on_step: OnStep) -> dict[str, int]:
    """Leaks of what lies on the disk; rows of another dataset come before those of this one."""
    written: dict[Part, dict[int, Row]] = {}
    for part in PARTS:
        read = sort_out(storage.iterate_rows(parts.path_of(folder, part)), plan.mapping, plan.group)
        before = len(members[part]) if part == "test" and plan.test_source else 0
        written[part] = {
            place - before if before else members[part][place]: row for place, row in read.rows.items()
        }
    return leaks.count(written, partial(duplicates.near, on_step=partial(on_step, "measuring")))


def _notes(plan: Plan, ratios: Ratios, found: Sorted, held: Sorted, sizes: dict[Part, int]) -> list[str]:
    said = list(notes.ratio_notes(plan.ratios, sizes)) if not plan.test_source else []
    if found.without_group:
        said.append(phrase("split_no_group", count=found.without_group, column=plan.group))
    if found.without_label:
        said.append(phrase("split_no_label", count=found.without_label, column=plan.stratify))
    if plan.test_source:
        said.append(phrase("split_test_set", count=sizes["test"], share=f"{100 * ratios[0]:.0f}"))
    if held.left_out:
        said.append(phrase("split_test_left_out", count=len(held.left_out)))
    return said
