"""The measures that rows can be ordered by, and what a row is by one of them: better, worse, right or wrong on both sides.

Takes the samples of an evaluation, gives measures, values and outcomes. It averages nothing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

Sample = Mapping[str, Any]
Outcome = Literal["regression", "improvement", "both_wrong", "both_right", "alike"]
OUTCOMES: tuple[Outcome, ...] = ("regression", "improvement", "both_wrong", "both_right", "alike")

PERPLEXITY = "perplexity"
_LOWER = frozenset({PERPLEXITY, "refusal_rate"})
# What a row has beside scores, and scores of which neither end is the better one.
_NO_SCORE = frozenset({"answer", "nll", "tokens", "cut", "language", "refuses"})
_NEUTRAL = frozenset({"length", "distinct_1", "distinct_2"})
_GRADED = ("token_f1", "bleu", "chrf", "rouge1", "rouge2", "rougeL")
_STEP = 0.1  # share of the scale from which on a graded score has changed
_HALF = 0.5  # share of the scale from which on a graded answer counts as good
_TIMES = 1.1  # a perplexity that is this many times another has changed


class Measure(NamedTuple):
    """A score that every row has for both sides.

    ``binary`` ones are 0 or 1; others go from 0 to ``scale``, but for the perplexity, which has no upper end.
    """

    name: str
    binary: bool
    lower: bool = False
    scale: float = 1.0


def measures(samples: Sequence[Sample]) -> list[Measure]:
    """The measures of these rows, the one to begin with first."""
    names = [
        key.removeprefix("tuned_")
        for key in samples[0]
        if key.startswith("tuned_") and f"base_{key.removeprefix('tuned_')}" in samples[0]
    ]
    found = [_measure(name, samples) for name in names if name not in _NO_SCORE | _NEUTRAL | {PERPLEXITY}]
    known = [one for one in found if one is not None]
    return [*sorted(known, key=lambda one: _rank(one, samples)), Measure(PERPLEXITY, False, lower=True)]


def value(sample: Sample, measure: Measure, side: str) -> float | None:
    """What one side scores on a row; None where the row cannot be measured by it."""
    if measure.name == PERPLEXITY:
        nll, tokens = sample.get(f"{side}_nll"), sample.get("scored_tokens")
        return None if nll is None or not tokens else math.exp(min(nll / tokens, 700.0))
    found = sample.get(f"{side}_{measure.name}")
    return None if found is None else float(found)


def is_right(score: float | None, measure: Measure) -> bool | None:
    """Whether a score counts as right; None where the measure does not say."""
    if score is None or measure.name == PERPLEXITY:
        return None
    share = score / measure.scale
    return (share < _HALF) if measure.lower else (share >= (1.0 if measure.binary else _HALF))


def outcome(sample: Sample, measure: Measure) -> Outcome | None:
    """What tuning did to a row; None where it is not measured.

    A right-or-wrong measure: regression is base right and tuned wrong. A graded one: the score fell by a tenth of the scale,
    or the perplexity rose by a tenth.
    """
    base, tuned = value(sample, measure, "base"), value(sample, measure, "tuned")
    if base is None or tuned is None:
        return None
    if measure.name == PERPLEXITY:
        return "regression" if tuned > base * _TIMES else "improvement" if tuned * _TIMES < base else "alike"
    gain = (base - tuned if measure.lower else tuned - base) / measure.scale
    step = 1.0 if measure.binary else _STEP
    if abs(gain) >= step - 1e-9:
        return "improvement" if gain > 0 else "regression"
    return "both_right" if is_right(tuned, measure) else "both_wrong"


def badness(sample: Sample, measure: Measure, side: str = "tuned") -> float:
    """By how much a row is to be shown before others: the worst first, rows without a score last."""
    found = value(sample, measure, side)
    if found is None:
        return -math.inf
    return found if measure.lower else -found


def loss(sample: Sample, measure: Measure) -> float:
    """How much worse the tuned model is than the base model on a row; rows without a score last."""
    tuned, base = badness(sample, measure), badness(sample, measure, "base")
    return -math.inf if -math.inf in (tuned, base) else tuned - base


def _measure(name: str, samples: Sequence[Sample]) -> Measure | None:
    values = [sample.get(f"{side}_{name}") for sample in samples for side in ("base", "tuned")]
    known = [one for one in values if one is not None]
    if not known or not all(isinstance(one, bool | int | float) for one in known):
        return None
    binary = not name.endswith(_GRADED) and all(one in (0, 1) for one in known)
    return Measure(name, binary, name in _LOWER, 100.0 if max(known) > 1 else 1.0)


def _rank(measure: Measure, samples: Sequence[Sample]) -> int:
    """Fields of a JSON answer come first, then whole answers where any is right, then graded scores."""
    if measure.name.endswith("_accuracy") or measure.name == "accuracy":
        return 0
    if measure.name == "exact_match":
        hits = any(sample.get(f"{side}_exact_match") for sample in samples for side in ("base", "tuned"))
        return 1 if hits else 3
    return 2 if measure.name.endswith("token_f1") else 4
