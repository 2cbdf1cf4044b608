"""The workspace: owns the store, the jobs and the rooms' services; what pages and the command line receive.

Takes settings, gives services. It holds no logic beyond what needs two rooms at once.
"""

import json
import tempfile
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ftkit.data.cleaning.quality import is_refusal
from ftkit.data.cleaning.service import CleaningService
from ftkit.data.collecting.service import CollectingService, Picked
from ftkit.data.downloading.service import DownloadService
from ftkit.data.editing.service import EditingService
from ftkit.data.formatting.service import FormattingService
from ftkit.data.health.service import HealthService
from ftkit.data.incoming.service import Workers
from ftkit.data.preferring.service import PreferringService
from ftkit.data.prompts.service import PromptService
from ftkit.data.service import DataService
from ftkit.data.splits.service import SplitService
from ftkit.errors import Refused, StoreFault
from ftkit.evaluation.benchmarks.service import BenchmarkService
from ftkit.evaluation.errors.service import ErrorService
from ftkit.evaluation.familiarity.service import FamiliarityService
from ftkit.evaluation.judge.service import JudgeService
from ftkit.evaluation.report.service import ReportService
from ftkit.evaluation.service import EvaluationService
from ftkit.export.service import ExportService
from ftkit.jobs.launch import Launcher
from ftkit.jobs.resident import Resident
from ftkit.jobs.service import Clock, Conditions, Jobs, NewId
from ftkit.loop.service import Loop, Rooms
from ftkit.loop.sources import Sources
from ftkit.loop.telling import Telling, Witnesses
from ftkit.models.catalogue import BUNDLED_ID
from ftkit.models.service import ModelService
from ftkit.monitoring.traffic.service import TrafficService
from ftkit.ratings.comparing.service import ComparisonService
from ftkit.ratings.examples.service import ExampleService
from ftkit.ratings.raters.service import RaterService
from ftkit.ratings.results.service import ResultService
from ftkit.ratings.sides.service import SideService
from ftkit.ratings.studies.service import StudyService
from ftkit.records import Dataset, Restoration, Run
from ftkit.serving.engines.asking import Engine, EngineName
from ftkit.serving.engines.llamacpp import LlamaEngine
from ftkit.serving.engines.resident import ResidentEngine
from ftkit.serving.engines.upstream import UpstreamEngine
from ftkit.serving.keys.service import KeyService
from ftkit.serving.versions.means import Means
from ftkit.serving.versions.service import ServingService
from ftkit.settings import Settings
from ftkit.store.artefacts import Artefacts
from ftkit.store.backup import restoring
from ftkit.store.backup.copies import Backup
from ftkit.store.backup.guard import StoreFile as StoreFile
from ftkit.store.engine import Database, store_file
from ftkit.store.examples import ExampleTable
from ftkit.store.files import Folders
from ftkit.store.jobs import JobTable
from ftkit.store.looks import Looks
from ftkit.store.tags import TagTable
from ftkit.training.machine import look
from ftkit.training.memory import Fit, Lengths, fit
from ftkit.training.service import TrainingService
from ftkit.training.sweeps.service import SweepService

# The sample that a first start and the quickstart work on.
FIRST_SAMPLE = "ticket-triage"


def utc_now() -> datetime:
    """The time, always in UTC."""
    return datetime.now(UTC)


def backups_of(settings: Settings) -> StoreFile:
    """The database's file with its backups, without opening the workspace: for looking, backing up and restoring.

    Raises:
        Refused: the database is no file.
    """
    file = store_file(settings.store_url, utc_now)
    if file is None:
        raise Refused(
            "store.not_sqlite",
            "The database is on a server, by FTKIT_DATABASE_URL. Back it up with the server's own tools.",
        )
    return file


def random_id() -> str:
    """Twelve random hexadecimal digits."""
    return uuid.uuid4().hex[:12]


