"""The validation prompts that a run answers again and again: which ones, as tokens and as text.

Takes the validation part and a tokenizer, gives the first rows that can be asked. Of a plain text, its first third is the
prompt. It imports neither torch nor transformers.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ftkit.data import chat
from ftkit.data.storage import iterate_rows
from ftkit.models.chat_template import TemplateRefusal
from ftkit.training.options.model import Method
from ftkit.workers.training.preference.rows import said
from ftkit.workers.training.rows import FastTokenizer, prompt_ids

# Characters of a prompt or a reference that are kept: its two ends, half of them each.
_SHOWN = 2000


class Asked(NamedTuple):
    """One prompt.

    ``row`` is its number in the validation part, from 1; ``beginning``: it is the first third of a plain text; ``bad``: the
    data marks the reference as an answer to avoid.
    """

    row: int
    ids: list[int]
    prompt: str
    reference: str
    beginning: bool = False
    bad: bool = False


def first_prompts(
    file: Path,
    mapping: Mapping[str, str],
    tokenizer: FastTokenizer,
    limit: int,
    method: Method,
    most: int,
) -> list[Asked]:
    """The first ``most`` rows that fit the mapping and the model.

    Args:
        file: ``validation.parquet``.
        mapping: role → column.
        tokenizer: of the model.
        limit: tokens that a prompt must stay below.
        method: of training; it says what a row must have.
        most: how many.
    """
    found: list[Asked] = []
    for number, values in enumerate(iterate_rows(file), start=1):
        if len(found) >= most:
            break
        try:
            found += [
                one for one in _asked(number, values, mapping, tokenizer, method) if len(one.ids) < limit
            ]
        except (chat.RowProblem, TemplateRefusal):
            continue  # counted when the rows were prepared
    return found


def _asked(
    number: int,
    values: Mapping[str, Any],
    mapping: Mapping[str, str],
    tokenizer: FastTokenizer,
    method: Method,
) -> Iterator[Asked]:
    row = chat.training_row(values, mapping) if method == "sft" else said(values, mapping)
    if "text" in row:
        prompt, rest = _in_three(row["text"])
        if prompt:
            yield Asked(number, tokenizer.text(prompt), _shown(prompt), _shown(rest), beginning=True)
        return
    bad = method == "kto" and "chosen" not in mapping and not chat.label(values, mapping)
    reference = chat.answer_text(chat.turns(row["completion"], "assistant")[0])
    prompt = _text(chat.turns(row["prompt"], "user"))
    yield Asked(number, prompt_ids(row, tokenizer), _shown(prompt), _shown(reference), bad=bad)


def _in_three(text: str) -> tuple[str, str]:
    """The first third of a text, up to the end of a word, and the rest."""
    opening = text[: len(text) // 3]
    cut = opening.rstrip() if text[len(opening) : len(opening) + 1].isspace() else _whole_words(opening)
    return cut, text[len(cut) :].lstrip()


def _whole_words(text: str) -> str:
    """Without the word that may go on; all of it where there is one word only."""
    words = text.rsplit(maxsplit=1)
    return text[: len(text) - len(words[-1])].rstrip() if len(words) > 1 else text


def _text(turns: Sequence[chat.Message]) -> str:
    """The prompt without the instruction to the model, which is the same in most rows."""
    said_ = [turn for turn in turns if turn["role"] != "system"]
    many = len(said_) > 1
    return "\n\n".join(f"{turn['role']}: {turn['content']}" if many else turn["content"] for turn in said_)


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} … {text[-_SHOWN // 2 :]}"
