"""What a drift check found: one finding for each thing that was compared, and which of them count as drift together.

Takes findings with the p values of their tests, gives the report of the check as plain values. It compares nothing itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from ftkit.records import Record

Kind = Literal["language", "personal_data", "length", "topic", "vocabulary", "wording", "distance", "quality"]
Outcome = Literal["checking", "steady", "drift", "too_few", "failed"]
# A finding of an earlier kind usually explains those of later ones: another language has other words, not the other way round.
CAUSES: tuple[Kind, ...] = (
    *("language", "personal_data", "topic", "length"),
    *("vocabulary", "wording", "distance", "quality"),
)


class Finding(Record):
    """One comparison of the window with the reference.

    Args:
        kind: what was compared.
        statistic: the figure that was tested.
        value: of it, or of what it is about, in the window.
        reference: the same for the training rows, or what a window drawn from them would show.
        p: how often a window of rows drawn at random from both would differ as much.
        least: smallest difference between value and reference that is worth a word, however certain.
        words: that tell the window apart: words, languages or kinds of personal data.
        values: more figures, for those who want to know.
        examples: ids of requests that show it best.
    """

    kind: Kind
    statistic: str
    value: float
    reference: float
    p: float = Field(ge=0, le=1)
    least: float = 0.0
    words: tuple[str, ...] = ()
    values: dict[str, Any] = Field(default_factory=dict)
    examples: tuple[str, ...] = ()

    @property
    def matters(self) -> bool:
        """Whether the difference is worth a word."""
        return abs(self.value - self.reference) >= self.least


def holm(p_values: Sequence[float], alpha: float) -> list[tuple[float, bool]]:
    """The threshold of each p value and whether it is below, so that any false one among them is as rare as ``alpha``.

    Holm, Scandinavian Journal of Statistics 6 (1979), 65-70: the smallest is held against alpha/m, the next against alpha/(m-1),
    and so on up to the first that is not below.
    """
    found = [(0.0, False)] * len(p_values)
    below = True
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        threshold = alpha / (len(p_values) - rank)
        below = below and p_values[place] <= threshold
        found[place] = (threshold, below)
    return found


def report_of(
    findings: Sequence[Finding], alpha: float, not_tested: Mapping[str, str], **counts: Any
) -> dict[str, Any]:
    """The report of a check.

    Args:
        findings: all that were tested.
        alpha: how often a check may raise a false alarm.
        not_tested: what could not be compared → why.
        **counts: how many rows there were.
    """
    decided = holm([one.p for one in findings], alpha)
    lines = [
        {
            **one.model_dump(mode="json"),
            "threshold": threshold,
            "drifted": below and one.matters,
            "follows": "",
        }
        for one, (threshold, below) in zip(findings, decided, strict=True)
    ]
    lines.sort(key=lambda line: (not line["drifted"], CAUSES.index(line["kind"]), line["p"]))
    drifted = [line for line in lines if line["drifted"]]
    return {
        "outcome": "drift" if drifted else "steady",
        "cause": drifted[0]["kind"] if drifted else "",
        "alpha": alpha,
        **counts,
        "not_tested": dict(not_tested),
        "findings": lines,
    }


def explained(report: Mapping[str, Any], follows: Mapping[str, str]) -> dict[str, Any]:
    """The report with what each finding follows from, and the cause that follows from no other."""
    lines = [{**line, "follows": follows.get(line["kind"], "")} for line in report["findings"]]
    lines.sort(key=lambda line: (not line["drifted"], bool(line["follows"])))
    return {**report, "cause": lines[0]["kind"], "findings": lines}


def too_few(reason: str, alpha: float, **counts: Any) -> dict[str, Any]:
    """The report of a check that had too little to compare; ``reason`` is ``window`` or ``reference``."""
    return {
        "outcome": "too_few",
        "cause": "",
        "reason": reason,
        "alpha": alpha,
        **counts,
        "not_tested": {},
        "findings": [],
    }
