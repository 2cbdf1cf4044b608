"""Items of a study, made of its prompts and of what the models answered.

Takes options, prompts and the worker's answers, gives items and a count of the prompts that became none. It chooses no rater and
asks no model.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from ftkit.ratings.studies.items import Item, ItemAnswer
from ftkit.ratings.studies.options import Prompt, StudyOptions


class Made(NamedTuple):
    """Items, and how many prompts were left out for which reason."""

    items: list[Item]
    left_out: dict[str, int]


def items_of(
    options: StudyOptions,
    prompts: Sequence[Prompt],
    answers: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    new_id: Callable[[], str],
) -> Made:
    """Freeze the answers.

    Args:
        options: of the study.
        prompts: what was asked.
        answers: what the worker wrote: ``prompt`` (index), ``side``, ``text``, ``tokens``, ``cut``.
        names: what models are called; an answer that says one of them is flagged.
        new_id: gives the id of an item.
    """
    said = {(int(one["prompt"]), str(one["side"])): one for one in answers}
    items: list[Item] = []
    left_out: Counter[str] = Counter()
    pairs = options.protocol == "pairs"
    for index, prompt in enumerate(prompts):
        for sides in combinations(options.sides, 2) if pairs else (options.sides,):
            if any((index, side) not in said for side in sides):
                left_out["no_answer"] += 1
                continue
            frozen = tuple(_answer(side, said[index, side], names) for side in sides)
            items.append(
                Item(
                    id=new_id(),
                    place=len(items),
                    prompt=prompt.messages,
                    answers=frozen,
                    reference=prompt.reference,
                    row=prompt.row,
                    slices=prompt.slices,
                )
            )
    return Made(items, dict(left_out))


def _answer(side: str, answer: Mapping[str, Any], names: Sequence[str]) -> ItemAnswer:
    text = str(answer["text"])
    named = tuple(
        name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)
    )
    return ItemAnswer(
        side=side, text=text, tokens=int(answer["tokens"]), cut=bool(answer["cut"]), named=named
    )
