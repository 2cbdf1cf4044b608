"""The error analysis's public face: rows of an evaluation by selection, tags, right answers, and rows to send onwards.

Takes evaluation ids, selections and words, gives analyses and places of rows. Tags lie in the database; right answers beside
the samples as ``answers.jsonl``, to which lines are only ever added. It makes no dataset: that is the data room's part.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ftkit.errors import BadInput, Refused
from ftkit.evaluation.errors import tagging
from ftkit.evaluation.errors.analysis import Analysis, LookedAt
from ftkit.evaluation.errors.selection import Selection
from ftkit.evaluation.service import EvaluationService, EvaluationView
from ftkit.jobs.service import Clock
from ftkit.records import Dataset, Part, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, read_json
from ftkit.store.tags import TagTable

_ANSWERS = "answers.jsonl"
_LONGEST = 1_000_000  # characters of a right answer
_KEPT = 4  # analyses in memory


class Looked(NamedTuple):
    """An evaluation that is looked through, with what people said of its rows."""

    view: EvaluationView
    report: dict[str, Any]
    analysis: Analysis
    tags: dict[int, tuple[str, ...]]
    answers: dict[int, str]

    def chosen(self, selection: Selection) -> list[LookedAt]:
        """The rows of a selection in its order."""
        return self.analysis.chosen(selection, self.tags)

    def tag_counts(self) -> dict[str, int]:
        """How many rows have each tag, the commonest first."""
        return dict(Counter(tag for given in self.tags.values() for tag in given).most_common())


class Places(NamedTuple):
    """Where rows stand: ``answers`` are the right ones of those that a person corrected."""

    split: str
    part: Part
    rows: tuple[int, ...]
    answers: dict[int, str]


class ErrorService:
    """Error analysis over one data folder."""

    def __init__(
        self,
        evaluation: EvaluationService,
        artefacts: Artefacts,
        folders: Folders,
        tags: TagTable,
        clock: Clock,
    ) -> None:
        self._evaluation = evaluation
        self._artefacts = artefacts
        self._folders = folders
        self._tags = tags
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, Analysis] = {}

    def look(self, id_: str) -> Looked:
        """An evaluation with its rows.

        Raises:
            NotFound: there is none with this id.
            Refused: it is not done.
        """
        view = self._evaluation.get(id_)
        if view.report is None:
            raise Refused(
                "errors.not_done",
                "The evaluation is {state}. Its rows can be looked through once it is done.",
                state=view.job.state,
            )
        return Looked(view, view.report, self._analysis(id_), self._tags.of(id_), self._answers(id_))

    def tag(self, id_: str, rows: Sequence[int], tag: str, by: str) -> str:
        """Give rows a tag; gives it as it is kept.

        Raises:
            BadInput: it is no tag, there is no such row, or a row has too many of them.
        """
        kept = tagging.checked(tag)
        self._check_rows(id_, rows)
        full = self._tags.add(id_, rows, kept, by, self._clock(), tagging.MOST_OF_A_ROW)
        if full:
            raise BadInput(
                "errors.many_tags",
                "Row {row} (counted from 0) has {most} tags already. Take one back first.",
                row=full[0],
                most=tagging.MOST_OF_A_ROW,
            )
        return kept

    def untag(self, id_: str, row: int, tag: str) -> None:
        """Take a tag back."""
        self._check_rows(id_, [row])
        self._tags.remove(id_, row, tag)

    def correct(self, id_: str, row: int, answer: str) -> None:
        """Say what the right answer of a row is; an empty text takes it back.

        Raises:
            BadInput: there is no such row, or the text is too long.
        """
        self._check_rows(id_, [row])
        if len(answer) > _LONGEST:
            raise BadInput(
                "errors.long_answer",
                "The text is longer than {limit} characters. Shorten it.",
                limit=_LONGEST,
            )
        line = {"row": row, "answer": answer, "at": self._clock().isoformat(timespec="seconds")}
        with self._lock, self._answers_file(id_).open("a", encoding="utf-8") as stream:
            stream.write("\n" + json.dumps(line, ensure_ascii=False))  # behind a line torn by a crash
            stream.flush()
            os.fsync(stream.fileno())

    def places(self, id_: str, rows: Sequence[int]) -> Places:
        """Where rows of an evaluation stand, for the data room.

        Raises:
            BadInput: one is no row of it.
        """
        self._check_rows(id_, rows)
        looked = self.look(id_)
        wanted = set(rows)
        answers = {row: text for row, text in looked.answers.items() if row in wanted}
        evaluation = looked.view.evaluation
        return Places(evaluation.split, evaluation.part, tuple(rows), answers)

    def source(self, id_: str, row: int) -> tuple[Dataset | None, int]:
        """The dataset that a row of an evaluation came from, None where it is gone, and its number there."""
        evaluation = self._evaluation.get(id_).evaluation
        split = self._artefacts.get(Split, evaluation.split)
        manifest = read_json(self._folders.split(split.id) / "manifest.json") or {}
        numbers = manifest.get("rows", {}).get(evaluation.part, [])
        origin = split.test_dataset if evaluation.part == "test" and split.test_dataset else split.dataset
        found = next((one for one in self._artefacts.all(Dataset) if one.id == origin), None)
        return (found, int(numbers[row])) if row < len(numbers) else (None, row)

    def _check_rows(self, id_: str, rows: Sequence[int]) -> None:
        known = {
            int(sample["row"]) for sample in self._analysis(self._evaluation.get(id_).evaluation.id).samples
        }
        unknown = [row for row in rows if row not in known]
        if unknown:
            raise BadInput(
                "errors.no_such_row",
                "The evaluation has no row {row} (counted from 0). Choose another one.",
                row=unknown[0],
            )

    def _analysis(self, id_: str) -> Analysis:
        """From memory where it was looked at lately: the files of an evaluation never change."""
        with self._lock:
            kept = self._kept.pop(id_, None)
        if kept is None:
            samples = self._evaluation.samples(id_, 0, None)
            if not samples:
                raise Refused(
                    "errors.no_rows",
                    "The rows of the evaluation {id} are not there. Evaluate the run again.",
                    id=id_,
                )
            kept = Analysis(samples)
        with self._lock:
            self._kept[id_] = kept
            for old in list(self._kept)[:-_KEPT]:
                del self._kept[old]
        return kept

    def _answers(self, id_: str) -> dict[int, str]:
        try:
            lines = self._answers_file(id_).read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return {}
        said = [json.loads(line) for line in lines if line.endswith("}")]
        last = {int(one["row"]): str(one["answer"]) for one in said}
        return {row: text for row, text in last.items() if text}

    def _answers_file(self, id_: str) -> Path:
        return self._folders.evaluation(id_) / _ANSWERS
