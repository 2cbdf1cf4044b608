"""What is known of a row beside its scores, for the error analysis: languages, refusals, topic, columns that played no role.

Takes samples and the rows of the part, adds values to the samples. It scores nothing and asks no model.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

from ftkit.data.cleaning.filters import language_of
from ftkit.data.cleaning.quality import is_refusal

Row = Mapping[str, Any]

_SURE = 0.8  # certainty from which on a language counts
_FEWEST = 20  # rows from which on topics are sought
_TOPICS = range(2, 9)
_EXACT = 5000  # texts up to which it is counted how many of them differ
_WORD = r"(?u)\b[^\W\d_]{3,}\b"
_NAMED_BY = 3  # words
_MOST_VALUES = 20  # of a column that cuts the rows into slices
_LONGEST_VALUE = 60  # characters
# Words that name no topic, beside scikit-learn's English ones.
_ENGLISH = (
    "did",
    "does",
    "don",
    "got",
    "hello",
    "isn",
    "just",
    "like",
    "need",
    "please",
    "said",
    "says",
    "thanks",
    "want",
)
_TURKISH = (
    *(
        "acaba",
        "ama",
        "ancak",
        "bana",
        "ben",
        "beni",
        "benim",
        "bir",
        "biri",
        "biz",
        "bunu",
        "bunun",
        "böyle",
        "daha",
    ),
    *(
        "değil",
        "diye",
        "gibi",
        "hem",
        "hep",
        "her",
        "için",
        "ile",
        "ise",
        "kadar",
        "nasıl",
        "neden",
        "olan",
        "olarak",
    ),
    *("oldu", "olur", "onu", "onun", "sonra", "var", "veya", "yok", "çok", "şey"),
)


def add_facts(
    samples: Sequence[dict[str, Any]], values: Sequence[Row], mapping: Mapping[str, str], seed: int
) -> None:
    """Each sample's ``language``, ``reference_language``, ``topic``, ``column_<name>``, and per side ``<side>_language`` and
    ``<side>_refuses``.

    Args:
        samples: what was measured; ``row`` is the place in ``values``.
        values: all rows of the part.
        mapping: role → column.
        seed: of the clustering.
    """
    asked = [sample["prompt"] or sample["reference"] for sample in samples]
    sides = [key.removesuffix("_answer") for key in samples[0] if key.endswith("_answer")]
    columns = _cutting([values[sample["row"]] for sample in samples], set(mapping.values()))
    for place, (sample, topic) in enumerate(zip(samples, topics(asked, seed), strict=True)):
        sample["language"] = _language(asked[place])
        sample["reference_language"] = _language(sample["reference"])
        sample["topic"] = topic
        for side in sides:
            answer = sample[f"{side}_answer"] or ""
            sample[f"{side}_language"] = _language(answer)
            sample[f"{side}_refuses"] = is_refusal(answer) and not is_refusal(sample["reference"])
        sample |= {f"column_{name}": told[place] for name, told in columns.items()}


def topics(texts: Sequence[str], seed: int) -> list[str | None]:
    """The topic of each text, named by the words that set it apart; None where there are too few texts.

    k-means on TF-IDF; about the square root of half as many topics as texts (Mardia et al. 1979), at least 2, at most 8.
    """
    if len(texts) < _FEWEST:
        return [None] * len(texts)
    ignored = sorted(ENGLISH_STOP_WORDS.union(_ENGLISH, _TURKISH))
    counting = TfidfVectorizer(
        min_df=2, max_df=0.5, sublinear_tf=True, stop_words=ignored, token_pattern=_WORD
    )
    try:
        weights = counting.fit_transform(texts)
    except ValueError:  # no word stands in two texts and in fewer than half of them
        return [None] * len(texts)
    different = (
        len({row.tobytes() for row in weights.toarray()}) if weights.shape[0] < _EXACT else _TOPICS.stop
    )
    count = min(max(round((len(texts) / 2) ** 0.5), _TOPICS.start), _TOPICS.stop - 1, different)
    if count < _TOPICS.start:
        return [None] * len(texts)
    found = KMeans(count, n_init=10, random_state=seed).fit(weights)
    names = _names(found.cluster_centers_, counting.get_feature_names_out())
    return [names[label] for label in found.labels_]


def _names(centres: Any, known: Any) -> list[str]:
    """Three words a topic; words that stand for several topics name the one where they weigh most."""
    owner = centres.argmax(axis=0)
    named: list[str] = []
    for topic, centre in enumerate(centres):
        own = [at for at in np.argsort(-centre, kind="stable") if owner[at] == topic and centre[at] > 0]
        words = [str(known[at]) for at in own[:_NAMED_BY]]
        named.append(", ".join(words) if words else f"… {topic + 1}")
    return named


def _language(text: str) -> str:
    code, certainty = language_of(text)
    return code if certainty >= _SURE else ""


def _cutting(rows: Sequence[Row], used: set[str]) -> dict[str, list[str | None]]:
    """Columns without a role whose few values come again and again."""
    found = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        told = [_told(row.get(name)) for row in rows]
        counted = Counter(one for one in told if one is not None)
        if name in used or not 1 < len(counted) <= _MOST_VALUES or 2 * len(counted) > len(rows):
            continue
        if all(len(one) <= _LONGEST_VALUE for one in counted):
            found[name] = told
    return found


def _told(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
