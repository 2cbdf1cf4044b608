"""Metrics of answers that are labels: a whole answer, or one field of a JSON answer.

Takes labels as texts, gives accuracy, F1 and the table by label. What the label of an answer is, is said in
``evaluation/measuring/scores.py``.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from ftkit.evaluation.measuring.scores import answer_label, normalise
from ftkit.workers.evaluation.metrics.base import RowMetric, TextMetric, mean, own_signature

# What stands for an answer without a label: no character, so that no text is it.
NO_LABEL = "\uffff"


class Accuracy(RowMetric):
    """Share of whole answers that have the label of the reference, as ``scores.answer_label`` says."""

    key = "accuracy"
    how = "case:folded|punctuation around it:no"

    @classmethod
    def row(cls, answer: str, reference: str) -> float:
        """1 where the labels are the same."""
        return float(answer_label(answer) == answer_label(reference))


class Labels(TextMetric):
    """Accuracy, F1 and the table by label, over the labels that the references have.

    Macro F1 is the mean over these labels; micro F1 pools their rows, and an answer that is none of them lowers its
    recall only.
    """

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, Any]:
        labels = sorted(set(references))
        options = {"labels": labels, "zero_division": 0}
        precision, recall, f1, support = precision_recall_fscore_support(
            references, predictions, average=None, **options
        )
        micro = precision_recall_fscore_support(references, predictions, average="micro", **options)[2]
        right = [float(a == r) for a, r in zip(predictions, references, strict=True)]
        by_label = zip(labels, precision, recall, f1, support, strict=True)
        return {
            "accuracy": mean(right),
            "macro_f1": float(f1.mean()),
            "micro_f1": float(micro),
            "by_label": {
                label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
                for label, p, r, f, s in by_label
            },
        }


def f1_signature(key: str) -> str:
    """Of macro and micro F1 over whole answers."""
    return own_signature(key, f"{Accuracy.how}|labels:of the references|zero division:0")


def label_spellings(references: Sequence[str]) -> dict[str, str]:
    """Each label of the references with how they spell it most often, the most frequent label first."""
    counted = Counter(answer_label(text) for text in references)
    spelt = Counter((answer_label(text), normalise(text)) for text in references)
    found: dict[str, str] = {}
    for (label, text), _ in sorted(spelt.items(), key=lambda item: (-item[1], item[0])):
        found.setdefault(label, text)
    return {label: found[label] for label in sorted(counted, key=lambda one: (-counted[one], one))}


def confusion(references: list[str], predictions: list[str], labels: list[str]) -> list[list[int]]:
    """One row per reference label: how often it was answered with each label, and last with anything else."""
    known = set(labels)
    answered = [label if label in known else NO_LABEL for label in predictions]
    table = confusion_matrix(references, answered, labels=[*labels, NO_LABEL])
    return [[int(count) for count in row] for row in table[:-1]]
