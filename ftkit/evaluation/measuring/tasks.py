"""What a model is asked to do, found from the prompts and references of an evaluation.

Takes texts, gives a task, which suggests the metrics. A person can always say otherwise; nothing is asked of a model.
"""

import re
from collections.abc import Sequence
from statistics import median

from ftkit.evaluation.measuring.catalogue import Task
from ftkit.evaluation.measuring.scores import (
    LONGEST_CATEGORY,
    MOST_CATEGORIES,
    answer_label,
    json_object,
)

_MOST = 0.5  # of the rows must show a sign
_ROWS_A_LABEL = 2  # fewer rows for each different reference are no classes
_LONG_PROMPT = 400  # characters; what is summarised is longer
_SUMMARY = 0.25  # of the prompt's length at most
_SHORTEST_SUMMARY = 40  # characters; below it the answer is a fact that was looked up
_INSTRUCTION = 400  # characters at either end of a prompt, where it says what to do

_TRANSLATE = re.compile(r"\btranslat(?:e|es|ed|ing|ion)\b|\b(?:çevir|çeviri|tercüme)\w*", re.IGNORECASE)
_SUMMARISE = re.compile(r"\bsummar(?:y|ies|i[sz]e\w*)\b|\btl;?dr\b|\bözet\w*", re.IGNORECASE)
_TURNS = re.compile(r"(?:\A|\n\n)assistant: ")


def find_task(prompts: Sequence[str], references: Sequence[str]) -> Task:
    """The first of these that holds, else ``generation``.

    At least half of the references are JSON objects: extraction. At least half of the prompts have an earlier answer
    in them: chat. Few short references that come again and again: classification. At least half of the prompts say
    so: translation or summarising. References much shorter than long prompts: summarising.

    Args:
        prompts: with the system message before each, turns as ``role: text`` where there are several.
        references: of the same rows.
    """
    if _share([json_object(text) is not None for text in references]) >= _MOST:
        return "extraction"
    if _share([bool(_TURNS.search(text)) for text in prompts]) >= _MOST:
        return "chat"
    if _are_classes(references):
        return "classification"
    if _share([_says(_TRANSLATE, text) for text in prompts]) >= _MOST:
        return "translation"
    if _share([_says(_SUMMARISE, text) for text in prompts]) >= _MOST or _are_shorter(prompts, references):
        return "summarising"
    return "generation"


def _are_classes(references: Sequence[str]) -> bool:
    labels = {answer_label(text) for text in references}
    short = sum(map(len, references)) <= LONGEST_CATEGORY * len(references)
    few = 0 < len(labels) <= min(MOST_CATEGORIES, len(references) / _ROWS_A_LABEL)
    return short and few


def _are_shorter(prompts: Sequence[str], references: Sequence[str]) -> bool:
    if not references:
        return False
    asked, wanted = median(map(len, prompts)), median(map(len, references))
    return asked >= _LONG_PROMPT and _SHORTEST_SUMMARY <= wanted <= _SUMMARY * asked


def _says(what: re.Pattern[str], text: str) -> bool:
    return bool(what.search(text[:_INSTRUCTION]) or what.search(text[-_INSTRUCTION:]))


def _share(signs: Sequence[bool]) -> float:
    return sum(signs) / len(signs) if signs else 0.0
