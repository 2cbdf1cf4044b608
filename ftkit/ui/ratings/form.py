"""What the form of a new study says, and what is wrong with it, in words.

Takes the values of the fields as Gradio gives them, gives a frozen ``Wishes`` and sentences. It asks no service.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ftkit.ratings.sampling import Sampling
from ftkit.ratings.studies.options import MOST_SIDES, Source, StudyOptions
from ftkit.ui.i18n import LANGUAGES, say

SOURCES = ("split", "dataset", "own")
COMPARING = frozenset({"pairs", "ranking"})
_MOST_CRITERIA = 8
_SHORTEST_NAME = 3


class Wishes(NamedTuple):
    """The fields of the form, in its order."""

    name: str
    sides: list[str]
    protocol: Any
    source: str
    split: str | None
    part: str
    dataset: str | None
    rows: float | None
    texts: str
    overlap: float | None
    gold: float | None
    criteria: str
    points: float | None
    guidelines: str
    reference: bool
    editing: bool
    longest: float | None
    temperature: float | None
    seed: float | None

    @property
    def prompts(self) -> list[str]:
        """Those that are written by hand."""
        return lines(self.texts)

    @property
    def marked(self) -> list[str]:
        """Criteria, where the protocol has any."""
        return lines(self.criteria) if self.protocol == "scales" else []

    @property
    def attention(self) -> int:
        """Items of attention; those that are written by hand have no known answer."""
        return int(self.gold or 0) if self.source != "own" else 0


def lines(text: str | None) -> list[str]:
    """Lines that are not empty."""
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def options(wishes: Wishes) -> StudyOptions:
    """Of the study.

    Raises:
        BadInput: something that ``mistakes`` does not know of.
    """
    values: dict[str, Any] = {
        "name": (wishes.name or "").strip(),
        "protocol": wishes.protocol,
        "sides": tuple(wishes.sides),
        "overlap": int(wishes.overlap or 0),
        "gold": wishes.attention,
        "guidelines": (wishes.guidelines or "").strip(),
        "show_reference": bool(wishes.reference) and wishes.source != "own",
        "editing": bool(wishes.editing),
        "seed": int(wishes.seed or 0),
        "sampling": Sampling.parse(
            {
                "max_new_tokens": int(wishes.longest or 0),
                "temperature": wishes.temperature,
                "seed": int(wishes.seed or 0),
            }
        ),
    }
    if wishes.protocol == "scales":
        values |= {"criteria": tuple(wishes.marked), "points": int(wishes.points or 0)}
    return StudyOptions.parse(values)


def source(wishes: Wishes) -> Source:
    """Where its prompts come from."""
    if wishes.source == "split":
        return Source(split=wishes.split or "", part=wishes.part)
    return Source(dataset=wishes.dataset or "") if wishes.source == "dataset" else Source()


def mistakes(wishes: Wishes, lang: str) -> list[str]:
    """What has to be mended before the study can be made, a sentence each."""
    compared = wishes.protocol in COMPARING
    marks = wishes.marked
    checks = {
        "sides" if compared else "sides_one": 1 + compared <= len(wishes.sides) <= MOST_SIDES,
        "split": wishes.source != "split" or bool(wishes.split),
        "dataset": wishes.source != "dataset" or bool(wishes.dataset),
        "texts": wishes.source != "own" or bool(wishes.prompts),
        "rows": wishes.source == "own" or _between(wishes.rows, 1, 1e6),
        "overlap": _between(wishes.overlap, 1, 50),
        "gold": wishes.source == "own" or _between(wishes.gold, 0, 100),
        "criteria": wishes.protocol != "scales"
        or (0 < len(marks) <= _MOST_CRITERIA and len({one.casefold() for one in marks}) == len(marks)),
        "points": wishes.protocol != "scales" or _between(wishes.points, 2, 10),
        "longest": _between(wishes.longest, 1, 4096),
        "temperature": _between(wishes.temperature, 0, 2),
        "seed": _between(wishes.seed, 0, 2**63 - 1),
    }
    return [say(f"ratings.mistake.{name}", lang) for name, fine in checks.items() if not fine]


def missing(wishes: Wishes, prompts: int, lang: str) -> str:
    """What is needed before the cost can be told."""
    if not wishes.sides:
        return say(f"ratings.mistake.{'sides' if wishes.protocol in COMPARING else 'sides_one'}", lang)
    if prompts > 0:
        return say("ratings.mistake.overlap", lang)
    return say("ratings.cost.no_texts" if wishes.source == "own" else "ratings.cost.missing", lang)


def named_in(text: str, names: Iterable[str]) -> str:
    """A name of a model that raters would read in the title or in the guidelines; empty where there is none."""
    said = text.casefold()
    found = (name for name in names if len(name) >= _SHORTEST_NAME and name.casefold() in said)
    return next(found, "")


def guidelines(protocol: str, lang: str) -> str:
    """The default guidelines."""
    return say(f"ratings.guide.{protocol}", lang)


def is_default(text: str | None, protocols: Sequence[str]) -> bool:
    """Whether a person has written nothing of their own."""
    defaults = {guidelines(protocol, lang) for protocol in protocols for lang in LANGUAGES}
    return not (text or "").strip() or (text or "") in defaults


def _between(value: float | None, least: float, most: float) -> bool:
    return value is not None and least <= value <= most
