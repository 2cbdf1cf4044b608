"""Results of rating studies, for the owner: live while raters rate, and as files for other programs.

Takes study ids, gives dicts and downloads. The results of the last few studies are kept until something changes. It changes nothing.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from ftkit.downloads import MEDIA_TYPES, Download, csv_pieces, jsonl_pieces, plain_name
from ftkit.errors import BadInput
from ftkit.ratings.results.exporting import COLUMNS, rows_of
from ftkit.ratings.results.rated import Rated
from ftkit.ratings.results.selecting import Asked, ResultOptions, names_of, select
from ftkit.ratings.sides.names import Side
from ftkit.ratings.sides.service import SideService
from ftkit.ratings.studies.items import Item
from ftkit.ratings.studies.service import StudyService
from ftkit.ratings.studies.views import RaterView, StudyView
from ftkit.statistics import Agreement

KEPT = 8


class Opinion(NamedTuple):
    """Somebody else who has compared two models of a study on the rows that its prompts are of.

    Args:
        base: name of the one side.
        tuned: of the other.
        version: a new one means another opinion.
        agree: takes whom most raters prefer, by row, and gives a name, what it is ("judge" or "metric"), and the agreement, each.
    """

    base: str
    tuned: str
    version: Hashable
    agree: Callable[[Mapping[int, str]], list[tuple[str, str, Agreement]]]


Opinions = Callable[[StudyView], Sequence[Opinion]]
_TO = ("csv", "jsonl")


class ResultService:
    """Results of the studies of one data folder."""

    def __init__(self, studies: StudyService, sides: SideService, opinions: Opinions) -> None:
        """Results over the studies of a data folder.

        Args:
            studies: whose.
            sides: to tell what models are called.
            opinions: who else has compared a study's models on its rows.
        """
        self._studies = studies
        self._sides = sides
        self._opinions = opinions
        self._kept: OrderedDict[tuple[Any, ...], dict[str, Any]] = OrderedDict()
        self._lock = Lock()

    def results(self, study_id: str, options: ResultOptions | None = None) -> dict[str, Any]:
        """What the ratings say so far.

        Returns:
            The dict of ``summary.summarise`` and: ``study`` (id), ``name``, ``state``, ``changes``, ``wanted`` (ratings), ``complete``
            (items), ``labels`` (what a person calls each side), ``names`` (of raters), ``compared``: {kind, name, rows, share, kappa,
            meaning}, how far the majority agrees with the judge and with metrics. Not to be changed: it is given to others too.

        Raises:
            NotFound: there is no such study.
        """
        from ftkit.ratings.results.summary import summarise  # noqa: PLC0415 - numpy, which pages load late

        options = options or ResultOptions()
        view, raters = self._studies.get(study_id), self._studies.raters(study_id)
        revoked = _revoked(raters)
        opinions = self._opinions(view)
        said = tuple(one.version for one in opinions)
        key = (study_id, view.changes, view.state, view.items, frozenset(revoked), options, said)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        ratings, asked = self._studies.rated(study_id), asked_of(view)
        words = {item.id: _words(item) for item in self._studies.items(study_id)}
        found = {
            "study": study_id,
            "name": view.study.name,
            "state": view.state,
            "changes": view.changes,
            "wanted": view.wanted,
            "complete": view.complete,
            "labels": self._labels(view),
            "names": names_of({one.rater: one.name for one in raters}, ratings),
            **summarise(ratings, asked, revoked, words, options),
            "compared": list(_compared(opinions, select(ratings, asked, revoked, options).used, asked)),
        }
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def export(self, study_id: str, to: str, options: ResultOptions | None = None) -> Download:
        """All ratings as a file, one row each; those that do not count say why.

        Args:
            study_id: of the study.
            to: ``csv`` (for spreadsheets: no cell of it is a formula) or ``jsonl`` (every value as it is).
            options: who is left out.

        Raises:
            NotFound: there is no such study.
            BadInput: there is no such format.
        """
        if to not in _TO:
            raise BadInput(
                "data.unknown_format",
                "There is no format {to}. Use one of: {known}.",
                to=repr(to[:40]),
                known=", ".join(_TO),
            )
        view, raters = self._studies.get(study_id), self._studies.raters(study_id)
        ratings, asked = self._studies.rated(study_id), asked_of(view)
        chosen = select(ratings, asked, _revoked(raters), options or ResultOptions())
        rows = rows_of(
            study_id,
            ratings,
            chosen,
            asked,
            {item.id: item for item in self._studies.items(study_id)},
            {one.rater: one.name for one in raters},
        )
        signed = _with_hashes(rows, self._studies.history(study_id))
        pieces = csv_pieces(COLUMNS, signed) if to == "csv" else jsonl_pieces(signed)
        return Download(
            f"{plain_name(view.study.name)}-ratings.{to}",
            MEDIA_TYPES["csv" if to == "csv" else "jsonl"],
            pieces,
        )

    def _labels(self, view: StudyView) -> dict[str, str]:
        """What a person calls each side; the name itself where two would be called alike."""
        labels = {side: self._sides.label(Side.parse(side)) for side in view.options.sides}
        called = list(labels.values())
        return {side: label if called.count(label) == 1 else side for side, label in labels.items()}


def asked_of(view: StudyView) -> Asked:
    """What a study asks."""
    options = view.options
    criteria = options.criteria if options.protocol == "scales" else ()
    return Asked(options.protocol, options.sides, criteria, options.points, options.overlap)


def _compared(
    opinions: Sequence[Opinion], ratings: Sequence[Rated], asked: Asked
) -> Iterator[dict[str, Any]]:
    from ftkit.ratings.results.summary import majority  # noqa: PLC0415 - as above

    for one in opinions:
        for name, kind, found in one.agree(majority(ratings, asked, one.base, one.tuned)):
            if found.rows:
                yield {"kind": kind, "name": name, **found.as_dict()}


def _revoked(raters: list[RaterView]) -> set[str]:
    return {one.rater for one in raters if one.revoked_at is not None}


def _words(item: Item) -> int:
    """What a rater has to read for it; a prompt that stays the same is read once, so the answers count alone."""
    return sum(len(answer.text.split()) for answer in item.answers)


def _with_hashes(rows: Iterator[dict[str, Any]], history: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each row with the line of the history that it follows."""
    newest = {(one["item"], one["rater"]): one for one in history}
    for row in rows:
        line = newest.get((row["item"], row["rater"]), {})
        yield {**row, "revision": line.get("revision"), "hash": line.get("hash")}
