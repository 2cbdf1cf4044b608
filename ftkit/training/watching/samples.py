"""Sample answers of a run by prompt, and why there are none.

Takes the lines of ``samples.jsonl`` as the worker wrote them, gives them for a page. It reads no file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Nothing = Literal["off", "earlier", "no_validation", "left_out", "not_yet", "ended"]


@dataclass(frozen=True)
class Answered:
    """What the model said after a step; 0 is before the first one. ``cut``: it had not finished at the longest length."""

    step: int
    answer: str
    cut: bool


@dataclass(frozen=True)
class Sample:
    """One prompt with all its answers, the newest first.

    ``row`` counts from 1 in the validation part. ``beginning``: the prompt is the first third of a plain text, the reference
    the rest. ``bad``: the data marks the reference as an answer to avoid.
    """

    row: int
    prompt: str
    reference: str
    beginning: bool
    bad: bool
    answers: tuple[Answered, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {**vars(self), "answers": [vars(one) for one in self.answers]}


@dataclass(frozen=True)
class Samples:
    """All prompts in the order of their rows; where there are none, why."""

    prompts: tuple[Sample, ...]
    nothing: Nothing | None = None


def gather(lines: Sequence[Mapping[str, Any]]) -> tuple[Sample, ...]:
    """Lines by prompt; of two for one step, which a killed worker can leave, the newer one counts."""
    newest = {(line["row"], line["step"]): line for line in lines}
    rows = sorted({row for row, _ in newest})
    return tuple(_sample(row, [newest[key] for key in sorted(newest) if key[0] == row]) for row in rows)


def why_nothing(
    options: Mapping[str, Any], validation_rows: int, curves: Sequence[Any], ended: bool
) -> Nothing:
    """Why a run has no sample answers.

    Args:
        options: of the run, by name.
        validation_rows: of its split.
        curves: its measurements.
        ended: the run.
    """
    if "sample_prompts" not in options:
        return "earlier"
    if not options["sample_prompts"]:
        return "off"
    if not validation_rows:
        return "no_validation"
    # The first answers come before the first step: a curve without any answers has no validation.
    if curves:
        return "left_out"
    return "ended" if ended else "not_yet"


def _sample(row: int, lines: Sequence[Mapping[str, Any]]) -> Sample:
    newest = lines[-1]
    return Sample(
        row=row,
        prompt=newest["prompt"],
        reference=newest["reference"],
        beginning=newest["beginning"],
        bad=newest["bad"],
        answers=tuple(Answered(line["step"], line["answer"], line["cut"]) for line in reversed(lines)),
    )
