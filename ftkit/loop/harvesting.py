"""From the requests of a served model to the next dataset, and from that dataset to the next run.

Takes wishes or ids of requests, gives a dataset of conversations and what the train page is opened with. It chooses no request and
trains nothing.
"""

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ftkit.data.phrases import phrase
from ftkit.data.service import DataService
from ftkit.data.splits.service import SplitService
from ftkit.errors import BadInput, FtkitError, NotFound
from ftkit.loop.service import NextTraining
from ftkit.monitoring.harvest.service import HarvestService
from ftkit.monitoring.harvest.wishes import Candidate, HarvestWishes
from ftkit.records import Dataset, Run, Split
from ftkit.training.continuing import recipe_for
from ftkit.training.service import TrainingService

_SFT = "sft"
_RATIOS = ((0.8, 0.1, 0.1), (0.8, 0.2, 0.0), (1.0, 0.0, 0.0))
_FURTHEST = 20  # datasets made of datasets


class Fields(NamedTuple):
    """The services that a harvest joins; ``run_of`` gives the run behind a version of the gateway."""

    harvests: HarvestService
    data: DataService
    splits: SplitService
    training: TrainingService
    run_of: Callable[[str], str | None]
    is_adapter: Callable[[str], bool]


class Harvesting:
    """Harvests over one data folder."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def harvest(self, what: HarvestWishes | Sequence[str], name: str = "") -> Dataset:
        """Make a dataset of requests: conversations that end with the right answer that a user gave, or with the model's own.

        The columns ``request``, ``version``, ``why`` and ``answer_by`` say where each row comes from.

        Args:
            what: wishes, or ids of requests that somebody chose among the candidates.
            name: of the dataset.

        Raises:
            BadInput: no reason is chosen, or no request fits.
        """
        harvests = self._fields.harvests
        found = harvests.candidates(what) if isinstance(what, HarvestWishes) else harvests.of(what)
        if not found:
            raise BadInput(
                "harvest.nothing",
                "No request fits. Choose other reasons, or wait for more requests whose texts are kept.",
            )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "requests.jsonl"
            file.write_text(
                "".join(json.dumps(_row(one), ensure_ascii=False) + "\n" for one in found), "utf-8"
            )
            upload = self._fields.data.add_upload(file, file.name)
        made = self._fields.data.import_upload(
            upload.id, name.strip() or None, made_from=self._runs(found), notes=_notes(found)
        )
        harvests.mark([one.request for one in found], made.id)
        return made

    def next_run(self, dataset: str) -> NextTraining:
        """What to train with a harvest, or with what was made of it in the row editor: the run goes on from the adapter that was served.

        Raises:
            NotFound: there is no such dataset, or it comes from no run.
            BadInput: it cannot be split.
        """
        run = self._run_behind(dataset)
        recipe = self._recipe(run)
        if recipe is None:
            raise NotFound(
                "loop.no_recipe",
                "No recipe learns by {method}. Choose a recipe and set its method on the Train page.",
                method=_SFT,
            )
        return NextTraining(
            split=self._split(dataset).id,
            recipe=recipe,
            model=run.model,
            start_from_run=run.id if self._fields.is_adapter(run.id) else "",
        )

    def _runs(self, found: Sequence[Candidate]) -> list[str]:
        """The runs behind the versions that answered, that of the newest answer first."""
        versions = dict.fromkeys(one.version for one in sorted(found, key=lambda one: one.at, reverse=True))
        return list(dict.fromkeys(run for version in versions if (run := self._fields.run_of(version))))

    def _run_behind(self, dataset: str) -> Run:
        for one in self._line(dataset):
            for parent in one.parents:
                with contextlib.suppress(NotFound):
                    return self._fields.training.get(parent).run
        raise NotFound(
            "harvest.no_run",
            "The dataset {dataset} does not come from the requests of a model that was trained here. Choose a recipe on the Train page.",
            dataset=dataset,
        )

    def _line(self, dataset: str) -> Iterator[Dataset]:
        """A dataset and those that it was made of."""
        waiting = [self._fields.data.get(dataset)]
        for _ in range(_FURTHEST):
            if not waiting:
                return
            one = waiting.pop(0)
            yield one
            for parent in one.parents:
                with contextlib.suppress(NotFound):
                    waiting.append(self._fields.data.get(parent))

    def _split(self, dataset: str) -> Split:
        """The newest one; else a new one, with less held back where there are too few rows for more."""
        splits = self._fields.splits
        found = next(iter(splits.all(dataset)), None)
        if found is not None:
            return found
        for ratios in _RATIOS:
            try:
                return splits.split(dataset, ratios)
            except BadInput as error:
                if (
                    error.key == "data.part_empty_seed"
                ):  # users ask alike: rows that may not stand apart leave a part empty
                    return splits.split(dataset, ratios, seed=int(str(error.values["seed"])))
        return splits.split(dataset)

    def _recipe(self, run: Run) -> str | None:
        """The run's own recipe where it learns from answers, else one for its model."""
        try:
            own = self._fields.training.recipe(run.recipe)
        except FtkitError:
            own = None
        if own is not None and own.spec.method == _SFT:
            return own.name
        found = recipe_for(self._fields.training.recipes(), run.model, _SFT)
        return found.name if found else None


def _row(one: Candidate) -> dict[str, Any]:
    return {
        "messages": [*one.messages, {"role": "assistant", "content": one.right}],
        "request": one.request,
        "version": one.version,
        "why": ", ".join(one.why),
        "answer_by": "user" if one.correction else "model",
    }


def _notes(found: Sequence[Candidate]) -> tuple[str, ...]:
    corrected = sum(one.correction is not None for one in found)
    doubtful = sum(one.doubtful for one in found)
    notes = [phrase("harvested_rows", rows=len(found))]
    notes += [phrase("harvested_corrected", count=corrected)] if corrected else []
    notes += [phrase("harvested_doubtful", count=doubtful)] if doubtful else []
    return tuple(notes)
