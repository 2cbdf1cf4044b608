"""Metrics of whole answers: equal, alike in words, valid JSON, a refusal, how long, how varied.

Takes answers and references, gives numbers by name. What a word and an equal answer are is said in
``evaluation/measuring/scores.py``.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ftkit.data.cleaning.quality import is_refusal
from ftkit.evaluation.measuring.corpus import distinct
from ftkit.evaluation.measuring.scores import exact_match, json_object, token_f1, words
from ftkit.workers.evaluation.metrics.base import RowMetric, TextMetric


class ExactMatch(RowMetric):
    """Share of answers that are the reference, as ``scores.exact_match`` says."""

    key = "exact_match"
    how = "case:mixed|space:one|json:by value"

    @classmethod
    def row(cls, answer: str, reference: str) -> float:
        """1 where they are equal."""
        return exact_match(answer, reference)


class TokenF1(RowMetric):
    """Mean F1 over shared words, as ``scores.token_f1`` says."""

    key = "token_f1"
    how = "case:folded|tok:letters and digits|turkish:by letters"

    @classmethod
    def row(cls, answer: str, reference: str) -> float:
        """F1 of one row."""
        return token_f1(answer, reference)


class JsonValid(RowMetric):
    """Share of answers that are a JSON object as a whole, over the rows whose reference is one."""

    key = "json_valid"
    how = "object as a whole"

    @classmethod
    def row(cls, answer: str, reference: str) -> float | None:
        """1 where the answer is an object; None where the reference is none."""
        return None if json_object(reference) is None else float(json_object(answer) is not None)


class RefusalRate(RowMetric):
    """Share of answers that begin as a model's refusal does, in English or Turkish."""

    key = "refusal_rate"
    how = "phrases:en,tr"

    @classmethod
    def row(cls, answer: str, reference: str) -> float:
        """1 for a refusal."""
        del reference  # every metric gets it
        return float(is_refusal(answer))


class Length(RowMetric):
    """Mean number of words of the answers."""

    key = "length"
    how = "tok:letters and digits"

    @classmethod
    def row(cls, answer: str, reference: str) -> float:
        """Words of one answer."""
        del reference  # every metric gets it
        return float(len(words(answer)))


class Distinct(TextMetric):
    """Different n-grams over all n-grams of all answers (Li et al., NAACL 2016)."""

    order: int

    @classmethod
    def grams(cls, answer: str) -> Counter[Any]:
        """N-grams of one answer."""
        found = words(answer)
        return Counter(zip(*(found[start:] for start in range(cls.order)), strict=False))

    @classmethod
    def all_grams(cls, answers: Sequence[str]) -> list[Counter[Any]]:
        """N-grams of each answer."""
        return [cls.grams(answer) for answer in answers]

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        del references  # evaluate passes them to every metric
        return {self.key: distinct(self.all_grams(predictions))}


class Distinct1(Distinct):
    """Different words over all words of all answers (Li et al., NAACL 2016)."""

    key, order = "distinct_1", 1
    how = "tok:letters and digits"


class Distinct2(Distinct):
    """Different pairs of neighbouring words over all pairs of all answers (Li et al., NAACL 2016)."""

    key, order = "distinct_2", 2
    how = "tok:letters and digits"
