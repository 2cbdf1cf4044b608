"""The training room: recipes, run cards, starting and following runs.

Takes ids and specs, gives records and views. The training itself happens in the worker; this side only writes what
the worker reads (``spec.yaml``, ``inputs.json``) and reads what it writes.
"""

import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ftkit.errors import FtkitError, NotFound, Refused
from ftkit.jobs.call import call_worker
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.service import Clock, Jobs, NewId, Where, Wish
from ftkit.records import ENDED_STATES, OWNER, Event, Job, JobState, Model, Run, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, hash_value, read_json, short_hash, write_bytes, write_json
from ftkit.store.models import find_model
from ftkit.training import encoder_decoder, recipes
from ftkit.training.card import RunCard, TokenCounts, make_card
from ftkit.training.checks.hub import hub_refusals
from ftkit.training.checks.roles import check_roles
from ftkit.training.checks.service import ExtraCheck
from ftkit.training.machine import look
from ftkit.training.recipes import Recipe
from ftkit.training.shelf.service import OwnRecipes
from ftkit.training.spec import RunSpec
from ftkit.training.watching.progress import Progress, progress_of
from ftkit.training.watching.samples import Samples, gather, why_nothing
from ftkit.training.watching.service import RunHistory
from ftkit.training.watching.signs import Sign, torn_measurements
from ftkit.training.watching.signs import look as look_at_curves


@dataclass(frozen=True)
class RunView:
    """A run with what is known about it now."""

    run: Run
    job: Job
    state: JobState
    metrics: dict[str, Any]
    progress: Progress | None