def _make_private(home: Path) -> None:
    """The data folder, for nobody else on this machine."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
    except OSError as error:
        raise StoreFault(
            "store.no_home",
            "The data folder {home} cannot be used ({reason}). Set FTKIT_HOME to another one.",
            home=home,
            reason=error.strerror,
        ) from error


class Workspace:
    """Everything over one data folder. Close it, or use it as a context manager."""

    def __init__(self, settings: Settings, clock: Clock = utc_now, new_id: NewId = random_id) -> None:
        """Open the data folder and make it where there is none.

        Raises:
            StoreFault: the folder cannot be written, or its database cannot be used.
        """
        self.settings = settings
        self._clock = clock
        self.folders = Folders(settings.home)
        _make_private(settings.home)
        self._database = Database(settings.store_url, clock)
        environment = settings.worker_environment()
        artefacts = Artefacts(self._database)
        self.artefacts = artefacts
        conditions = Conditions(
            stall_seconds=settings.stall_seconds,
            waiting_per_owner=settings.waiting_per_user,
            free_mb=lambda: look().memory_mb,
        )
        table = JobTable(self._database)
        launcher = Launcher(environment, by_kind={"train": settings.training_environment()})
        self.jobs = Jobs(table, self.folders, launcher, clock, new_id, conditions)
        workers = Workers(self.jobs, environment, settings.hf_endpoint, settings.offline)
        self.data = DataService(artefacts, self.folders, clock, new_id, workers)
        self.splits = SplitService(artefacts, self.folders, clock, new_id, self.jobs)
        self.formatting = FormattingService(artefacts, self.folders, clock, new_id, environment)
        self.cleaning = CleaningService(artefacts, self.folders, self.jobs, environment, clock, new_id)
        self.health = HealthService(artefacts, self.folders, self.jobs)
        self.editing = EditingService(artefacts, self.folders, clock, new_id)
        self.downloads = DownloadService(artefacts, self.folders)
        self.models = ModelService(self.folders, self.jobs, settings)
        self.training = TrainingService(
            artefacts=artefacts,
            folders=self.folders,
            jobs=self.jobs,
            recipes_folder=settings.recipes,
            environment=environment,
            clock=clock,
            new_id=new_id,
        )
        self.sweeps = SweepService(artefacts, self.folders, self.jobs, self.training, clock, new_id)
        looks, tags = Looks(self._database), TagTable(self._database)
        self.evaluation = EvaluationService(artefacts, self.folders, self.jobs, looks, clock, new_id)
        self.judge = JudgeService(artefacts, self.folders, self.jobs, environment, clock, new_id)
        self.benchmarks = BenchmarkService(artefacts, self.folders, self.jobs, clock, new_id)
        self.reports = ReportService(
            self.evaluation, self.judge, self.benchmarks, artefacts, self.folders, self.jobs, clock
        )
        self.mistakes = ErrorService(self.evaluation, artefacts, self.folders, tags, clock)
        self._collecting = CollectingService(artefacts, self.folders, clock, new_id)
        self.familiarity = FamiliarityService(artefacts, self.folders, self.jobs)
        self._open_ratings(new_id)
        self._open_delivery(new_id)
        self._settle_jobs()

    @property
    def clock(self) -> Clock:
        """Gives the time."""
        return self._clock

    def tick(self) -> None:
        """Look after the jobs, and after what waits for one of them to end. Cheap; call it every second or two."""
        self.jobs.tick()
        self.studies.freeze_done()
        self.traffic.tick()
        self.serving.tick()

    def prepare_first_start(self) -> None:
        """Put the sample data, a split of it and the bundled model in place, once in the life of a data folder.

        What the person deletes later does not come back by itself.
        """
        marker = self.settings.home / "prepared"
        if not self.settings.samples or marker.exists():
            return
        for sample in self.data.samples():
            self.data.import_sample(sample.name)
        self.splits.split(f"sample-{FIRST_SAMPLE}")
        if not any(model.id == BUNDLED_ID for model in self.models.all()):
            self.models.pull(BUNDLED_ID)
        marker.touch()

    def preview(self, dataset: str, row: int, model: str, mapping: dict[str, str] | None = None) -> str:
        """One row as the model will see it, through its chat template."""
        return self.models.render(model, self.data.conversation(dataset, row, mapping))

    def send_rows(
        self, evaluation: str, rows: Sequence[int], name: str = "", *, use_test_rows: bool = False
    ) -> Dataset:
        """Rows of an evaluation as a new dataset, with the right answers that people gave.

        Raises:
            BadInput: there is no such row, or none is chosen.
            Refused: the rows are of the test part and ``use_test_rows`` does not say that this is meant.
        """
        found = self.mistakes.places(evaluation, rows)
        picked = Picked(
            split=found.split, part=found.part, rows=found.rows, answers=found.answers, seen_in=evaluation
        )
        return self._collecting.collect(picked, name, use_test_rows=use_test_rows)

    def examples_to_dataset(self, name: str = "") -> Dataset:
        """The examples kept on the compare page as a new dataset of conversations.

        Raises:
            BadInput: nothing is kept.
        """
        rows = self.examples.rows()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "examples.jsonl"
            file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
            return self.data.import_file(file, name.strip() or None)

    def fit(self, model: str, recipe: str) -> Fit:
        """Whether training a model with a recipe's settings fits here; also for one of the list that is not here yet.

        Raises:
            NotFound: the model is neither here nor in the list, or there is no such recipe.
        """
        spec = self.training.recipe(recipe).spec
        record = self.models.known(model, self._clock())
        return fit(spec, record, Lengths.alike(spec.max_length), look(self.settings.home))

    def back_up_if_due(self) -> Backup | None:
        """Back the database up if the newest backup is an hour old; cheap to call often.

        Raises:
            StoreFault: the database is damaged.
            OSError: the backup cannot be written.
        """
        return self._database.back_up_if_due()

    @property
    def restoration(self) -> Restoration | None:
        """The backup that took the place of a damaged database, until a person has read of it."""
        return restoring.unread(self._database.file.backups.folder) if self._database.file else None

    def restoration_read(self) -> None:
        """A person has read of it."""
        if self._database.file is not None:
            restoring.mark_read(self._database.file.backups.folder)

    def _open_ratings(self, new_id: NewId) -> None:
        artefacts, folders = self.artefacts, self.folders
        self.sides = SideService(artefacts, self.folders)
        self.comparisons = ComparisonService(
            artefacts, self.folders, self.jobs, self.sides, self._clock, new_id
        )
        self.studies = StudyService(
            self._database, artefacts, self.folders, self.jobs, self.sides, self._clock, new_id
        )
        self.examples = ExampleService(ExampleTable(self._database), self._clock, new_id)
        self.raters = RaterService(self._database, self._clock, new_id)
        witnesses = Witnesses(
            self.health,
            self.models,
            self.training,
            self.evaluation,
            self.judge,
            self.reports,
            self.studies,
            lambda run: artefacts.get(Run, run),
        )
        telling = Telling(witnesses)
        self.results = ResultService(self.studies, self.sides, telling.opinions)
        telling.results = self.results
        self.report, self.model_card = telling.report, telling.model_card
        rooms = Rooms(
            data=self.data,
            splits=self.splits,
            prompts=PromptService(artefacts, folders),
            preferring=PreferringService(artefacts, folders, self.splits, self._clock),
            sides=self.sides,
            studies=self.studies,
            training=self.training,
        )
        self.loop = Loop(rooms)
        self.new_study, self.next_study = self.loop.new_study, self.loop.next_study
        self.make_preferences, self.next_training = self.loop.make_preferences, self.loop.next_training

    def _open_delivery(self, new_id: NewId) -> None:
        """Export, serving and monitoring."""
        self.traffic = TrafficService(self._database, self.folders, self.jobs, self._clock, is_refusal)
        self.exports = ExportService(
            self.artefacts,
            self.folders,
            self.jobs,
            self._clock,
            new_id,
            in_use=lambda export: self.serving.in_use(f"export:{export}"),
        )
        prompts = PromptService(self.artefacts, self.folders)
        self.sources = Sources(self.sides, self.exports, prompts, lambda run: self.artefacts.get(Run, run))
        self.keys = KeyService(self._database, self._clock, new_id)
        means = Means(self.sources.resolve, self.sources.rows, lambda: self.engines)
        self.serving = ServingService(self._database, means, self._clock, new_id)
        self.engines: dict[EngineName, Engine] = {
            "resident": ResidentEngine(Resident(self.jobs, self.folders, "generate").ask),
            "llamacpp": LlamaEngine(Resident(self.jobs, self.folders, "llama").ask),
            "upstream": UpstreamEngine(self.settings.upstream_key.get_secret_value()),
        }

    def _settle_jobs(self) -> None:
        done = self.restoration
        if done is None or done.settled or self._database.file is None:
            return
        self.jobs.adopt_started()
        restoring.note(self._database.file.backups.folder, done.model_copy(update={"settled": True}))

    def schema_version(self) -> str | None:
        """Version of the database's schema."""
        return self._database.version()

    def close(self) -> None:
        """Close the database; workers go on."""
        self.traffic.close()
        self.serving.close()
        for engine in self.engines.values():
            engine.close()
        self._database.close()

    def __enter__(self) -> "Workspace":
        """Nothing more than the workspace itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
