"""Ratings as rows for other programs: one for each rating, with what was asked, what was said, and whether it counts.

Takes ratings with their items, gives rows. It writes no file.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftkit.ratings.results.rated import Rated
from ftkit.ratings.results.selecting import Asked, Selected
from ftkit.ratings.studies.items import Item

COLUMNS = (
    *("study", "item", "place", "rater", "rater_name", "protocol", "gold", "left_out", "prompt", "reference"),
    *(
        "sides",
        "answers",
        "shown_order",
        "preferred",
        "scores",
        "ranks",
        "passed",
        "comment",
        "flag",
        "edits",
    ),
    *("seconds", "row", "slices", "revision", "hash"),
)


def rows_of(
    study: str,
    ratings: Sequence[Rated],
    chosen: Selected,
    asked: Asked,
    items: Mapping[str, Item],
    names: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """One row for each rating, those that do not count among them, with the reason in ``left_out``."""
    for rated, reason in zip(ratings, chosen.reasons, strict=True):
        item, values = items.get(rated.item), rated.values
        yield {
            "study": study,
            "item": rated.item,
            "place": rated.place,
            "rater": rated.rater,
            "rater_name": names.get(rated.rater, ""),
            "protocol": asked.protocol,
            "gold": rated.gold,
            "left_out": reason,
            "prompt": list(item.prompt) if item else None,
            "reference": item.reference if item else None,
            "sides": list(rated.sides),
            "answers": [answer.text for answer in item.answers] if item else None,
            "shown_order": list(rated.order),
            "preferred": _preferred(rated),
            "scores": values.get("scores"),
            "ranks": values.get("ranks"),
            "passed": values.get("passed"),
            "comment": values.get("comment", ""),
            "flag": bool(values.get("flag")),
            "edits": values.get("edits") or {},
            "seconds": rated.seconds,
            "row": rated.row,
            "slices": dict(rated.slices),
        }


def _preferred(rated: Rated) -> Any:
    """The side that was chosen, or the word; an answer of a gold item is nobody's, so that its index stands for it."""
    choice = rated.values.get("choice")
    if isinstance(choice, int) and 0 <= choice < len(rated.sides):
        return rated.sides[choice] or choice
    return choice