class TrainingService:
    """Runs of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the workspace, by name
        self,
        *,
        artefacts: Artefacts,
        folders: Folders,
        jobs: Jobs,
        recipes_folder: Path,
        environment: Mapping[str, str],
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._recipes_folder = recipes_folder
        self.own_recipes = OwnRecipes(folders.home / "recipes")
        self.history = RunHistory(artefacts, folders)
        self._environment = environment
        self._clock = clock
        self._new_id = new_id
        self._extra = ExtraCheck(environment)
        self._start_lock = threading.Lock()

    def recipes(self) -> list[Recipe]:
        """All recipes, the default one first."""
        return recipes.find_recipes(self._recipes_folder)

    def recipe(self, name: str) -> Recipe:
        """One recipe by its name, e.g. ``smollm2-135m/sft-lora``, or ``own/my-recipe``."""
        return recipes.read_recipe(self._recipes_folder, name, self.own_recipes.folder)

    def copied(self, id_: str) -> tuple[RunView, RunSpec, str]:
        """A run, its settings and the recipe that they are nearest to: its own one where that is still there."""
        view = self.get(id_)
        known = {*recipes.recipe_names(self._recipes_folder), *self.own_recipes.names()}
        recipe = view.run.recipe if view.run.recipe in known else recipes.DEFAULT_RECIPE
        return view, RunSpec.parse(view.run.spec), recipe

    def yaml(self, spec: RunSpec) -> str:
        """All options of a spec as YAML."""
        return recipes.to_yaml(spec)

    def card(self, spec: RunSpec, split: str) -> RunCard:
        """What a run would cost here; counts tokens in a short worker the first time, then remembers."""
        record, model = self._artefacts.get(Split, split), self._model(spec)
        encoder_decoder.check(spec, record.mapping, model)
        check_roles(spec, record.mapping)
        counts, machine = self._token_counts(spec, record), look(self._folders.home)
        # What a resident worker holds it gives back to a run that needs it.
        machine = replace(machine, memory_mb=machine.memory_mb + self._jobs.reclaimable_mb())
        return make_card(spec, counts, model, machine, self._speed(spec), self._refusals(spec, model))

    def start(
        self,
        spec: RunSpec,
        split: str,
        recipe: str,
        name: str | None = None,
        request: str | None = None,
        sweep: str = "",
        owner: str = OWNER,
    ) -> Run:
        """Queue a run.

        Args:
            spec: its options.
            split: id of the split.
            recipe: name of the recipe that the spec came from.
            name: shown in lists; a name is made up where there is none.
            request: a key of this very form; a second call with it and the same options returns the same run.
            sweep: id of the sweep whose trial it is.
            owner: who asks.

        Raises:
            Refused: it cannot work as asked, or too many runs of its owner wait; the sentence says what to change.
        """
        id_ = self._new_id()
        if request:
            id_ = short_hash([request, spec.model_dump(mode="json"), split, recipe, name], 12)
        existing = self._existing(id_)
        if existing is not None:
            return existing
        card = self.card(spec, split)
        if card.problems:
            raise card.problems[0]
        record, model = self._artefacts.get(Split, split), self._model(spec)
        start_from = self._adapter_of(spec)
        run = Run(
            id=id_,
            name=name or f"{model.name} · {record.name}",
            created_at=self._clock(),
            parents=tuple(filter(None, (split, model.id, spec.start_from_run if start_from else "", sweep))),
            content_hash=hash_value([spec.model_dump(mode="json"), record.content_hash, model.content_hash]),
            seed=spec.seed,
            recipe=recipe,
            split=split,
            model=model.id,
            spec=spec.model_dump(mode="json"),
            sweep=sweep,
        )
        # A person's run goes before the next trial of a sweep.
        wish = Wish(priority=-1 if sweep else 0, needs_mb=card.memory_mb)
        with self._start_lock:
            existing = self._existing(id_)  # of a click at the same time
            if existing is not None:
                return existing
            self._write_inputs(run, record, spec, start_from)
            self._jobs.submit("train", id_, owner=owner, record=run, wish=wish)
        return run

    def _write_inputs(self, run: Run, split: Split, spec: RunSpec, start_from: Path | None) -> None:
        """What the worker reads."""
        folder = self._folders.run(run.id)
        write_bytes(folder / "spec.yaml", recipes.to_yaml(spec).encode())
        write_json(
            folder / "inputs.json",
            {
                "split": str(self._folders.split(split.id)),
                "split_id": split.id,
                "data_hash": split.content_hash,
                "mapping": split.mapping,
                "model": str(self._folders.model(run.model)),
                "model_id": run.model,
                "adapter": str(start_from) if start_from else None,
                "cache": str(self._folders.cache("tokens")),
            },
        )

    def all(self) -> list[RunView]:
        """All runs, newest first."""
        return [self._view(run) for run in self._artefacts.all(Run)]

    def get(self, id_: str) -> RunView:
        """One run.

        Raises:
            NotFound: there is none with this id.
        """
        return self._view(self._artefacts.get(Run, id_))

    def dataset_of(self, id_: str) -> str | None:
        """The dataset that a run learned from; None where its split is gone.

        Raises:
            NotFound: there is no such run.
        """
        try:
            return self._artefacts.get(Split, self._artefacts.get(Run, id_).split).dataset
        except NotFound:
            self._artefacts.get(Run, id_)  # gone itself
            return None

    def curves(self, id_: str) -> list[dict[str, Any]]:
        """Measurements in the order of their steps; after a resume the newer of two for one step."""
        return self._measured(id_)[0]

    def signs(self, id_: str) -> tuple[Sign, ...]:
        """Warnings that the curves of a run show, and how many measurements a crash tore."""
        curves, torn = self._measured(id_)
        found = look_at_curves(curves, self._artefacts.get(Run, id_).spec)
        return (*found, torn_measurements(torn)) if torn else found

    def samples(self, id_: str) -> Samples:
        """What the run answered to the same few validation prompts, step by step."""
        prompts = gather(self._job_folder(id_).sampled())
        if prompts:
            return Samples(prompts)
        view = self.get(id_)
        rows = self._artefacts.get(Split, view.run.split).sizes.get("validation", 0)
        ended = view.state in ENDED_STATES
        return Samples((), why_nothing(view.run.spec, rows, self.curves(id_), ended))

    def log(self, id_: str) -> str:
        """The end of the worker's log."""
        return self._job_folder(id_).log_tail()

    def stop(self, id_: str, by: str = OWNER, now: bool = False) -> RunView:
        """Stop a run within 15 seconds: it saves a checkpoint first when it can, unless it is to stop ``now``."""
        self._jobs.stop(self._artefacts.get(Run, id_).id, by, now)
        return self.get(id_)

    def pause(self, id_: str, by: str = OWNER) -> RunView:
        """Ask a run to save at the end of its step and to end, however long that takes; ``resume`` goes on from there."""
        self._jobs.pause(self._artefacts.get(Run, id_).id, by)
        return self.get(id_)

    def queue(self) -> list[Job]:
        """Runs and evaluations that wait, in the order in which they will start."""
        return self._jobs.queue()

    def reorder(self, id_: str, where: Where) -> list[Job]:
        """Move a waiting run within the queue; gives the queue.

        Raises:
            Refused: it does not wait.
        """
        return self._jobs.reorder(self._artefacts.get(Run, id_).id, where)

    def events(self, id_: str) -> list[Event]:
        """All that happened to a run: queued, started, stalled, asked to stop and by whom, each resume, its end."""
        return self._jobs.events(self._artefacts.get(Run, id_).id)

    def resume(self, id_: str, by: str = OWNER) -> RunView:
        """Go on from the newest whole checkpoint, or from the beginning when there is none.

        Raises:
            Refused: the run is finished, or has not ended yet.
        """
        view = self.get(id_)
        if view.state == "done":
            raise Refused("training.finished", "The run is finished. Start a new one to train further.")
        if view.state not in ENDED_STATES:
            raise Refused(
                "training.not_ended", "The run is {state}; there is nothing to resume.", state=view.state
            )
        self._jobs.submit("train", id_, owner=by, wish=Wish(needs_mb=view.job.needs_mb))
        return self.get(id_)

    def delete(self, id_: str) -> None:
        """Delete a run with its checkpoints.

        Raises:
            Refused: it has not ended yet.
            BadInput: an evaluation was made from it.
        """
        view = self.get(id_)
        if view.state not in ENDED_STATES:
            raise Refused("training.still_active", "The run is {state}. Stop it first.", state=view.state)
        self._artefacts.delete(view.run)
        shutil.rmtree(self._folders.run(id_), ignore_errors=True)

    def compare(self, ids: Iterable[str]) -> tuple[list[RunView], dict[str, list[Any]]]:
        """Several runs, and the options in which they differ, one value per run."""
        views = [self.get(id_) for id_ in ids]
        options = dict.fromkeys(key for view in views for key in view.run.spec)
        values = {key: [view.run.spec.get(key) for view in views] for key in options}
        return views, {key: row for key, row in values.items() if any(v != row[0] for v in row)}

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> RunView:
        """Supervise a run until it has ended; ``on_look`` gets the job and the worker's heartbeat."""
        self._jobs.wait(id_, on_look=on_look)
        return self.get(id_)

    def _adapter_of(self, spec: RunSpec) -> Path | None:
        """The adapter that a run goes on from.

        Raises:
            NotFound: there is no such run.
            Refused: it has none, or one for another model.
        """
        if not (spec.start_from_run and spec.use_peft):
            return None
        run = self._artefacts.get(Run, spec.start_from_run)
        if run.model != spec.model_name_or_path:
            raise Refused(
                "training.start_run_other_model",
                "The run {run} was trained on {its}, not on {model}. Choose that model, or another run.",
                run=run.name,
                its=run.model,
                model=spec.model_name_or_path,
            )
        folder = self._folders.tuned(run.id)
        if folder is None or folder.name != "adapter":
            raise Refused(
                "training.start_run_no_adapter",
                "The run {run} has no adapter to go on from. Choose a run that left one, or leave the field empty.",
                run=run.name,
            )
        return folder

    def _existing(self, id_: str) -> Run | None:
        try:
            return self._artefacts.get(Run, id_)
        except NotFound:
            return None

    def _view(self, run: Run) -> RunView:
        job = self._jobs.of(run.id)
        folder = self._job_folder(run.id)
        result = folder.result(job.nonce)
        progress = progress_of(job, folder.state())
        return RunView(run, job, job.state, (result or {}).get("metrics", {}), progress)

    def _measured(self, id_: str) -> tuple[list[dict[str, Any]], int]:
        """The curves of a run, and how many measurements are torn."""
        measured, torn = self._job_folder(id_).measured()
        newest = {(m["step"], "eval_loss" in m): m for m in measured if "step" in m}
        return [newest[key] for key in sorted(newest)], torn

    def _job_folder(self, id_: str) -> JobFolder:
        return JobFolder(self._folders.run(id_))

    def _model(self, spec: RunSpec) -> Model:
        model = find_model(self._folders, spec.model_name_or_path)
        if model is None:
            raise NotFound(
                "training.no_model",
                "The model {model} is not on this machine. Get it on the Model page or with: ftkit models pull {model}",
                model=spec.model_name_or_path,
            )
        return model

    def _token_counts(self, spec: RunSpec, split: Split) -> TokenCounts:
        question = {
            "split": str(self._folders.split(split.id)),
            "part": "train",
            "mapping": split.mapping,
            "model": str(self._folders.model(spec.model_name_or_path)),
            "max_length": spec.max_length,
            "completion_only_loss": spec.completion_only_loss,
            "method": spec.method,
            "cache": str(self._folders.cache("tokens")),
        }
        fields = sorted(TokenCounts.__dataclass_fields__)
        key = short_hash([split.content_hash, question, fields], 16)
        remembered = self._folders.split(split.id) / f"tokens-{key}.json"
        answer = read_json(remembered)
        if answer is None:
            answer = call_worker("data.tokens", question, self._environment)
            write_json(remembered, answer)
        lists = {
            "reasons": tuple((row, reason) for row, reason in answer["reasons"]),
            "secret_places": tuple(answer["secret_places"]),
        }
        return TokenCounts(**{field: answer[field] for field in fields} | lists)

    def _refusals(self, spec: RunSpec, model: Model) -> list[FtkitError]:
        """What can be said against a run before its rows are looked at."""
        return [*self._extra.refusals(spec, model.encoder_decoder), *hub_refusals(spec, self._environment)]

    def _speed(self, spec: RunSpec) -> float | None:
        """Tokens per second of the newest finished run here that trained this model by this method on as many weights."""
        same = ("model_name_or_path", "method", "use_peft")
        defaults = RunSpec().model_dump(include=set(same))
        wanted = [getattr(spec, name) for name in same]
        for run in self._artefacts.all(Run):
            if [run.spec.get(name, defaults[name]) for name in same] == wanted:
                speed = self._view(run).metrics.get("tokens_per_second")
                if speed:
                    return float(speed)
        return None
