"""The forgetting check: the questions in tokens, and what each side made of them.

Takes a tokenizer, gives rows to ask; takes what was said, gives one result a question. Of a question with options the model should
find the right one likeliest, in the plain form that base models know best; the rest it answers itself, as people would ask it. It
asks no model.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ftkit.data.chat import is_raw, is_text, training_row
from ftkit.evaluation.general.questions import Question, questions
from ftkit.evaluation.general.summary import Result
from ftkit.workers.evaluation.prepared import Prepared, prepare_row
from ftkit.workers.training.rows import FastTokenizer

MOST_TOKENS = 48  # of an answer that the model writes
_PLACES = 10  # rows kept for a question, so that a row's place names question and option

Said = Callable[[int], Mapping[str, Any]]


def general_rows(mapping: Mapping[str, str], encode: FastTokenizer) -> list[Prepared]:
    """What is asked: a row to score for each option, or one to answer.

    Args:
        mapping: of the rows that the model was tuned on: a model of plain texts is asked in plain text.
        encode: tokenizer of the model.
    """
    plain = is_raw(mapping) or is_text(mapping)
    rows = []
    for number, one in enumerate(questions()):
        for option, text in enumerate(one.options):
            row = _prepared(number * _PLACES + option, one.question, text, encode, plain=True)
            rows.append(row._replace(asked=[]))
        if not one.options:
            row = _prepared(number * _PLACES, one.question, "-", encode, plain)
            rows.append(row._replace(ids=[], start=0))
    return rows


def general_results(base: Said, tuned: Said) -> list[Result]:
    """One result a question.

    Args:
        base: what the base model said of the row at a place: ``nll`` or ``answer``.
        tuned: the same of the tuned one.
    """
    results = []
    for number, one in enumerate(questions()):
        (base_right, base_text), (right, text) = _of(one, number, base), _of(one, number, tuned)
        results.append(
            Result(one.id, one.skill, one.question, one.answer, base_right, right, base_text, text)
        )
    return results


def _of(one: Question, number: int, said: Said) -> tuple[bool, str]:
    """Whether a side is right, and what it says."""
    place = number * _PLACES
    if not one.options:
        answer = str(said(place)["answer"])
        return one.matches(answer), answer
    each = [float(said(place + option)["nll"]) for option in range(len(one.options))]
    best = min(range(len(each)), key=each.__getitem__)
    # Of two equal ones none is the likeliest: a model that finds all alike knows nothing.
    return best == 0 and each.count(each[best]) == 1, one.options[best]


def _prepared(place: int, question: str, answer: str, encode: FastTokenizer, plain: bool) -> Prepared:
    if plain:
        value = {"prompt": f"Question: {question}\nAnswer:", "completion": f" {answer}"}
        return prepare_row(
            place, training_row(value, {"prompt": "prompt", "completion": "completion"}), encode
        )
    value = {"user": question, "assistant": answer}
    return prepare_row(place, training_row(value, {"user": "user", "assistant": "assistant"}), encode)
