"""Comparisons of what prompts are about: topics, distance of the wordings, and a classifier that tries to tell them apart.

Takes prompts (the window first) and random windows over them, gives findings. All that is fitted is fitted to window and reference
together without knowing which is which, or for each random window as for the real one, so that the p values stay exact. No
language model is loaded: it takes seconds on any machine.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.stats import rankdata
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from ftkit.monitoring.drift.findings import Finding
from ftkit.workers.drift.permuting import Numbers, Windows, largest_rise
from ftkit.workers.drift.prompts import Prompt

_EXAMPLES = 20
_WORDS = 10
_STEM = (
    5  # letters of a word's beginning: endings of Turkish and others would make each form a word of its own
)
_STEM_SIGN = "~"
_DIMENSIONS = 40
_CLUSTERS = (4, 16)
_ROWS_A_CLUSTER = 40
_RIDGE = 10.0
_LEAST_AREA = 0.05
_LEAST_SHARE = 0.05


class Wording(NamedTuple):
    """Prompts as numbers.

    Args:
        weights: TF-IDF, rows of length 1 (or 0 for a prompt without words that others use).
        names: word of each column; with a sign behind where it is the beginning of words.
        likeness: cosine of each two prompts.
    """

    weights: sparse.csr_array
    names: Sequence[str]
    likeness: Numbers


def wording_of(prompts: Sequence[Prompt]) -> Wording | None:
    """The prompts as numbers; None where they share no words."""
    vectorizer = TfidfVectorizer(analyzer=_features, min_df=2, sublinear_tf=True, max_features=20_000)
    try:
        weights = sparse.csr_array(vectorizer.fit_transform(prompts))
    except ValueError:  # no word is in two prompts
        return None
    return Wording(weights, vectorizer.get_feature_names_out().tolist(), (weights @ weights.T).toarray())


def topic(
    prompts: Sequence[Prompt], wording: Wording, windows: Windows, seed: int
) -> tuple[Finding, frozenset[str]]:
    """Whether one topic takes more room: clusters of all prompts, the one that rises most, and the texts in it."""
    dimensions = min(_DIMENSIONS, min(wording.weights.shape) - 1)
    points = TruncatedSVD(max(1, dimensions), random_state=seed).fit_transform(wording.weights)
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
    clusters = int(np.clip(len(prompts) // _ROWS_A_CLUSTER, *_CLUSTERS))
    labels = KMeans(clusters, n_init=3, random_state=seed).fit_predict(points)
    table = np.eye(clusters)[labels]
    _, _, p = windows.test(lambda some: largest_rise(some, table))
    ours, theirs = table[: windows.size].mean(axis=0), table[windows.size :].mean(axis=0)
    error = np.sqrt(np.maximum(table.mean(axis=0) * (1 - table.mean(axis=0)), 1e-12))
    risen = int(np.argmax((ours - theirs) / error))
    members = labels == risen
    inside = [place for place in range(windows.size) if members[place]]
    finding = Finding(
        kind="topic",
        statistic="largest_rise",
        value=float(ours[risen]),
        reference=float(theirs[risen]),
        p=p,
        least=_LEAST_SHARE,
        words=_telling(wording, members),
        values={"clusters": clusters},
        examples=tuple(prompts[place].id for place in inside[:_EXAMPLES]),
    )
    return finding, frozenset(prompts[place].text for place in np.flatnonzero(members).tolist())


def distance(wording: Wording, windows: Windows) -> Finding:
    """How far the wordings as a whole are apart: maximum mean discrepancy (Gretton et al., JMLR 13, 2012, 723-773)."""
    apart = np.sqrt(np.maximum(0.0, 2 - 2 * wording.likeness))
    width = float(np.median(apart)) or 1.0
    kernel = np.exp(-(apart**2) / (2 * width**2))
    np.fill_diagonal(kernel, 0.0)
    rows, whole, every = windows.rows, float(kernel.sum()), kernel.sum(axis=1)
    size, rest = windows.size, windows.rows - windows.size
    if min(size, rest) < 2:  # noqa: PLR2004 - no pair
        raise ValueError(f"{size} of {rows} rows make no pairs")

    def discrepancy(some: Numbers) -> Numbers:
        within = np.einsum("ij,ij->i", some @ kernel, some)
        across = some @ every - within
        other = whole - within - 2 * across
        apart: Numbers = (
            within / (size * (size - 1)) + other / (rest * (rest - 1)) - 2 * across / (size * rest)
        )
        return apart

    value, expected, p = windows.test(discrepancy)
    return Finding(
        kind="distance",
        statistic="mmd",
        value=value,
        reference=expected,
        p=p,
        values={"width": round(width, 4)},
    )


def told_apart(prompts: Sequence[Prompt], wording: Wording, windows: Windows) -> Finding:
    """How well a classifier that has not seen a prompt tells whether it is of the window: area under the ROC curve.

    Ridge regression on the words, each prompt judged by the one that was fitted to all others: closed form, so that it is fitted anew for
    each random window (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2009, 7.10).
    """
    count = windows.rows
    middle = np.eye(count) - 1 / count
    kernel = middle @ wording.likeness @ middle
    hat = kernel @ np.linalg.inv(kernel + _RIDGE * np.eye(count))
    own = np.diag(hat)
    size, rest = windows.size, windows.rows - windows.size

    def scores(some: Numbers) -> Numbers:
        targets = some / size - (1 - some) / rest
        judged: Numbers = (targets @ hat.T - own * targets) / (1 - own)
        return judged

    def area(some: Numbers) -> Numbers:
        ranks = rankdata(scores(some), axis=1)
        under: Numbers = ((ranks * some).sum(axis=1) - size * (size + 1) / 2) / (size * rest)
        return under

    value, expected, p = windows.test(area)
    real = np.zeros((1, count))
    real[0, :size] = 1
    best = np.argsort(-scores(real)[0, :size], kind="stable")[:_EXAMPLES]
    return Finding(
        kind="wording",
        statistic="area_under_curve",
        value=value,
        reference=expected,
        p=p,
        least=_LEAST_AREA,
        words=_telling(wording, real[0] > 0),
        examples=tuple(prompts[place].id for place in best),
    )


def _telling(wording: Wording, inside: np.ndarray) -> tuple[str, ...]:
    """Words that stand in more of these prompts than of the others, those first that tell most."""
    present = wording.weights > 0
    ours = np.asarray(present[inside].sum(axis=0)).ravel()
    theirs = np.asarray(present[~inside].sum(axis=0)).ravel()
    own, other = max(1, int(inside.sum())), max(1, int((~inside).sum()))
    share, usual = ours / own, theirs / other
    both = (ours + theirs) / (own + other)
    strength = (share - usual) / np.sqrt(np.maximum(both * (1 - both), 1e-12))
    order = np.argsort(-strength, kind="stable")
    found = (
        wording.names[place]
        for place in order
        if ours[place] > 1 and strength[place] > 0 and not wording.names[place].endswith(_STEM_SIGN)
    )
    return tuple(word for _, word in zip(range(_WORDS), found, strict=False))


def _features(prompt: Prompt) -> list[str]:
    return [*prompt.words, *(word[:_STEM] + _STEM_SIGN for word in prompt.words if len(word) > _STEM)]
