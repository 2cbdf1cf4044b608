"""The items of a study out of its frozen answers: what raters will see, and what is left out and why.

Takes the options, prompts and answers, gives items and counts. The same arguments give the same items. In which order a rater
sees the answers of an item is not decided here.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from ftkit.ratings.studies.items import Item, ItemAnswer
from ftkit.ratings.studies.names import Names
from ftkit.ratings.studies.options import Prompt, StudyOptions

# Why there is no item: of prompts a missing answer, of comparisons the same answers, of gold items no prompt that fits.
MISSING, IDENTICAL, NO_GOLD = "missing_answer", "identical_answers", "gold_not_possible"
_CANDIDATES = 20  # wrong references that are looked at for a gold item
_WORD = re.compile(r"\w+")


class Made(NamedTuple):
    """Items in their order; ``left_out`` has counts by reason: prompts, comparisons, gold items."""

    items: list[Item]
    left_out: dict[str, int]


def items_of(
    options: StudyOptions,
    prompts: Sequence[Prompt],
    answers: Iterable[Mapping[str, Any]],
    names: Iterable[str],
    new_id: Callable[[], str],
) -> Made:
    """Make the items.

    Args:
        options: protocol, sides, how many gold items, seed.
        prompts: as they were asked.
        answers: lines of the worker's ``answers.jsonl``.
        names: ids and labels of the models.
        new_id: an id for each item.
    """
    known = {(line["prompt"], line["side"]): line for line in answers}
    searched = Names(names)
    whole = [n for n in range(len(prompts)) if all((n, side) in known for side in options.sides)]
    items: list[Item] = []
    identical = 0
    shown: set[int] = set()
    for sides, number in _turns(options, whole):
        chosen = [_answer(known[number, side], searched) for side in sides]
        if options.protocol in {"pairs", "ranking"} and len({one.text.strip() for one in chosen}) == 1:
            identical += 1
        else:
            shown.add(number)
            items.append(_item(new_id(), len(items), prompts[number], chosen))
    gold = list(_gold(options, prompts, shown, searched))
    for prompt, chosen, right in gold:
        made = _item(new_id(), len(items), prompt, chosen)
        items.append(made.model_copy(update={"gold": right}))
    counts = {MISSING: len(prompts) - len(whole), IDENTICAL: identical, NO_GOLD: options.gold - len(gold)}
    return Made(items, {reason: count for reason, count in counts.items() if count})


def _groups(options: StudyOptions) -> list[tuple[str, ...]]:
    """Which sides stand together: each two of them, or all."""
    return list(combinations(options.sides, 2)) if options.protocol == "pairs" else [options.sides]


def _turns(options: StudyOptions, prompts: Sequence[int]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Sides and numbers of prompts, so that the pairs of one prompt do not follow each other."""
    groups = _groups(options)
    for turn in range(len(groups)):
        for place, number in enumerate(prompts):
            yield groups[(turn + place) % len(groups)], number


def _answer(line: Mapping[str, Any], names: Names) -> ItemAnswer:
    return ItemAnswer(
        side=line["side"],
        text=line["text"],
        tokens=line.get("tokens", 0),
        cut=line.get("cut", False),
        named=names.said(line["text"]),
    )


def _item(id_: str, place: int, prompt: Prompt, answers: Sequence[ItemAnswer]) -> Item:
    return Item(
        id=id_,
        place=place,
        prompt=prompt.messages,
        answers=tuple(answers),
        reference=prompt.reference,
        row=prompt.row,
        slices=prompt.slices,
    )


def _gold(
    options: StudyOptions, prompts: Sequence[Prompt], shown: set[int], names: Names
) -> Iterator[tuple[Prompt, list[ItemAnswer], int]]:
    """Prompts with the right answer among wrong ones, which are right answers to other prompts; and where the right one is.

    There are as many answers as in every other item, so that nothing tells a gold one by its look. Prompts that became no item
    come first: nobody sees those twice.
    """
    if not options.gold:
        return
    draw = random.Random(f"{options.seed} gold")  # noqa: S311 - chance, not a secret
    with_reference = [number for number, prompt in enumerate(prompts) if prompt.reference.strip()]
    draw.shuffle(with_reference)
    order = sorted(with_reference, key=lambda number: number in shown)
    count = 2 if options.protocol == "pairs" else max(2, len(options.sides))
    made = 0
    for number in order:
        wrong = _wrong([prompts[one].reference for one in order], prompts[number].reference, count - 1, draw)
        if len(wrong) < count - 1:
            continue
        right = draw.randrange(count)
        texts = [*wrong[:right], prompts[number].reference, *wrong[right:]]
        yield (
            prompts[number],
            [ItemAnswer(side="", text=text, named=names.said(text)) for text in texts],
            right,
        )
        made += 1
        if made == options.gold:
            return


def _wrong(references: Sequence[str], right: str, count: int, draw: random.Random) -> list[str]:
    """Other references, the least like the right one among some that chance gives."""
    others = list({text.strip(): text for text in references if text.strip() != right.strip()}.values())
    candidates = draw.sample(others, min(len(others), _CANDIDATES))
    return sorted(candidates, key=lambda text: _likeness(text, right))[:count]


def _likeness(one: str, other: str) -> float:
    """Share of the words that two texts have in common."""
    first, second = (set(_WORD.findall(text.casefold())) for text in (one, other))
    return len(first & second) / max(1, len(first | second))
