"""Comparisons that need nothing but counts: length, language, personal data, words never seen in training.

Takes prompts (the window first) and random windows over them, gives findings. It fits no model.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from scipy import sparse

from ftkit.monitoring.drift.findings import Finding
from ftkit.workers.drift.permuting import Numbers, Windows, furthest_apart, largest_rise, unlike
from ftkit.workers.drift.prompts import Prompt

EXAMPLES = 20
_WORDS = 10
_LEAST_DISTANCE = 0.15
_LEAST_SHARE = 0.05
_LEAST_UNKNOWN = 0.02


def length(prompts: Sequence[Prompt], windows: Windows) -> Finding:
    """Whether prompts are longer or shorter; distance of the distributions of their lengths in characters."""
    values = np.array([float(len(prompt.text)) for prompt in prompts])
    distance, _, p = windows.test(lambda some: furthest_apart(some, values))
    ours, theirs = values[: windows.size], values[windows.size :]
    middle, usual = float(np.median(ours)), float(np.median(theirs))
    outer = np.argsort(-ours if middle >= usual else ours, kind="stable")[:EXAMPLES]
    return Finding(
        kind="length",
        statistic="ks_distance",
        value=distance,
        reference=0.0,
        p=p,
        least=_LEAST_DISTANCE,
        values={
            "median": middle,
            "reference_median": usual,
            "ratio": round(middle / usual, 3) if usual else None,
            "p95": float(np.percentile(ours, 95)),
            "reference_p95": float(np.percentile(theirs, 95)),
        },
        examples=tuple(prompts[place].id for place in outer),
    )


def language(prompts: Sequence[Prompt], windows: Windows) -> Finding | None:
    """Whether other languages are spoken; None where the language of too few prompts can be told."""
    codes = sorted({prompt.language for prompt in prompts} - {""})
    table = np.array([[float(prompt.language == code) for code in codes] for prompt in prompts])
    known, usual = (
        [prompt.language for prompt in side if prompt.language] for side in _apart(prompts, windows)
    )
    if not known or not usual:
        return None
    statistic, _, p = windows.test(lambda some: unlike(some, table))
    shares, before = _shares(known), _shares(usual)
    risen = sorted(codes, key=lambda code: before.get(code, 0.0) - shares.get(code, 0.0))
    first = risen[0]
    return Finding(
        kind="language",
        statistic="chi_square",
        value=shares.get(first, 0.0),
        reference=before.get(first, 0.0),
        p=p,
        least=_LEAST_SHARE,
        words=tuple(code for code in risen if shares.get(code, 0.0) - before.get(code, 0.0) >= _LEAST_SHARE),
        values={
            "chi_square": round(statistic, 3),
            "shares": shares,
            "reference_shares": before,
            "told": len(known),
            "reference_told": len(usual),
        },
        examples=_first(prompt.id for prompt in prompts[: windows.size] if prompt.language == first),
    )


def personal_data(prompts: Sequence[Prompt], windows: Windows) -> Finding:
    """Whether more prompts hold personal data, of any kind or of one."""
    kinds = sorted(set[str]().union(*(prompt.personal for prompt in prompts)))
    table = np.array(
        [
            [float(bool(prompt.personal)), *(float(kind in prompt.personal) for kind in kinds)]
            for prompt in prompts
        ]
    )
    _, _, p = windows.test(lambda some: largest_rise(some, table))
    ours, theirs = (table[: windows.size].mean(axis=0), table[windows.size :].mean(axis=0))
    rises = dict(zip(kinds, (ours - theirs)[1:].tolist(), strict=True))
    named = tuple(kind for kind in sorted(kinds, key=lambda kind: -rises[kind]) if rises[kind] > 0)
    return Finding(
        kind="personal_data",
        statistic="share_of_prompts",
        value=float(ours[0]),
        reference=float(theirs[0]),
        p=p,
        least=_LEAST_SHARE,
        words=named,
        values={
            "shares": dict(zip(kinds, ours[1:].round(4).tolist(), strict=True)),
            "reference_shares": dict(zip(kinds, theirs[1:].round(4).tolist(), strict=True)),
        },
        examples=_first(prompt.id for prompt in prompts[: windows.size] if prompt.personal),
    )


def vocabulary(prompts: Sequence[Prompt], windows: Windows) -> Finding | None:
    """Whether more of the words are unknown to the training rows than in a window drawn from them; None without words."""
    places: dict[str, int] = {}
    lines, columns = list[int](), list[int]()
    for row, prompt in enumerate(prompts):
        for word in prompt.words:
            lines.append(row)
            columns.append(places.setdefault(word, len(places)))
    if not places:
        return None
    shape = (len(prompts), len(places))
    counts = sparse.csr_array((np.ones(len(lines)), (lines, columns)), shape=shape)
    totals = np.asarray(counts.sum(axis=0)).ravel()

    def unknown(some: Numbers) -> Numbers:
        inside = (sparse.csr_array(some) @ counts).tocsr()
        alone = inside.data * (inside.data == totals[inside.indices])
        lonely = sparse.csr_array((alone, inside.indices, inside.indptr), shape=inside.shape)
        share: Numbers = np.asarray(lonely.sum(axis=1)).ravel() / np.maximum(
            1.0, np.asarray(inside.sum(axis=1)).ravel()
        )
        return share

    value, expected, p = windows.test(unknown)
    known = set(chain.from_iterable(prompt.words for prompt in prompts[windows.size :]))
    ours = prompts[: windows.size]
    new = Counter(word for prompt in ours for word in set(prompt.words) - known)
    most = sorted(ours, key=lambda prompt: -_share_of(prompt.words, new))
    return Finding(
        kind="vocabulary",
        statistic="unknown_share",
        value=value,
        reference=expected,
        p=p,
        least=_LEAST_UNKNOWN,
        words=tuple(
            word for word, rows in sorted(new.items(), key=lambda one: (-one[1], one[0]))[:_WORDS] if rows > 1
        ),
        values={"unknown_words": len(new), "reference_words": len(known)},
        examples=_first(prompt.id for prompt in most if _share_of(prompt.words, new)),
    )


def _apart(prompts: Sequence[Prompt], windows: Windows) -> tuple[Sequence[Prompt], Sequence[Prompt]]:
    return prompts[: windows.size], prompts[windows.size :]


def _shares(codes: Sequence[str]) -> dict[str, float]:
    counts = Counter(codes)
    return {code: round(count / len(codes), 4) for code, count in counts.most_common()}


def _share_of(words: Sequence[str], of: Counter[str]) -> float:
    return sum(word in of for word in words) / len(words) if words else 0.0


def _first(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(id_ for _, id_ in zip(range(EXAMPLES), ids, strict=False))
