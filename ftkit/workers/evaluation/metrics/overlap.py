"""BLEU and chrF by sacrebleu, ROUGE by rouge-score: how much of the reference stands in the answer.

Takes answers and references, gives numbers by name, and per row what a corpus score is made of. The one thing that is ours
is the words that ROUGE gets: rouge-score's own know no letter beyond a to z.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import Tokenizer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from ftkit.evaluation.measuring.resampling import Numbers
from ftkit.evaluation.measuring.scores import word_pair
from ftkit.workers.evaluation.metrics.base import RowMetric, TextMetric

_REMEMBERED = 100_000  # rows: each is asked for by three metrics, by row and for the mean
_ROUGES = ("rouge1", "rouge2", "rougeL")


class Bleu(TextMetric):
    """BLEU of all answers together by sacrebleu, 0 to 100; ``tokenize`` is one of its tokenizers."""

    key = "bleu"

    def _compute(
        self, predictions: list[str], references: list[str], tokenize: str = "13a"
    ) -> dict[str, Any]:
        scorer = BLEU(tokenize=tokenize)
        score = scorer.corpus_score(predictions, [references]).score
        return {"bleu": score, "signature": f"BLEU|{scorer.get_signature()}"}


class Chrf(TextMetric):
    """chrF2 of all answers together by sacrebleu, 0 to 100."""

    key = "chrf"

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, Any]:
        scorer = CHRF()
        score = scorer.corpus_score(predictions, [references]).score
        return {"chrf": score, "signature": f"chrF2|{scorer.get_signature()}"}


class _Rouge(RowMetric):
    @classmethod
    def row(cls, answer: str, reference: str) -> float:
        """F1 of one row; 0 where either has no words."""
        return _rouge(answer, reference)[cls.key]

    @classmethod
    def signature(cls) -> str:
        """Library, kind, and whose words."""
        return f"rouge-score|{cls.key}|fmeasure|mean over rows|stemmer:no|tok:ftkit words 1|version:{version('rouge_score')}"


class Rouge1(_Rouge):
    """Mean F1 over shared words."""

    key = "rouge1"


class Rouge2(_Rouge):
    """Mean F1 over shared pairs of neighbouring words."""

    key = "rouge2"


class RougeL(_Rouge):
    """Mean F1 over the longest sequence of words that both have in the same order."""

    key = "rougeL"


def bleu_tokenizer(references: Sequence[str]) -> str:
    """The tokenizer of sacrebleu for the script that most letters are in: its own for Chinese, characters for Japanese."""
    letters = [c for text in references for c in text if unicodedata.category(c) in ("Lo", "Lu", "Ll")]
    kana = sum("\u3040" <= c <= "\u30ff" for c in letters)
    han = sum("\u3400" <= c <= "\u9fff" for c in letters)
    if 2 * (kana + han) <= len(letters):
        return "13a"
    return "char" if kana else "zh"


def bleu_row(answer: str, reference: str, tokenize: str) -> float:
    """BLEU of one row as sacrebleu's ``sentence_bleu`` computes it, with effective order; 0 to 100."""
    return float(_bleu(tokenize).sentence_score(answer, [reference]).score)


def chrf_row(answer: str, reference: str) -> float:
    """chrF2 of one row; 0 to 100."""
    return float(_chrf().sentence_score(answer, [reference]).score)


def bleu_parts(answers: Sequence[str], references: Sequence[str], tokenize: str) -> Numbers:
    """What each row adds to BLEU: the lengths of answer and reference, matched and all n-grams of order 1 to 4."""
    scores = (_bleu(tokenize).sentence_score(a, [r]) for a, r in zip(answers, references, strict=True))
    return np.array([[s.sys_len, s.ref_len, *s.counts, *s.totals] for s in scores], dtype=np.float64)


def chrf_parts(answers: Sequence[str], references: Sequence[str]) -> Numbers:
    """What each row adds to chrF: n-grams of answer, of reference, and in both, by order 1 to 6."""
    # The library gives these counts to its own significance tests only.
    return np.array(_chrf()._extract_corpus_statistics(answers, [references]), dtype=np.float64)


class _Words(Tokenizer):  # type: ignore[misc]  # rouge-score has no types
    """Words that were found before."""

    def tokenize(self, text: str) -> list[str]:
        """The text's words, between single spaces."""
        return text.split()


@lru_cache(maxsize=_REMEMBERED)
def _rouge(answer: str, reference: str) -> dict[str, float]:
    given, wanted = (" ".join(found) for found in word_pair(answer, reference))
    scores = _rouge_scorer().score(wanted, given)
    return {kind: float(scores[kind].fmeasure) for kind in _ROUGES}


@lru_cache(maxsize=1)
def _rouge_scorer() -> RougeScorer:
    return RougeScorer(list(_ROUGES), tokenizer=_Words())


@lru_cache(maxsize=4)
def _bleu(tokenize: str) -> BLEU:
    return BLEU(tokenize=tokenize, effective_order=True)


@lru_cache(maxsize=1)
def _chrf() -> CHRF:
    return CHRF()
