"""Preference rows as token ids: a better and a worse answer to one prompt, or one answer marked as good or bad.

Takes a row with its roles, gives the ids that TRL's own preparation would give (a test compares them). It imports neither
torch nor transformers.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ftkit.data import chat
from ftkit.data.chat import Message, TrainingRow
from ftkit.errors import Refused
from ftkit.workers.training.rows import FastTokenizer, asked_and_whole, common_beginning


class PairRow(NamedTuple):
    """One prompt with a better and a worse answer; the columns of TRL's DPO collator."""

    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]

    @property
    def longest(self) -> int:
        """Tokens that the model reads at once."""
        return len(self.prompt_ids) + max(len(self.chosen_ids), len(self.rejected_ids))

    @property
    def size(self) -> int:
        """Tokens that the model reads for this row in all: the prompt goes before each answer."""
        return 2 * len(self.prompt_ids) + len(self.chosen_ids) + len(self.rejected_ids)

    @property
    def trained(self) -> int:
        """Tokens that the loss counts; 0 where an answer has none, as then nothing can be compared."""
        return min(len(self.chosen_ids), len(self.rejected_ids)) and len(self.chosen_ids) + len(
            self.rejected_ids
        )


class MarkedRow(NamedTuple):
    """One prompt with one answer, good or bad; the columns of TRL's KTO collator."""

    prompt_ids: list[int]
    completion_ids: list[int]
    label: bool

    @property
    def longest(self) -> int:
        """Tokens that the model reads at once."""
        return len(self.prompt_ids) + len(self.completion_ids)

    @property
    def size(self) -> int:
        """Tokens that the model reads for this row in all."""
        return self.longest

    @property
    def trained(self) -> int:
        """Tokens that the loss counts."""
        return len(self.completion_ids)


def pair_row(values: Mapping[str, Any], mapping: Mapping[str, str], tokenizer: FastTokenizer) -> PairRow:
    """A row with ``chosen`` and ``rejected`` answers.

    Raises:
        RowProblem: one of them is missing, or they are the same.
        TemplateRefusal: the model's chat template does not take it.
    """
    prompt, chosen, rejected = chat.preference(values, mapping)
    tools = chat.tools(values, mapping)
    asked, better = asked_and_whole(_training_row(prompt, chosen, tools), tokenizer)
    _, worse = asked_and_whole(_training_row(prompt, rejected, tools), tokenizer)
    start = min(common_beginning(asked, better), common_beginning(asked, worse))
    return PairRow(asked[:start], better[start:], worse[start:])


def marked_rows(
    values: Mapping[str, Any], mapping: Mapping[str, str], tokenizer: FastTokenizer
) -> list[MarkedRow]:
    """A row with an answer and a label, or both answers of a pair as one row each.

    Raises:
        RowProblem: there is no answer, or no word on whether it is good.
        TemplateRefusal: the model's chat template does not take it.
    """
    if {"chosen", "rejected"} <= mapping.keys():
        pair = pair_row(values, mapping, tokenizer)
        return [
            MarkedRow(pair.prompt_ids, pair.chosen_ids, label=True),
            MarkedRow(pair.prompt_ids, pair.rejected_ids, label=False),
        ]
    if "label" not in mapping:
        raise chat.RowProblem("no_mark")
    good = chat.label(values, mapping)
    unmarked = {role: column for role, column in mapping.items() if role != "label"}
    row = chat.training_row(values, unmarked)
    if "text" in row:
        raise chat.RowProblem("no_question")
    asked, whole = asked_and_whole(row, tokenizer)
    start = common_beginning(asked, whole)
    return [MarkedRow(asked[:start], whole[start:], label=good)]


def check_margins(rows: Sequence[Any], batch: int) -> None:
    """Make sure that validation measures a margin: marked answers are compared within a batch, pairs always are.

    Raises:
        Refused: no batch holds a good and a bad answer.
    """
    marks = [row.label for row in rows if isinstance(row, MarkedRow)]
    batches = [set(marks[begin : begin + batch]) for begin in range(0, len(marks), batch)]
    if marks and not any(len(both) > 1 for both in batches):
        raise Refused(
            "training.no_margin",
            "No {batch} validation rows in a row hold both a good and a bad answer, so eval_rewards/margins is never "
            "measured. Set metric_for_best_model to eval_loss, or raise per_device_eval_batch_size.",
            batch=batch,
        )


def said(values: Mapping[str, Any], mapping: Mapping[str, str]) -> TrainingRow:
    """All that a row says, whatever the method: of a pair, both answers.

    Raises:
        RowProblem: the row does not fit the mapping.
    """
    if {"chosen", "rejected"} <= mapping.keys():
        prompt, chosen, rejected = chat.preference(values, mapping)
        return {"prompt": prompt, "completion": [chosen, rejected]}
    unmarked = {role: column for role, column in mapping.items() if role != "label"}
    return chat.training_row(values, unmarked)


def _training_row(prompt: list[Message], answer: Message, tools: list[dict[str, Any]]) -> TrainingRow:
    made: TrainingRow = {"prompt": prompt, "completion": [answer]}
    if tools:
        made["tools"] = tools
    return made
