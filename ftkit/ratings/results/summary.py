"""The results of a study: all that its ratings say, as one JSON-able dict.

Takes ratings and what was asked, gives the dict. Its keys:

* ``protocol``, ``criteria``, ``points``, ``sides`` (names);
* ``ratings``, ``prompts``, ``items``, ``raters`` that count; ``open_items``: of these items, those with fewer ratings than wanted;
* ``headline``: {"kind": "pair", …a pair with its leader first} | {"kind": "ranking", …a line of it} | {"kind": "mean" | "passed",
  …a line of ``marks``} | {"kind": "none"};
* ``pairs``: {first, second, first_wins, second_wins, ties, both_bad, value, low, high, ratings, prompts, more, verdict}, where value is
  the share that first wins, ties half, and verdict is "first", "second", "undecided" (``more`` ratings until an even chance to
  know), "close" (not decidable), "early" (too few ratings to tell even that) or "few" (one prompt);
* ``rankings``: a list of ``Strength`` for each group of sides that comparisons connect; ``unranked``: sides that nobody compared;
* ``marks``: {side, criterion, value, low, high, ratings, prompts}: mean points, mean ranks, or shares passed;
  ``mark_differences``: {first, second, criterion, …}: second minus first, paired by prompt;
* ``agreement``: {question, level, …``Accord``}; ``position``: ``Position`` or None; ``rater_checks``: ``RaterCheck`` and ``left_out``;
* ``slices``: {label: {value: {ratings, prompts, pairs, marks}}}, ``slices_more``: {label: values that are not shown};
* ``left_out``: ratings by reason.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from ftkit.ratings.results.rated import Rated
from ftkit.ratings.results.selecting import Asked, ResultOptions, below, select
from ftkit.ratings.statistics.agreement import Said, accord
from ftkit.ratings.statistics.checks import check_raters, position_of
from ftkit.ratings.statistics.intervals import Share, mean_of, share_of
from ftkit.ratings.statistics.reading import (
    Comparison,
    Mark,
    cluster_of,
    comparisons,
    is_complete,
    marks,
)
from ftkit.ratings.statistics.strengths import rankings

SLICE_VALUES = 20
_HALF = 0.5
_ENOUGH = 20  # ratings; of fewer it is not said that more would hardly decide


def summarise(
    ratings: Sequence[Rated],
    asked: Asked,
    revoked: Collection[str] = (),
    words: Mapping[str, int] | None = None,
    options: ResultOptions | None = None,
) -> dict[str, Any]:
    """Everything.

    Args:
        ratings: all of the study, gold items too.
        asked: what it asks.
        revoked: ids of raters whose invite was revoked.
        words: how many stand on the page of each item.
        options: who and what is left out.
    """
    options = options or ResultOptions()
    chosen = select(ratings, asked, revoked, options)
    used = chosen.used
    compared = comparisons(used, asked.protocol, asked.criteria)
    marked = marks(used, asked.protocol, asked.criteria)
    pairs, groups, means = (
        pairs_of(compared, asked.sides),
        rankings(compared, asked.sides),
        marks_of(marked, asked),
    )
    ranked = {line.side for group in groups for line in group}
    per_item = Counter(rated.item for rated in used)
    slices, more = _slices(used, asked)
    return {
        "protocol": asked.protocol,
        "criteria": list(asked.criteria) if asked.protocol == "scales" else [],
        "points": asked.points,
        "sides": list(asked.sides),
        "ratings": len(used),
        "prompts": len({cluster_of(rated) for rated in used}),
        "items": len(per_item),
        "open_items": sum(count < asked.overlap for count in per_item.values()),
        "raters": len({rated.rater for rated in used}),
        "headline": _headline(pairs, [[line.as_dict() for line in group] for group in groups], means, asked),
        "pairs": pairs,
        "rankings": [[line.as_dict() for line in group] for group in groups],
        "unranked": [side for side in asked.sides if side not in ranked],
        "marks": means,
        "mark_differences": list(_differences(marked, asked)),
        "agreement": list(_agreement(used, compared, asked)),
        "position": _position(used, asked),
        "rater_checks": _checks(ratings, asked, revoked, words or {}, options),
        "slices": slices,
        "slices_more": more,
        "left_out": chosen.left_out,
    }


def pairs_of(found: Sequence[Comparison], sides: Sequence[str]) -> list[dict[str, Any]]:
    """How often each side wins against each other one that it was compared with."""
    by_pair: dict[frozenset[str], list[Comparison]] = defaultdict(list)
    for one in found:
        by_pair[frozenset((one.first, one.second))].append(one)
    return [
        _pair(first, second, by_pair[both])
        for first, second in combinations(sides, 2)
        if (both := frozenset((first, second))) in by_pair
    ]


def marks_of(found: Sequence[Mark], asked: Asked) -> list[dict[str, Any]]:
    """Mean points or ranks, or the share passed, of each side and criterion."""
    lines = []
    for (side, criterion), some in _grouped(found, asked).items():
        values, clusters = [one.value for one in some], [one.cluster for one in some]
        if asked.protocol == "pass_fail":
            share = share_of(values, clusters)
            estimate = share.estimate if share else None
        else:
            estimate = mean_of(values, clusters)
        if estimate:
            lines.append({"side": side, "criterion": criterion, **estimate.as_dict()})
    return lines


def majority(found: Sequence[Rated], asked: Asked, base: str, tuned: str) -> dict[int, str]:
    """Whom most raters prefer on each row of the data: ``base``, ``tuned`` or ``tie``, as the judge says it."""
    worth: dict[int, list[float]] = defaultdict(list)
    for rated in found:
        for one in comparisons([rated], asked.protocol, asked.criteria):
            if rated.row is not None and {one.first, one.second} == {base, tuned}:
                worth[rated.row].append(one.worth if one.first == tuned else 1 - one.worth)
    means = {row: sum(values) / len(values) for row, values in worth.items()}
    return {
        row: "tie" if mean == _HALF else "tuned" if mean > _HALF else "base" for row, mean in means.items()
    }


def _pair(first: str, second: str, found: Sequence[Comparison]) -> dict[str, Any]:
    count = Counter(one.better for one in found)
    share = share_of(
        [one.worth if one.first == first else 1 - one.worth for one in found], [one.cluster for one in found]
    )
    assert share is not None  # noqa: S101 - a pair has comparisons
    return {
        "first": first,
        "second": second,
        "first_wins": count[first],
        "second_wins": count[second],
        "ties": count["tie"],
        "both_bad": count["both_bad"],
        **share.estimate.as_dict(),
        "more": share.more,
        "verdict": _verdict(share),
    }


def _verdict(share: Share) -> str:
    if share.estimate.low is None or share.estimate.high is None:
        return "few"
    if share.estimate.low > _HALF:
        return "first"
    if share.estimate.high < _HALF:
        return "second"
    if share.more is not None:
        return "undecided"
    return "close" if share.estimate.ratings >= _ENOUGH else "early"


def _headline(
    pairs: Sequence[Mapping[str, Any]],
    groups: Sequence[Sequence[Mapping[str, Any]]],
    means: Sequence[Mapping[str, Any]],
    asked: Asked,
) -> dict[str, Any]:
    if groups:
        best, other = groups[0][0]["side"], groups[0][1]["side"]
        pair = next((one for one in pairs if {one["first"], one["second"]} == {best, other}), None)
        if pair is None:
            return {"kind": "ranking", **groups[0][0]}
        leads = pair["first"] if pair["value"] >= _HALF else pair["second"]
        return {"kind": "pair", **(pair if leads == pair["first"] else turned(pair))}
    if means:
        return {"kind": "passed" if asked.protocol == "pass_fail" else "mean", **means[0]}
    return {"kind": "none"}


def turned(pair: Mapping[str, Any]) -> dict[str, Any]:
    """The same pair from the other side."""
    other = {"first": "second", "second": "first"}
    ends = {"low": pair["high"], "high": pair["low"]}
    return {
        **pair,
        "first": pair["second"],
        "second": pair["first"],
        "first_wins": pair["second_wins"],
        "second_wins": pair["first_wins"],
        "value": 1 - pair["value"],
        **{end: None if value is None else 1 - value for end, value in ends.items()},
        "verdict": other.get(pair["verdict"], pair["verdict"]),
    }


def _grouped(found: Sequence[Mark], asked: Asked) -> dict[tuple[str, str], list[Mark]]:
    groups: dict[tuple[str, str], list[Mark]] = defaultdict(list)
    for one in found:
        groups[one.side, one.criterion].append(one)
    criteria = asked.criteria if asked.protocol == "scales" else ("",)
    return {
        key: groups[key]
        for criterion in criteria
        for side in asked.sides
        if (key := (side, criterion)) in groups
    }


def _differences(found: Sequence[Mark], asked: Asked) -> Iterator[dict[str, Any]]:
    """Second minus first on the prompts that both answer, from each prompt's means."""
    groups = _grouped(found, asked)
    for criterion in dict.fromkeys(key[1] for key in groups):
        for first, second in combinations(asked.sides, 2):
            sides = [_by_prompt(groups.get((side, criterion), ())) for side in (first, second)]
            both = [prompt for prompt in sides[0] if prompt in sides[1]]
            estimate = mean_of([sides[1][prompt] - sides[0][prompt] for prompt in both], both)
            if estimate:
                yield {"first": first, "second": second, "criterion": criterion, **estimate.as_dict()}


