"""What a rater's page is told of a study and of a task.

Takes an item and the order of its answers, gives plain values. Names of models, gold, slices and rows of the data stay behind.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ftkit.ratings.studies.items import Item
from ftkit.ratings.studies.options import StudyOptions
from ftkit.ratings.studies.values import to_page

_BEGINNING = 80  # characters


class Given(Protocol):
    """What is needed of an assignment."""

    @property
    def id(self) -> str: ...  # noqa: D102 - named by the protocol
    @property
    def answer_order(self) -> Sequence[int]: ...  # noqa: D102 - named by the protocol
    @property
    def draft(self) -> Mapping[str, Any] | None: ...  # noqa: D102 - named by the protocol
    @property
    def draft_number(self) -> int: ...  # noqa: D102 - named by the protocol


def study_of(options: StudyOptions) -> dict[str, Any]:
    """The study, without its models."""
    return {
        "title": options.name,
        "guidelines": options.guidelines,
        "protocol": options.protocol,
        "criteria": list(options.criteria) if options.protocol == "scales" else [],
        "points": options.points,
        "editing": options.editing,
    }


def task_of(
    given: Given, item: Item, said: Mapping[str, Any] | None, options: StudyOptions
) -> dict[str, Any]:
    """A task as its page shows it; ``said`` is the rating that it has, in the order of the item."""
    return {
        "id": given.id,
        "prompt": [{"role": one["role"], "content": one["content"]} for one in item.prompt],
        "answers": [item.answers[answer].text for answer in given.answer_order],
        "reference": item.reference if options.show_reference else "",
        "draft": given.draft,
        "draft_number": given.draft_number,
        "rating": None if said is None else to_page(said, given.answer_order),
    }


def beginning(content: Mapping[str, Any]) -> str:
    """How an item's prompt begins: the last that the person said."""
    said = [one["content"] for one in content["prompt"] if one["role"] == "user"]
    text = " ".join((said or [content["prompt"][-1]["content"]])[-1].split())
    return text if len(text) <= _BEGINNING else f"{text[: _BEGINNING - 1].rstrip()}…"
