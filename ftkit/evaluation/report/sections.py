"""Sections of the report beside the metrics: what was forgotten, what a name changes, known failures, people, health, energy.

Takes parts of ``report.json`` and facts of other rooms, gives lines in the reader's language. It escapes nothing: the template does.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from ftkit.evaluation.errors.analysis import Analysis
from ftkit.evaluation.report.charts import interval_bar
from ftkit.evaluation.report.energy import GRAMS_PER_KILOWATT_HOUR, WATTS_PER_CARD, WATTS_PER_CORE, Energy
from ftkit.evaluation.report.metrics import gap, interval
from ftkit.words import Words

LOST_SHOWN = 8
_HALF = 0.5
_KINDS = ("gender", "origin", "same")
_TONES = {"fell": "worse", "rose": "better", "held": "unclear", "differs": "worse", "alike": "same"}


class SkillLine(NamedTuple):
    """One skill of the forgetting check, or all of them."""

    name: str
    questions: str
    base: str
    tuned: str
    difference: str
    interval: str
    verdict: str
    tone: str


class NameLine(NamedTuple):
    """One kind of pair of the bias probe."""

    name: str
    changed: str
    quality: str
    interval: str
    verdict: str
    tone: str
    example: Mapping[str, Any] | None


class FailureLine(NamedTuple):
    """A kind of error: its name, and rows of each side; a dash where no answer could show it."""

    name: str
    base: str
    tuned: str


class HealthFacts(NamedTuple):
    """What the newest check of the dataset found: rows that it looked at, and ``(severity, sentence)`` each."""

    rows: int
    usable: int
    findings: Sequence[tuple[str, str]]


class PeopleLine(NamedTuple):
    """One model of the ranking by people: its rank, its chance to beat an average one with the interval, and ratings."""

    rank: str
    name: str
    chance: float
    low: float | None
    high: float | None
    told: str
    interval: str
    ratings: str

    @property
    def bar(self) -> Markup:
        """The interval drawn; its middle is one half."""
        low, high = (None if end is None else end - _HALF for end in (self.low, self.high))
        return interval_bar(self.chance - _HALF, low, high, _HALF)


class PeopleFacts(NamedTuple):
    """What people said who did not know whose answers they rated, in the reader's language; ``ended`` when all have."""

    name: str
    ended: bool
    raters: int
    headline: str
    ranking: Sequence[PeopleLine]
    agreement: Sequence[tuple[str, str]]
    position: str
    left_out: Sequence[str]


def forgotten(measured: Mapping[str, Any] | None, told: Words) -> list[SkillLine]:
    """The forgetting check, all questions first; nothing where it was not made."""
    general = (measured or {}).get("general")
    if not general:
        return []
    parts = {"overall": general["overall"], **general["skills"]}
    return [_skill(name, part, told) for name, part in parts.items()]


def _skill(name: str, part: Mapping[str, Any], told: Words) -> SkillLine:
    low, high = part["difference"]["low"], part["difference"]["high"]
    risk = told.number(max(0.0, -100 * (low or 0.0)), 0)
    return SkillLine(
        name=told.say(f"skill.{name}"),
        questions=told.number(part["questions"]),
        base=told.percent(part["base"], 0),
        tuned=told.percent(part["tuned"], 0),
        difference=gap(part["difference"]["value"], "share", told, unit=True),
        interval=interval(low, high, "share", told),
        verdict=told.say(f"forgotten.{part['verdict']}", risk=risk),
        tone=_TONES[part["verdict"]],
    )


def lost(measured: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Questions that base got right and tuned did not, the first ones."""
    general = (measured or {}).get("general") or {}
    return list(general.get("lost", ()))[:LOST_SHOWN]


def names(measured: Mapping[str, Any] | None, told: Words) -> list[NameLine]:
    """The bias probe of the tuned model, a line for each kind of pair; nothing where it was not made."""
    bias = ((measured or {}).get("bias") or {}).get("tuned")
    if not bias:
        return []
    return [_names_line(kind, bias["kinds"][kind], told) for kind in _KINDS]


def _names_line(kind: str, part: Mapping[str, Any], told: Words) -> NameLine:
    quality = part["quality"]
    return NameLine(
        name=told.say(f"names.{kind}"),
        changed=told.say(
            "names.changed", changed=told.number(part["changed"]), pairs=told.number(part["pairs"])
        ),
        quality=gap(quality["value"], "share", told, unit=True),
        interval=interval(quality["low"], quality["high"], "share", told),
        verdict="" if kind == "same" else told.say(f"names.{part['verdict']}"),
        tone=_TONES[part["verdict"]],
        example=part["example"],
    )


def failures(samples: Sequence[Mapping[str, Any]], told: Words) -> list[FailureLine]:
    """Kinds of errors counted for both models, the tuned model's most frequent first."""
    if not samples or samples[0].get("tuned_answer") is None:
        return []
    found = Analysis(samples)
    counted = found.errors(found.measures[0])
    frequent = sorted(counted.items(), key=lambda one: -(one[1]["tuned"] or 0))
    return [
        FailureLine(error_name(kind, told), *(_counted(counts[side], told) for side in ("base", "tuned")))
        for kind, counts in frequent
    ]


def _counted(count: int | None, told: Words) -> str:
    return "–" if count is None else told.number(count)


def error_name(error: str, told: Words) -> str:
    """A kind of error, with its field where it has one."""
    kind, _, field = error.partition(":")
    return told.say(f"error.{kind}", field=field)


def energy_lines(energy: Energy | None, training: Mapping[str, Any], told: Words) -> list[str]:
    """What the training cost in time and energy, and what the estimate rests on."""
    if energy is None:
        return []
    digits = 4 if energy.kilowatt_hours < 0.01 else 2  # noqa: PLR2004 - a small one would read as nothing
    cards = training.get("cards") or 0
    parts = [
        told.say("energy.cores", cores=told.number(training["cores"]), watts=told.number(WATTS_PER_CORE))
    ]
    if cards:
        parts.append(told.say("energy.cards", cards=told.number(cards), watts=told.number(WATTS_PER_CARD)))
    return [
        told.say(
            "energy.used",
            energy=told.number(energy.kilowatt_hours, digits),
            time=told.duration(training["train_seconds"]),
            grams=told.number(energy.grams, 1),
        ),
        told.say(
            "energy.how",
            parts=" + ".join(parts),
            watts=told.number(energy.watts),
            grams=told.number(GRAMS_PER_KILOWATT_HOUR),
        ),
    ]