def _by_prompt(found: Sequence[Mark]) -> dict[str, float]:
    values: dict[str, list[float]] = defaultdict(list)
    for one in found:
        values[one.cluster].append(one.value)
    return {prompt: sum(some) / len(some) for prompt, some in values.items()}


def _agreement(used: Sequence[Rated], found: Sequence[Comparison], asked: Asked) -> Iterator[dict[str, Any]]:
    """Whom raters prefer (in words), and what they say of each answer."""
    if found:
        said = [Said(f"{one.cluster} {one.first} {one.second}", one.rater, one.better) for one in found]
        yield {"question": "preferred", "level": "nominal", **accord(said, "nominal").as_dict()}
    level, questions = "nominal" if asked.protocol == "pass_fail" else "ordinal", defaultdict(list)
    for rated in used:
        for one in marks([rated], asked.protocol, asked.criteria):
            questions[one.criterion].append(Said(f"{rated.item} {one.side}", rated.rater, one.value))
    names = {"pass_fail": "passed", "ranking": "ranks"}
    for criterion, said in questions.items():
        question = names.get(asked.protocol, criterion)
        yield {"question": question, "level": level, **accord(said, level).as_dict()}  # type: ignore[arg-type]


def _position(used: Sequence[Rated], asked: Asked) -> dict[str, Any] | None:
    found = position_of(used, asked.protocol, asked.criteria)
    return found.as_dict() if found else None


