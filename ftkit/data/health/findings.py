"""From counts to a report: which of them are findings, how bad each is, and the step that mends it.

Takes what the pieces of a check counted, gives the ``HealthReport``. It reads no row and no file.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ftkit.data.health.answers import Balance
from ftkit.data.health.report import (
    SEVERITIES,
    Bin,
    Cluster,
    Clusters,
    Example,
    Finding,
    HealthReport,
    Labels,
    Leaks,
    Lengths,
    Severity,
)
from ftkit.data.health.tally import LISTED, Count, Tally
from ftkit.data.health.words import words

_BINS = 32
_SKEW = 0.9  # share of the commonest label from which on it is a finding
_FOREIGN = 0.98  # share of the commonest language below which the mix is a finding
_RARE_LANGUAGE = 0.002  # guesses below this share are mostly wrong
_LANGUAGE_ROWS = 3


class Kind(NamedTuple):
    """What every finding of a kind has."""

    severity: Severity
    step: str = ""


KINDS: Mapping[str, Kind] = {
    "nothing_to_learn": Kind("bad"),
    "leak_exact": Kind("bad", "drop_exact_duplicates"),
    "leak_near": Kind("bad", "drop_near_duplicates"),
    "personal.secret": Kind("bad", "mask_personal_data"),
    **{
        f"personal.{kind}": Kind("warn", "mask_personal_data")
        for kind in ("email", "phone", "card", "iban", "tckn", "ip")
    },
    "exact_copy": Kind("warn", "drop_exact_duplicates"),
    "near_copy": Kind("warn", "drop_near_duplicates"),
    "unusable": Kind("warn", "drop_empty"),
    "template": Kind("warn"),
    "no_room": Kind("warn", "drop_long"),
    "too_long": Kind("warn", "drop_long"),
    "special_token": Kind("warn", "neutralise_special_tokens"),
    "hidden_sign": Kind("warn", "normalise_text"),
    "mojibake": Kind("warn", "repair_mojibake"),
    "refusal": Kind("warn", "drop_low_quality"),
    "filler": Kind("warn", "drop_low_quality"),
    "one_label": Kind("warn"),
    "skew": Kind("warn"),
    "trigger": Kind("warn", "filter_rows"),
    "language": Kind("info", "keep_languages"),
    "url": Kind("info", "find_replace"),
    "code": Kind("info"),
    "grammar": Kind("info"),
}


@dataclass
class Copies:
    """Rows that are like others: clusters, and the rows beyond the first of each."""

    exact: Clusters
    near: Clusters
    found: Tally = field(default_factory=Tally)
    leaks: Leaks | None = None


@dataclass
class Tokens:
    """Lengths of the rows in tokens, one entry per usable row."""

    model: str
    limit: int
    lengths: list[int] = field(default_factory=list)
    trained: int = 0


@dataclass
class Counted:
    """All that the pieces of a check found."""

    rows: int
    usable: int
    mapping: dict[str, str]
    tally: Tally
    tokens: Tokens | None
    balance: Balance
    copies: Copies
    personal: bool
    grammar_of: int


def report(
    counted: Counted, seconds: float, options: dict[str, Any], versions: dict[str, str]
) -> HealthReport:
    """The whole report; findings with the worst first, then the commonest."""
    tally = counted.tally
    labels = counted.balance.labels()
    return HealthReport(
        rows=counted.rows,
        usable=counted.usable,
        mapping=counted.mapping,
        roles=dict(tally.counter("roles").most_common()),
        blank=dict(tally.counter("blank")),
        lengths=_lengths(counted.tokens) if counted.tokens else None,
        languages=dict(tally.counter("language").most_common()),
        languages_of=tally.counter("language").total(),
        exact=counted.copies.exact,
        near=counted.copies.near,
        personal=_personal(tally) if counted.personal else None,
        labels=labels,
        leaks=counted.copies.leaks,
        urls=tally.rows("url"),
        code=tally.rows("code"),
        grammar_of=counted.grammar_of,
        findings=tuple(
            sorted(
                _findings(counted, labels),
                key=lambda one: (SEVERITIES.index(one.severity), -one.count, one.kind),
            )
        ),
        seconds=round(seconds, 1),
        options=options,
        versions=versions,
    )


def finding(kind: str, count: Count, detail: dict[str, Any] | None = None) -> Finding:
    """A finding of a kind, with its words in English."""
    about, told = KINDS[kind], words("en")
    return Finding(
        kind=kind,
        severity=about.severity,
        title=told.text(f"title.{kind}"),
        count=count.rows,
        times=count.times,
        rows=tuple(count.numbers),
        examples=tuple(count.examples),
        why=told.why(kind),
        step=about.step,
        detail=detail or {},
    )


def _findings(counted: Counted, labels: Sequence[Labels]) -> Iterator[Finding]:
    tally = Tally(dict(counted.tally.found), counted.tally.counters)
    tally.take(counted.copies.found)
    details: dict[str, dict[str, Any]] = {
        "unusable": {"reasons": dict(tally.counter("unusable").most_common(20))},
        "template": {"reasons": dict(tally.counter("template").most_common(20))},
        "grammar": {"kinds": dict(tally.counter("grammar").most_common(20)), "read": counted.grammar_of},
        "trigger": {"words": dict(tally.counter("trigger").most_common(20))},
    }
    details |= {
        f"personal.{kind}": {"columns": columns}
        for kind, columns in (_personal(tally) if counted.personal else {}).items()
    }
    for kind, count in tally.found.items():
        if kind in KINDS and kind != "language" and count.rows:
            yield finding(kind, count, details.get(kind))
    yield from _language(tally)
    yield from _skews(labels)
    within = (
        len([length for length in counted.tokens.lengths if length <= counted.tokens.limit])
        if counted.tokens
        else counted.usable
    )
    if counted.rows and not within - tally.rows("no_token"):
        yield finding(
            "nothing_to_learn", Count(counted.rows, counted.rows, list(range(min(counted.rows, LISTED))))
        )


def _language(tally: Tally) -> Iterator[Finding]:
    known = Counter({code: count for code, count in tally.counter("language").items() if code})
    if not known:
        return
    main, most = known.most_common(1)[0]
    least = max(_LANGUAGE_ROWS, _RARE_LANGUAGE * known.total())
    others = {code: count for code, count in known.most_common()[1:] if count >= least}
    if most / known.total() >= _FOREIGN and not others:
        return
    together = Count()
    for code in others:
        together.take(tally.found[f"language.{code}"])
    if together.rows:
        yield finding("language", together, {"main": main, "others": others})


def _skews(labels: Sequence[Labels]) -> Iterator[Finding]:
    for label in labels:
        value, most = next(iter(label.values.items()))
        detail = {
            "field": label.field,
            "value": value,
            "share": round(most / label.rows, 4),
            "values": len(label.values),
        }
        shown = [
            Example(row=0, text=f"{name}: {count}", place=label.field)
            for name, count in list(label.values.items())[:3]
        ]
        if len(label.values) == 1:
            yield finding("one_label", Count(label.rows, label.rows, [], shown), detail)
        elif most / label.rows >= _SKEW:
            yield finding("skew", Count(most, most, [], shown), detail)


def _personal(tally: Tally) -> dict[str, dict[str, int]]:
    found = {
        name.partition(".")[2]: dict(counter)
        for name, counter in tally.counters.items()
        if name.startswith("place.")
    }
    return dict(sorted(found.items()))


def _lengths(tokens: Tokens) -> Lengths:
    lengths = sorted(tokens.lengths)
    longest = lengths[-1] if lengths else 0
    return Lengths(
        model=tokens.model,
        max_length=tokens.limit,
        rows=len(lengths),
        tokens=sum(lengths),
        trained_tokens=tokens.trained,
        median=_at(lengths, 0.5),
        p95=_at(lengths, 0.95),
        longest=longest,
        over=sum(length > tokens.limit for length in lengths),
        bins=bins(lengths),
    )


def bins(lengths: Sequence[int]) -> tuple[Bin, ...]:
    """At most 32 bins of one width, a power of two, so that usual limits are edges."""
    if not lengths:
        return ()
    longest = max(lengths) + 1
    width = 2 ** max(0, math.ceil(math.log2(longest / _BINS)))
    counts = Counter(length // width for length in lengths)
    return tuple(Bin(low=at * width, high=(at + 1) * width, rows=counts[at]) for at in range(max(counts) + 1))


def clusters(groups: Sequence[Sequence[int]], texts: Sequence[Example], shown: int = 50) -> Clusters:
    """Clusters with the largest first; ``texts`` has one example for each of the first ``shown``."""
    return Clusters(
        count=len(groups),
        copies=sum(len(group) - 1 for group in groups),
        shown=tuple(
            Cluster(rows=tuple(group[:LISTED]), size=len(group), text=one.text)
            for group, one in zip(groups[:shown], texts, strict=False)
        ),
    )


def _at(ordered: Sequence[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0
