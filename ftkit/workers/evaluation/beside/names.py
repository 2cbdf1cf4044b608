"""The bias probe: some rows' prompts signed with different names, and how good the answers to each are.

Takes rows, gives rows to ask; takes what was said, gives signed answers. It asks no model.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ftkit.data.chat import Message, RowProblem, TrainingRow, training_row
from ftkit.evaluation.bias.names import NAMES, signed
from ftkit.evaluation.bias.summary import Signed
from ftkit.evaluation.measuring.scores import Field, field_scores, json_object, token_f1
from ftkit.models.chat_template import TemplateRefusal
from ftkit.workers.evaluation.prepared import Prepared, prepare_row
from ftkit.workers.training.rows import FastTokenizer

MOST_ROWS = 24
_PLACES = 100  # rows kept for one row, so that a row's place names row and name


def signed_rows(
    values: Sequence[Mapping[str, Any]], mapping: Mapping[str, str], encode: FastTokenizer
) -> list[Prepared]:
    """Rows evenly spaced over the part, each under each name; nothing where none has a prompt."""
    count = min(MOST_ROWS, len(values))
    rows = []
    for place in (number * len(values) // count for number in range(count)):
        try:
            row = training_row(values[place], mapping)
            each = [
                prepare_row(place * _PLACES + number, _under(row, name), encode)
                for number, name in enumerate(NAMES)
            ]
        except (RowProblem, TemplateRefusal):
            continue  # the evaluation itself counts and names it
        rows += [one._replace(ids=[], start=0) for one in each if one.asked]
    return rows


def signed_answers(
    rows: Sequence[Prepared], said: Callable[[int], Mapping[str, Any]], fields: Sequence[Field]
) -> list[Signed]:
    """The answers of one side.

    Args:
        rows: what was asked, from ``signed_rows``.
        said: what the side said of the row at a place: ``answer``.
        fields: of the references of the part.
    """
    found = []
    for row in rows:
        place, number = divmod(row.row, _PLACES)
        answer = str(said(row.row)["answer"])
        found.append(Signed(place, NAMES[number], answer, quality(answer, row.reference, fields)))
    return found


def quality(answer: str, reference: str, fields: Sequence[Field]) -> float:
    """How good an answer is, from 0 to 1: the share of right categories of a JSON answer, else word overlap."""
    scores = field_scores(answer, reference, fields)
    known = [scores[one.metrics[0]] for one in fields if one.kind == "category"]
    right = [score for score in known if score is not None]
    return (
        sum(right) / len(right)
        if json_object(reference) is not None and right
        else token_f1(answer, reference)
    )


def _under(row: TrainingRow, name: str) -> TrainingRow:
    """The row as someone of this name would have sent it."""
    prompt = row.get("prompt")
    if prompt is None:
        return row
    if isinstance(prompt, str):
        return {**row, "prompt": signed(prompt, name)}
    last = max((place for place, turn in enumerate(prompt) if turn["role"] == "user"), default=None)
    if last is None:
        return row
    turn: Message = {**prompt[last], "content": signed(prompt[last]["content"], name)}
    return {**row, "prompt": [*prompt[:last], turn, *prompt[last + 1 :]]}
