"""What a rater says of one task: checked against the study's protocol, and turned into the order of the item.

Takes what came over the wire, where answers are counted as they stood on the rater's page, gives values that count them in the
order of the item, and back. It stores nothing and knows no rater.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ftkit.errors import BadInput
from ftkit.ratings.results.rated import BOTH_BAD, TIE
from ftkit.ratings.studies.options import StudyOptions

MOST_TEXT = 20_000  # characters of a comment or of an edited answer

_SAYS = {"pairs": "choice", "scales": "scores", "ranking": "ranks", "pass_fail": "passed"}
_WORDS = (TIE, BOTH_BAD)


class Asked(NamedTuple):
    """What a task allows: the study's options, and how many answers it shows."""

    options: StudyOptions
    answers: int


def check(values: object, asked: Asked, *, whole: bool) -> dict[str, Any]:
    """The values, with texts that can be stored.

    Args:
        values: as they came.
        asked: what the task allows.
        whole: a rating must say everything; a draft may be incomplete.

    Raises:
        BadInput: a field is unknown, missing or out of its range.
    """
    if not isinstance(values, Mapping):
        raise _bad("values", "an object")
    says = _SAYS[asked.options.protocol]
    allowed = {says, "comment", "flag", "edits"}
    if unknown := sorted(str(name)[:50] for name in values if name not in allowed):
        raise _bad(unknown[0], "nothing; there is no such field")
    found: dict[str, Any] = {}
    if says in values or whole:
        found[says] = _CHECKS[says](values.get(says), asked, whole)
    if "comment" in values:
        found["comment"] = _text(values["comment"], "comment")
    if "flag" in values:
        if not isinstance(values["flag"], bool):
            raise _bad("flag", "true or false")
        found["flag"] = values["flag"]
    if "edits" in values:
        found["edits"] = _edits(values["edits"], asked)
    return found


def to_item(values: Mapping[str, Any], order: Sequence[int]) -> dict[str, Any]:
    """From the order of the page to that of the item; ``order[i]`` is the answer in place i of the page."""
    return _turn(values, order)


def to_page(values: Mapping[str, Any], order: Sequence[int]) -> dict[str, Any]:
    """From the order of the item to that of the page."""
    back = [0] * len(order)
    for place, answer in enumerate(order):
        back[answer] = place
    return _turn(values, back)


def _turn(values: Mapping[str, Any], to: Sequence[int]) -> dict[str, Any]:
    """What was said of place i is said of place ``to[i]``."""
    turned = dict(values)
    choice = values.get("choice")
    if isinstance(choice, int):
        turned["choice"] = to[choice]
    for name in ("scores", "ranks", "passed"):
        if isinstance(values.get(name), Sequence):
            by_place = sorted(zip(to, values[name], strict=True), key=lambda pair: pair[0])
            turned[name] = [said for _, said in by_place]
    if "edits" in values:
        turned["edits"] = {str(to[int(place)]): text for place, text in values["edits"].items()}
    return turned


def _choice(value: object, asked: Asked, whole: bool) -> object:
    if value is None and not whole:
        return None
    if value in _WORDS or _is_int(value, 0, asked.answers - 1):
        return value
    raise _bad("choice", f'0 to {asked.answers - 1}, "{TIE}" or "{BOTH_BAD}"')


def _scores(value: object, asked: Asked, whole: bool) -> object:
    criteria, points = asked.options.criteria, asked.options.points
    for one in _each(value, "scores", asked):
        marks = one if one is not None or whole else {}
        if not isinstance(marks, Mapping) or set(marks) - set(criteria):
            raise _bad("scores", f"for each answer points for {', '.join(criteria)}")
        for criterion in criteria:
            mark = marks.get(criterion)
            if not _is_int(mark, 1, points) and (whole or mark is not None):
                raise _bad(f"scores ({criterion})", f"1 to {points} for each answer")
    return value


def _ranks(value: object, asked: Asked, whole: bool) -> object:
    ranks = _each(value, "ranks", asked)
    told = [rank for rank in ranks if rank is not None]
    if not all(_is_int(rank, 1, asked.answers) for rank in told) or (whole and len(told) < len(ranks)):
        raise _bad("ranks", f"1 to {asked.answers} for each answer")
    if whole and 1 not in told:
        raise _bad("ranks", "1 for the best answer")
    return value


def _passed(value: object, asked: Asked, whole: bool) -> object:
    for one in _each(value, "passed", asked):
        if not isinstance(one, bool) and (whole or one is not None):
            raise _bad("passed", "true or false for each answer")
    return value


def _each(value: object, name: str, asked: Asked) -> list[Any]:
    if not isinstance(value, list) or len(value) != asked.answers:
        raise _bad(name, f"a list of {asked.answers}, one for each answer")
    return value


def _edits(value: object, asked: Asked) -> dict[str, str]:
    places = {str(place) for place in range(asked.answers)}
    if not isinstance(value, Mapping) or set(value) - places:
        raise _bad("edits", "an object with the number of an answer and its text")
    if value and not asked.options.editing:
        raise _bad("edits", "nothing; answers cannot be changed in this study")
    texts = {place: _text(text, "edits") for place, text in value.items()}
    return {place: text for place, text in texts.items() if text.strip()}


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise _bad(name, f"text of at most {MOST_TEXT:,} characters")
    # Half an emoji or a NUL cannot be stored everywhere; halves that belong together are joined.
    whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "")


def _is_int(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _bad(field: str, wanted: str) -> BadInput:
    return BadInput(
        "raters.bad_value",
        "{field} cannot be used: wanted is {wanted}. Reload the page and rate this one again.",
        field=field,
        wanted=wanted,
    )


_CHECKS: Mapping[str, Callable[[object, Asked, bool], object]] = {
    "choice": _choice,
    "scores": _scores,
    "ranks": _ranks,
    "passed": _passed,
}
