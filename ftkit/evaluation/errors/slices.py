"""Slices: the rows of an evaluation by length, label, language, topic or a column, and how base and tuned do on each.

Takes samples and a measure, gives dimensions, and numbers per slice with what they say. It chooses no rows to show.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ftkit.evaluation.errors.measures import PERPLEXITY, Measure, is_right, value
from ftkit.evaluation.measuring.scores import Field, field_labels, json_object, label_names, normalise

Sample = Mapping[str, Any]
Kind = Literal["prompt_length", "reference_length", "label", "reference", "language", "topic", "column"]

FEWEST = 10  # rows of a slice from which on it says something
SIGNIFICANT = 0.05
_MOST_VALUES = 20
_SHORT = 30  # characters on average, up to which references are labels
_COLUMN = "column_"
_ALIKE = 1e-9  # changes that differ by less are all alike: there is no spread to judge by


class Dimension(NamedTuple):
    """One way to cut the rows: ``values`` has the slice of each row, None where it belongs to none.

    ``bounds`` are the shortest and the longest length in words of each slice, for lengths only.
    """

    key: str
    kind: Kind
    name: str
    values: tuple[str | None, ...]
    bounds: Mapping[str, tuple[int, int]]


class Slice(NamedTuple):
    """How both models do on the rows of a slice; ``difference`` is tuned minus base, with its 95 % interval.

    ``says``: few (too few rows to say), worse (than the base model), weak (the tuned model does worse here than on the
    other rows), better, or nothing. Both marks hold for all slices together.
    """

    dimension: Dimension
    value: str
    rows: int
    base: float
    tuned: float
    difference: float
    low: float | None
    high: float | None
    says: Literal["few", "worse", "weak", "better", "nothing"]


def dimensions(samples: Sequence[Sample], fields: Sequence[Field]) -> list[Dimension]:
    """The ways in which these rows can be cut into at least two slices."""
    found = [_length("prompt_length", samples, "prompt"), _length("reference_length", samples, "reference")]
    for field in fields:
        if field.kind == "category":
            shown = dict(zip(field.labels, label_names(field.labels), strict=True))
            labels = (field_labels(sample["reference"], field.name) for sample in samples)
            found.append(_dimension("label", field.name, [shown.get(one or "") for one in labels]))
    if not fields:
        found.append(_references(samples))
    found += [_known(kind, samples) for kind in ("language", "topic")]
    for key in samples[0]:
        if key.startswith(_COLUMN):
            name = key.removeprefix(_COLUMN)
            found.append(_dimension("column", name, [sample[key] for sample in samples]))
    return [one for one in found if one is not None and len(set(one.values) - {None}) > 1]


def measured(samples: Sequence[Sample], cuts: Sequence[Dimension], measure: Measure) -> list[Slice]:
    """Every slice of every dimension, in the order of the dimensions, long before short ones.

    Whether a slice differs from chance is decided over all slices together (Benjamini and Hochberg 1995, on the p values
    of both questions: worse than base, worse than the other rows).
    """
    drafts = []
    scores = [tuple(value(sample, measure, side) for side in ("base", "tuned")) for sample in samples]
    for cut in cuts:
        for name in _ordered(cut):
            inside = [
                pair for pair, one in zip(scores, cut.values, strict=True) if one == name and None not in pair
            ]
            rest = [
                pair for pair, one in zip(scores, cut.values, strict=True) if one != name and None not in pair
            ]
            if inside:
                drafts.append(_draft(cut, name, inside, rest, measure))
    p_values = [p for draft in drafts for p in draft.p]
    adjusted = _adjusted(p_values)
    found = []
    for place, draft in enumerate(drafts):
        of_base, of_rest = adjusted[2 * place], adjusted[2 * place + 1]
        found.append(draft.slice._replace(says=_says(draft.slice, of_base, of_rest, measure)))
    return found


def compared(slices: Sequence[Slice]) -> int:
    """How many slices have enough rows to be compared."""
    return sum(one.says != "few" for one in slices)


class _Draft(NamedTuple):
    slice: Slice
    p: tuple[float | None, float | None]


def _draft(
    cut: Dimension,
    name: str,
    inside: Sequence[Sequence[float | None]],
    rest: Sequence[Sequence[float | None]],
    measure: Measure,
) -> _Draft:
    import numpy as np  # noqa: PLC0415 - not when the dashboard starts

    pairs, others = np.array(inside, dtype=float), np.array(rest, dtype=float).reshape(-1, 2)
    base, tuned = pairs[:, 0], pairs[:, 1]
    few = len(pairs) < FEWEST
    low, high, p = (None, None, None) if few else _change(base, tuned, measure)
    made = Slice(
        cut, name, len(pairs), _mean(base, measure), _mean(tuned, measure),
        _mean(tuned, measure) - _mean(base, measure), low, high, "few" if few else "nothing",
    )  # fmt: skip
    lag = None if few or len(others) < FEWEST else _lag(tuned, others[:, 1], measure)
    return _Draft(made, (p, lag))


def _mean(scores: Any, measure: Measure) -> float:
    """The perplexity of rows is averaged as its logarithm, so that one row cannot outweigh all others."""
    import numpy as np  # noqa: PLC0415 - as above

    return float(np.exp(np.log(scores).mean()) if measure.name == PERPLEXITY else scores.mean())


def _change(base: Any, tuned: Any, measure: Measure) -> tuple[float | None, float | None, float | None]:
    """Interval and p of the paired difference: Newcombe's and McNemar's for right or wrong, Student's for graded scores.

    Perplexities are compared as logarithms, and the interval is told around the mean of the base model.
    """
    import numpy as np  # noqa: PLC0415 - as above
    from scipy.stats import ttest_rel  # noqa: PLC0415 - as above

    from ftkit.evaluation.measuring.certainty import accuracy_difference  # noqa: PLC0415 - as above

    if measure.binary:
        found = accuracy_difference(base, tuned)
        return found.low, found.high, found.p
    logs = measure.name == PERPLEXITY
    first, second = (np.log(base), np.log(tuned)) if logs else (base, tuned)
    if np.ptp(second - first) < _ALIKE:
        return None, None, None
    test = ttest_rel(second, first)
    low, high = test.confidence_interval(0.95)
    if logs:
        low, high = (float(np.exp(first.mean()) * np.expm1(bound)) for bound in (low, high))
    return float(low), float(high), float(test.pvalue)


def _lag(tuned: Any, rest: Any, measure: Measure) -> float:
    """How often chance alone would make the tuned model do this much worse here than on the other rows.

    Fisher's exact test for right or wrong, Mann and Whitney's for graded scores, both one-sided.
    """
    from scipy.stats import fisher_exact, mannwhitneyu  # noqa: PLC0415 - as above

    if not measure.binary:
        side = "greater" if measure.lower else "less"
        return float(mannwhitneyu(tuned, rest, alternative=side).pvalue)
    here, there = (
        [sum(bool(is_right(score, measure)) for score in scores), len(scores)] for scores in (tuned, rest)
    )
    table = [[here[0], here[1] - here[0]], [there[0], there[1] - there[0]]]
    return float(fisher_exact(table, alternative="less").pvalue)


def _adjusted(p_values: Sequence[float | None]) -> list[float | None]:
    from scipy.stats import false_discovery_control  # noqa: PLC0415 - as above

    known = [p for p in p_values if p is not None and math.isfinite(p)]
    corrected = iter(false_discovery_control(known)) if known else iter(())
    return [float(next(corrected)) if p is not None and math.isfinite(p) else None for p in p_values]


def _says(
    one: Slice, of_base: float | None, of_rest: float | None, measure: Measure
) -> Literal["few", "worse", "weak", "better", "nothing"]:
    if one.says == "few":
        return "few"
    changed = of_base is not None and of_base < SIGNIFICANT
    gained = (one.difference < 0) if measure.lower else (one.difference > 0)
    if changed and not gained:
        return "worse"
    if of_rest is not None and of_rest < SIGNIFICANT:
        return "weak"
    return "better" if changed else "nothing"


def _ordered(cut: Dimension) -> list[str]:
    counted = Counter(one for one in cut.values if one is not None)
    if cut.bounds:
        return sorted(counted)
    return sorted(counted, key=lambda name: (-counted[name], name))


def _length(kind: Kind, samples: Sequence[Sample], column: str) -> Dimension | None:
    """Four slices of about as many rows each; rows of the same length stay together."""
    lengths = [len(str(sample[column] or "").split()) for sample in samples]
    ranked = sorted(lengths)
    edges = sorted({ranked[len(ranked) * quarter // 4] for quarter in (1, 2, 3)} - {ranked[0]})
    places = [sum(length >= edge for edge in edges) for length in lengths]
    values = tuple(str(place + 1) for place in places)
    bounds = {
        str(place + 1): (
            min(n for n, at in zip(lengths, places, strict=True) if at == place),
            max(n for n, at in zip(lengths, places, strict=True) if at == place),
        )
        for place in sorted(set(places))
    }
    return Dimension(kind, kind, "", values, bounds)


def _references(samples: Sequence[Sample]) -> Dimension | None:
    """Short references that come again and again are labels."""
    told = [normalise(sample["reference"]) for sample in samples]
    if any(json_object(one) is not None for one in told):
        return None
    kinds = set(told)
    short = sum(map(len, told)) <= _SHORT * len(told)
    return _dimension("reference", "", told) if short and 2 * len(kinds) <= len(told) else None


def _known(kind: Kind, samples: Sequence[Sample]) -> Dimension | None:
    if kind not in samples[0]:
        return None
    return _dimension(kind, "", [sample[kind] or None for sample in samples])


def _dimension(kind: Kind, name: str, values: Sequence[str | None]) -> Dimension | None:
    if len(set(values) - {None}) > _MOST_VALUES:
        return None
    return Dimension(f"{kind}:{name}" if name else kind, kind, name, tuple(values), {})