def _checks(
    ratings: Sequence[Rated],
    asked: Asked,
    revoked: Collection[str],
    words: Mapping[str, int],
    options: ResultOptions,
) -> list[dict[str, Any]]:
    complete = [one for one in ratings if is_complete(one, asked.protocol, asked.criteria)]
    low = below(ratings, asked, options.least_gold)
    out = {
        **dict.fromkeys(low, "low_gold"),
        **(dict.fromkeys(revoked, "revoked") if options.without_revoked else {}),
    }
    found = check_raters(complete, asked.protocol, asked.criteria, words)
    return [{**found[rater].as_dict(), "left_out": out.get(rater)} for rater in found]


def _slices(used: Sequence[Rated], asked: Asked) -> tuple[dict[str, Any], dict[str, int]]:
    """The same results for each value of each label, the most frequent ones."""
    groups: dict[str, dict[str, list[Rated]]] = defaultdict(lambda: defaultdict(list))
    for rated in used:
        for label, value in rated.slices.items():
            groups[label][value].append(rated)
    shown, more = {}, {}
    for label, values in groups.items():
        frequent = sorted(values, key=lambda one: (-len(values[one]), one))
        shown[label] = {value: _slice(values[value], asked) for value in frequent[:SLICE_VALUES]}
        if len(frequent) > SLICE_VALUES:
            more[label] = len(frequent) - SLICE_VALUES
    return shown, more


def _slice(some: Sequence[Rated], asked: Asked) -> dict[str, Any]:
    return {
        "ratings": len(some),
        "prompts": len({cluster_of(rated) for rated in some}),
        "pairs": pairs_of(comparisons(some, asked.protocol, asked.criteria), asked.sides),
        "marks": marks_of(marks(some, asked.protocol, asked.criteria), asked),
    }
