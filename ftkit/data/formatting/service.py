"""Formatting's public face: a dataset in another shape, and a row as the trainer gets it.

Takes ids, gives records. Templates and tokenizers run in short workers; a formatted dataset is a new one, its parent
stays as it is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ftkit.data import mapping as roles
from ftkit.data import storage
from ftkit.data.formatting.shapes import CARRIED, MAPPINGS, SHAPES, Shape
from ftkit.data.formatting.templates import LONGEST, TEMPLATES
from ftkit.errors import BadInput, NotFound, WorkerFault
from ftkit.jobs.call import call_worker
from ftkit.records import PARTS, Dataset, Part, Record, Skipped, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building, hash_file

_SECONDS = 60  # processor time of a formatting, and for each thousand rows:
_SECONDS_EACH = 2
_VIEW_SECONDS = 60.0
_ENDED_BY_LIMITS = ("", "MemoryError")  # the last words of a worker that met its limits


class Token(Record):
    """One token of a row.

    Args:
        id: in the model's vocabulary.
        text: what it stands for; empty where the next token completes a character.
        trained: whether the loss counts it.
        beyond: whether it is behind the longest row, so that the whole row is left out.
    """

    id: int
    text: str
    trained: bool
    beyond: bool


class TokenView(Record):
    """A row as the trainer gets it; with a ``problem`` it has no tokens.

    ``longest``: tokens that the model reads at once; an encoder-decoder model reads question and answer apart.
    """

    tokens: tuple[Token, ...] = ()
    limit: int
    longest: int = 0
    problem: str = ""


class FormattingService:
    """Formatting over one data folder."""

    def __init__(
        self,
        artefacts: Artefacts,
        folders: Folders,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        environment: Mapping[str, str],
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._clock = clock
        self._new_id = new_id
        self._environment = environment

    def templates(self) -> tuple[str, ...]:
        """Names of the instruction templates that come with ftkit."""
        return tuple(TEMPLATES)

    def format(
        self,
        dataset_id: str,
        shape: Shape,
        *,
        mapping: Mapping[str, str] | None = None,
        template: str = "",
        model: str = "",
        name: str | None = None,
    ) -> Dataset:
        """A new dataset whose rows have this shape; rows that cannot have it are skipped and counted.

        Args:
            dataset_id: where the rows come from.
            shape: ``chat``, ``completion``, ``text`` or ``preference``.
            mapping: role → column, if not the dataset's own.
            template: for completion and text: a name of ``templates()``, or Jinja text of one's own.
            model: id of a model whose chat template is used instead.
            name: of the new dataset.

        Raises:
            BadInput: a role, the shape or the template does not work, or no row can have the shape.
            NotFound: there is no such dataset or model.
        """
        old = self._artefacts.get(Dataset, dataset_id)
        if shape not in SHAPES:
            raise BadInput(
                "data.unknown_shape",
                "There is no form {shape}. Use one of: {known}.",
                shape=shape,
                known=", ".join(SHAPES),
            )
        storage.check_unchanged(self._rows_of(old), old.file_hash)
        given = old.mapping if mapping is None else roles.check(mapping, old.columns)
        question = {
            "source": str(self._rows_of(old)),
            "mapping": given,
            "shape": shape,
            "template": _source(template, shape),
            "model": str(self._model(model)) if model else "",
            "seconds": _SECONDS + _SECONDS_EACH * old.rows // 1000,
        }
        texts = shape == "text" and "text" in given and not {"messages", "prompt"} & given.keys()
        draft = Dataset(
            id=self._new_id(),
            name=name or f"{old.name} · {shape}",
            created_at=self._clock(),
            parents=(old.id,),
            versions=storage.versions(),
            rows=0,
            columns=(),
            mapping={
                **({"text": "text"} if texts else MAPPINGS[shape]),
                **{role: given[role] for role in CARRIED[shape] if role in given},
            },
            license=old.license,
        )
        return self._built(draft, question)

    def token_view(
        self,
        of: str,
        row: int,
        model: str,
        *,
        part: Part | None = None,
        max_length: int = 1024,
        completion_only: bool = True,
    ) -> TokenView:
        """A row token by token, by the trainer's own code.

        Args:
            of: id of a dataset, or of a split where a part is given.
            row: counted from 0.
            model: id of a model on this machine.
            part: which part of a split.
            max_length: longest row of the run; the model's own limit counts too.
            completion_only: learn the answer only.

        Raises:
            BadInput: there is no such row, or the model cannot take it.
            NotFound: there is no such dataset, split or model.
        """
        file, mapping, rows = self._part(of, part) if part else self._whole(of)
        if not 0 <= row < rows:
            raise BadInput(
                "data.no_such_row",
                "There is no row {row}: the dataset has {rows} rows, counted from 0.",
                row=row,
                rows=rows,
            )
        question = {
            "file": str(file),
            "mapping": mapping,
            "row": row,
            "model": str(self._model(model)),
            "max_length": max_length,
            "completion_only_loss": completion_only,
        }
        seen = call_worker("data.view", question, self._environment, _VIEW_SECONDS)
        tokens = (
            Token(id=id_, text=text, trained=label is not None, beyond=place >= seen["limit"])
            for id_, label, text, place in zip(
                seen["ids"], seen["labels"], seen["texts"], seen["places"], strict=True
            )
        )
        return TokenView(
            tokens=tuple(tokens), limit=seen["limit"], longest=seen["longest"], problem=seen["problem"]
        )

    def _built(self, draft: Dataset, question: Mapping[str, Any]) -> Dataset:
        with building(self._folders.dataset(draft.id)) as folder:
            target = folder / storage.ROWS
            made = self._ask({**question, "target": str(target)})
            written = hash_file(target)
            found = {
                "rows": made["rows"],
                "columns": tuple(made["columns"]),
                "skipped_count": made["skipped_count"],
                "skipped": tuple(Skipped(line=line, reason=reason) for line, reason in made["skipped"]),
                "content_hash": written,
                "file_hash": written,
            }
            record = draft.model_copy(update=found)
        self._artefacts.add(record)
        return record

    def _ask(self, question: Mapping[str, Any]) -> Any:
        try:
            return call_worker("data.format", question, self._environment, 2.0 * question["seconds"])
        except WorkerFault as fault:
            if fault.key != "jobs.too_slow" and fault.values["reason"] not in _ENDED_BY_LIMITS:
                raise
            raise BadInput(
                "data.template_too_heavy",
                "The template takes too much time or memory. Make its loops smaller.",
            ) from fault

    def _whole(self, id_: str) -> tuple[Path, dict[str, str], int]:
        dataset = self._artefacts.get(Dataset, id_)
        return self._rows_of(dataset), dataset.mapping, dataset.rows

    def _part(self, id_: str, part: Part) -> tuple[Path, dict[str, str], int]:
        if part not in PARTS:
            raise BadInput(
                "data.unknown_part",
                "There is no part {part}. Use one of: {known}.",
                part=part,
                known=", ".join(PARTS),
            )
        split = self._artefacts.get(Split, id_)
        return self._folders.split(split.id) / f"{part}.parquet", split.mapping, split.sizes[part]

    def _rows_of(self, dataset: Dataset) -> Path:
        return self._folders.dataset(dataset.id) / storage.ROWS

    def _model(self, id_: str) -> Path:
        folder = self._folders.model(id_)
        if not (folder / "tokenizer.json").is_file():
            raise NotFound(
                "models.not_here",
                "The model {model} is not on this machine. Get it on the Model page or with: ftkit models pull {model}",
                model=id_,
            )
        return folder


def _source(template: str, shape: Shape) -> str:
    """The Jinja text; rows of prompt and completion stay plain unless asked otherwise, texts get the usual form."""
    if len(template) > LONGEST:
        raise BadInput(
            "data.template_too_long",
            "The template has more than {limit} characters. Shorten it.",
            limit=LONGEST,
        )
    return TEMPLATES.get(template or ("plain" if shape == "completion" else "alpaca"), template)
