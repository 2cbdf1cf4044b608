"""One evaluation as it is looked through: its rows with outcome, errors and slices, and the rows of a selection.

Takes samples and a report, gives rows and counts; what is expensive is computed once. It changes nothing and knows no tags
but those that it is given.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

from ftkit.errors import BadInput
from ftkit.evaluation.errors import kinds, slices
from ftkit.evaluation.errors.kinds import Answered
from ftkit.evaluation.errors.measures import (
    OUTCOMES,
    Measure,
    Outcome,
    badness,
    is_right,
    loss,
    measures,
    outcome,
    value,
)
from ftkit.evaluation.errors.selection import Selection
from ftkit.evaluation.errors.slices import Dimension, Slice
from ftkit.evaluation.measuring.scores import Field, field_labels, json_fields

Sample = Mapping[str, Any]
Side = Literal["base", "tuned"]
SIDES: tuple[Side, ...] = ("base", "tuned")
Tags = Mapping[int, Sequence[str]]


class LookedAt(NamedTuple):
    """One row by one measure: ``errors`` by side."""

    sample: Sample
    outcome: Outcome | None
    scores: Mapping[str, float | None]
    errors: Mapping[str, tuple[str, ...]]

    @property
    def row(self) -> int:
        """Its place in the part."""
        return int(self.sample["row"])


class Analysis:
    """The rows of one evaluation."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        """Take the samples as the worker wrote them; there is at least one."""
        self.samples = samples
        self.answered = samples[0].get("tuned_answer") is not None
        self._by_measure: dict[str, list[LookedAt]] = {}
        self._slices: dict[str, list[Slice]] = {}

    @cached_property
    def measures(self) -> list[Measure]:
        """What the rows can be judged by; the first is taken where nothing is said."""
        return measures(self.samples)

    @cached_property
    def fields(self) -> list[Field]:
        """The JSON fields of the references."""
        return json_fields([sample["reference"] for sample in self.samples])

    @cached_property
    def dimensions(self) -> list[Dimension]:
        """The ways to cut the rows into slices."""
        return slices.dimensions(self.samples, self.fields)

    def measure(self, name: str) -> Measure:
        """The measure of this name, the first one for no name.

        Raises:
            BadInput: the evaluation has none of that name.
        """
        found = next((one for one in self.measures if name in ("", one.name)), None)
        if found is None:
            raise BadInput(
                "errors.no_such_measure",
                "The rows have no measure {name}. Choose one of: {known}.",
                name=repr(name),
                known=", ".join(one.name for one in self.measures),
            )
        return found

    def rows(self, measure: Measure) -> list[LookedAt]:
        """All rows by a measure, in the order of the part."""
        if measure.name not in self._by_measure:
            self._by_measure[measure.name] = [self._look(sample, measure) for sample in self.samples]
        return self._by_measure[measure.name]

    def chosen(self, selection: Selection, tags: Tags) -> list[LookedAt]:
        """The rows of a selection in its order.

        Raises:
            BadInput: it names a measure, a slice or a field that the evaluation has not.
        """
        measure = self.measure(selection.measure)
        inside = self._inside(selection)
        cell = self._cell(selection)
        found = [
            row
            for place, row in enumerate(self.rows(measure))
            if (selection.kind in ("all", row.outcome))
            and (inside is None or inside[place] == selection.value)
            and (not selection.error or selection.error in row.errors[selection.side])
            and (not selection.tag or selection.tag in tags.get(row.row, ()))
            and (cell is None or cell[place])
        ]
        if selection.sort == "worst":
            found.sort(key=lambda row: (-badness(row.sample, measure), row.row))
        elif selection.sort == "change":
            found.sort(key=lambda row: (-loss(row.sample, measure), row.row))
        return found

    def outcomes(self, measure: Measure) -> dict[Outcome, int]:
        """How many rows became better, worse, or neither; that none became worse is worth saying, too."""
        counted = Counter(row.outcome for row in self.rows(measure))
        return {kind: counted[kind] for kind in OUTCOMES if counted[kind] or kind in OUTCOMES[:2]}

    def errors(self, measure: Measure) -> dict[str, dict[str, int | None]]:
        """Kind of error → rows by side, in the order of the kinds; None where no answer of a side could show it."""
        counted = {side: Counter(e for row in self.rows(measure) for e in row.errors[side]) for side in SIDES}
        every = {kind for counts in counted.values() for kind in counts}
        ordered = sorted(every, key=lambda kind: (kinds.KINDS.index(kind.partition(":")[0]), kind))
        blind = {side for side in SIDES if counted[side]["not_json"] == len(self.samples)}
        return {
            kind: {
                side: None
                if side in blind and kind.partition(":")[0] in kinds.IN_FIELDS
                else counted[side][kind]
                for side in SIDES
            }
            for kind in ordered
        }

    def slices(self, measure: Measure) -> list[Slice]:
        """Every slice with its numbers."""
        if measure.name not in self._slices:
            self._slices[measure.name] = slices.measured(self.samples, self.dimensions, measure)
        return self._slices[measure.name]

    def slice_of(self, key: str) -> Dimension:
        """The dimension of this key.

        Raises:
            BadInput: there is none.
        """
        found = next((one for one in self.dimensions if one.key == key), None)
        if found is None:
            raise BadInput(
                "errors.no_such_slice",
                "The rows cannot be cut by {name}. Choose one of: {known}.",
                name=repr(key),
                known=", ".join(one.key for one in self.dimensions),
            )
        return found

    def labels(self, field: str) -> tuple[str, ...]:
        """The labels of a JSON field that is a category, as ``report.json`` orders them.

        Raises:
            BadInput: the references have no such field.
        """
        found = next((one for one in self.fields if one.name == field and one.kind == "category"), None)
        if found is None:
            raise BadInput(
                "errors.no_such_field",
                "The references have no field {field} with a few values. Choose another one.",
                field=repr(field),
            )
        return found.labels

    def _inside(self, selection: Selection) -> Sequence[str | None] | None:
        return self.slice_of(selection.slice).values if selection.slice else None

    def _cell(self, selection: Selection) -> list[bool] | None:
        """Which rows lie in a cell of a confusion table, or in one of its lines or columns."""
        if not selection.field:
            return None
        labels = self.labels(selection.field)
        return [
            _place(field_labels(sample["reference"], selection.field), labels, None) is not None
            and selection.wanted
            in (None, _place(field_labels(sample["reference"], selection.field), labels, None))
            and selection.given in (None, _place(self._given(sample, selection), labels, len(labels)))
            for sample in self.samples
        ]

    @staticmethod
    def _given(sample: Sample, selection: Selection) -> str | None:
        return field_labels(sample[f"{selection.side}_answer"] or "", selection.field)

    def _look(self, sample: Sample, measure: Measure) -> LookedAt:
        scores: dict[str, float | None] = {side: value(sample, measure, side) for side in SIDES}
        return LookedAt(
            sample,
            outcome(sample, measure),
            scores,
            {side: self._errors(sample, side, is_right(scores[side], measure)) for side in SIDES},
        )

    def _errors(self, sample: Sample, side: Side, right: bool | None) -> tuple[str, ...]:
        if not self.answered or sample.get(f"{side}_answer") is None:
            return ()
        answered = Answered(
            text=sample[f"{side}_answer"],
            reference=sample["reference"],
            cut=bool(sample.get(f"{side}_cut")),
            refuses=bool(sample.get(f"{side}_refuses")),
            language=sample.get(f"{side}_language") or "",
            reference_language=sample.get("reference_language") or "",
            wrong=right is False,
        )
        return kinds.errors_of(answered, self.fields)


def _place(label: str | None, labels: Sequence[str], otherwise: int | None) -> int | None:
    return labels.index(label) if label in labels else otherwise
