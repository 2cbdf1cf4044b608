"""The forgetting check: base and tuned model asked the same questions, which have nothing to do with what was taught.

Takes what asks the models, gives one result a question. Of a question with options the model should find the right one likeliest,
in the plain form that base models know best; the rest it answers itself, as people would ask it. It loads no model and writes no file.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ftkit.data.chat import is_raw, is_text, training_row
from ftkit.evaluation.general.questions import Question, questions
from ftkit.evaluation.general.summary import Result
from ftkit.workers.evaluation.prepared import Prepared, prepare_row
from ftkit.workers.training.rows import FastTokenizer

MOST_TOKENS = 48  # of an answer that the model writes


class Asking(NamedTuple):
    """How a side, ``base`` or ``tuned``, is asked."""

    nlls: Callable[[str, list[Prepared]], list[float]]
    answers: Callable[[str, list[Prepared], int], list[str]]


def ask_general(asking: Asking, mapping: Mapping[str, str], encode: FastTokenizer) -> list[Result]:
    """One result a question, in the order of the questions.

    Args:
        asking: both sides.
        mapping: of the rows that the model was tuned on: a model of plain texts is asked in plain text.
        encode: tokenizer of the model.
    """
    plain = is_raw(mapping) or is_text(mapping)
    chosen = [one for one in questions() if one.options]
    written = [one for one in questions() if not one.options]
    options = [
        prepared(place, one.question, option, encode, plain=True)
        for place, one in enumerate(chosen)
        for option in one.options
    ]
    asked = [prepared(place, one.question, "-", encode, plain) for place, one in enumerate(written)]
    said: dict[str, dict[str, tuple[bool, str]]] = {}
    for side in ("base", "tuned"):
        picked = _picked(chosen, asking.nlls(side, options))
        texts = asking.answers(side, asked, MOST_TOKENS)
        said[side] = picked | {
            one.id: (one.matches(text), text) for one, text in zip(written, texts, strict=True)
        }
    return [
        Result(
            one.id,
            one.skill,
            one.question,
            one.answer,
            said["base"][one.id][0],
            said["tuned"][one.id][0],
            said["base"][one.id][1],
            said["tuned"][one.id][1],
        )
        for one in questions()
    ]


def prepared(place: int, question: str, answer: str, encode: FastTokenizer, plain: bool) -> Prepared:
    """A question with one answer, in tokens."""
    if plain:
        value = {"prompt": f"Question: {question}\nAnswer:", "completion": f" {answer}"}
        mapping = {"prompt": "prompt", "completion": "completion"}
    else:
        value = {"user": question, "assistant": answer}
        mapping = {"user": "user", "assistant": "assistant"}
    return prepare_row(place, training_row(value, mapping), encode)


def _picked(chosen: Sequence[Question], nlls: list[float]) -> dict[str, tuple[bool, str]]:
    """Per question whether the right option is the likeliest, and which one is."""
    found, start = {}, 0
    for one in chosen:
        each = nlls[start : start + len(one.options)]
        start += len(one.options)
        best = min(range(len(each)), key=each.__getitem__)
        # Of two equal ones none is the likeliest: a model that finds all alike knows nothing.
        alone = each.count(each[best]) == 1
        found[one.id] = (best == 0 and alone, one.options[best])
    return found
