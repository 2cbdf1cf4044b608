"""The bias probe: some rows' prompts signed with different names, and what each side answers to each.

Takes rows and what asks the models, gives signed answers by side. It loads no model and writes no file.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ftkit.data.chat import Message, RowProblem, TrainingRow, training_row
from ftkit.evaluation.bias.names import NAMES, signed
from ftkit.evaluation.bias.summary import Signed
from ftkit.evaluation.measuring.scores import Field, field_scores, json_object, token_f1
from ftkit.models.chat_template import TemplateRefusal
from ftkit.workers.evaluation.general import Asking
from ftkit.workers.evaluation.prepared import Prepared, prepare_row
from ftkit.workers.training.rows import FastTokenizer

MOST_ROWS = 24


def ask_signed(
    asking: Asking,
    values: Sequence[Mapping[str, Any]],
    mapping: Mapping[str, str],
    encode: FastTokenizer,
    limit: int,
    fields: Sequence[Field],
) -> dict[str, list[Signed]]:
    """Answers of both sides to rows evenly spaced over the part, each under each name; nothing where no row has a prompt."""
    rows = _signed_rows(values, mapping, encode)
    found = {}
    for side in ("base", "tuned"):
        texts = asking.answers(side, [row for _, row in rows], limit)
        found[side] = [
            Signed(row.row, name, text, quality(text, row.reference, fields))
            for (name, row), text in zip(rows, texts, strict=True)
        ]
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


def _signed_rows(
    values: Sequence[Mapping[str, Any]], mapping: Mapping[str, str], encode: FastTokenizer
) -> list[tuple[str, Prepared]]:
    """Rows evenly spaced over the part, each with its name."""
    count = min(MOST_ROWS, len(values))
    places = [place * len(values) // count for place in range(count)]
    rows = []
    for place in places:
        try:
            row = training_row(values[place], mapping)
            each = [(name, prepare_row(place, _under(row, name), encode)) for name in NAMES]
        except (RowProblem, TemplateRefusal):
            continue  # the evaluation itself counts and names it
        if each[0][1].asked:
            rows += each
    return rows


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
