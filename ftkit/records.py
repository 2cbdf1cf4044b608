"""The frozen records that travel between layers: artefacts (each knows its parents) and jobs.

Values only: no queries, no files, no behaviour beyond what a field means.
"""

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

JobState = Literal[
    "queued", "starting", "running", "stalled", "stopping", "done", "failed", "stopped", "paused", "lost"
]
ACTIVE_STATES: frozenset[JobState] = frozenset({"starting", "running", "stalled", "stopping"})
ENDED_STATES: frozenset[JobState] = frozenset({"done", "failed", "stopped", "paused", "lost"})
# A worker's heartbeat comes every second; one that is this many seconds old has stopped, and so has the worker.
LATE_HEARTBEAT = 10.0


class Record(BaseModel):
    """A value that never changes after it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Artefact(Record):
    """Something immutable under the data folder, or a named result with a folder of its own."""

    kind: ClassVar[str]

    id: str
    name: str
    created_at: datetime
    parents: tuple[str, ...] = Field(
        default=(), description="Ids of the artefacts that this one was made from."
    )
    content_hash: str = Field(default="", description="sha256 of the content, with the prefix 'sha256:'.")
    seed: int | None = None
    versions: dict[str, str] = Field(default_factory=dict, description="Library versions that made it.")


class Skipped(Record):
    """One input line that did not become a row, and why."""

    line: int = Field(description="1-based line (text formats) or row (tables) in the source file.")
    reason: str
    file: str = Field(default="", description="Which file, where several were read together.")


class Upload(Artefact):
    """A file as it came in, or several that become one dataset."""

    kind: ClassVar[str] = "upload"

    filename: str
    size: int = Field(description="bytes")
    files: tuple[str, ...] = Field(default=(), description="Names of the files where there are several.")
    source: str = Field(default="", description="Where it was downloaded: ``hub:owner/name@commit``.")
    license: str = ""


class Dataset(Artefact):
    """Rows with named columns, and which column plays which role."""

    kind: ClassVar[str] = "dataset"

    rows: int
    columns: tuple[str, ...]
    mapping: dict[str, str] = Field(
        description="role → column; roles: messages, tools | system, instruction, user, assistant | text | "
        "chosen, rejected | label"
    )
    skipped_count: int = 0
    skipped: tuple[Skipped, ...] = Field(
        default=(), description="The first skipped lines; the count is complete."
    )
    notes: tuple[str, ...] = Field(default=(), description="What was changed on the way in, in words.")
    license: str = ""
    file_hash: str = Field(
        default="", description="sha256 of ``rows.parquet``; checked before each next step."
    )


class Split(Artefact):
    """A dataset cut into train, validation and test."""

    kind: ClassVar[str] = "split"

    dataset: str
    ratios: tuple[float, float, float]
    sizes: dict[Part, int]
    group: str = Field(default="", description="Column whose equal values stay together.")
    stratify: str = Field(default="", description="Column whose values keep their shares in every part.")
    near: bool = Field(default=False, description="Whether near-duplicates were kept together.")
    test_dataset: str = Field(default="", description="Dataset whose rows are the test part.")
    leaks: int = Field(
        default=0, description="Rows that stand in more than one part although they were to be kept together."
    )
    leak_kinds: dict[str, int] = Field(
        default_factory=dict,
        description="exact, near, group → rows with such a copy in another part, measured on the files.",
    )
    notes: tuple[str, ...] = Field(default=(), description="What the split costs or could not keep.")
    left_out: int = Field(
        default=0, description="Rows that cannot be trained on, so that no part holds them."
    )
    left_out_reasons: dict[str, int] = Field(default_factory=dict, description="reason → rows")
    trimmed: int = Field(
        default=0, description="Conversations whose turns after the last answer are not trained on."
    )
    mapping: dict[str, str]


class Model(Artefact):
    """A base model on this machine (safetensors)."""

    kind: ClassVar[str] = "model"

    source: str = Field(description="'bundled', or the Hub id it came from, or a local folder.")
    revision: str = ""
    license: str = ""
    parameters: int = 0
    context_length: int = 0
    architecture: dict[str, int] = Field(
        default_factory=dict,
        description="hidden, layers, intermediate, vocabulary, key_value: for the memory estimate; of an encoder-decoder "
        "model also decoder_layers and heads.",
    )

    @property
    def encoder_decoder(self) -> bool:
        """Whether it reads a whole question first and then writes the answer, as T5 does."""
        return "decoder_layers" in self.architecture


class Run(Artefact):
    """One fine-tuning run; its state is that of its newest job."""

    kind: ClassVar[str] = "run"

    recipe: str
    split: str
    model: str
    spec: dict[str, Any]
    sweep: str = Field(default="", description="The sweep whose trial it is.")


class Sweep(Artefact):
    """A search for good options: many runs of one split and recipe, its trials."""

    kind: ClassVar[str] = "sweep"

    recipe: str
    split: str
    model: str
    spec: dict[str, Any] = Field(description="The options that every trial begins from.")
    space: dict[str, str] = Field(description="option → the values to try, as ``sweeps.space`` writes them.")
    trials: int
    metric: str
    direction: Literal["minimize", "maximize"]
    sampler: str
    prune: bool = Field(description="Whether trials without hope are given up early.")


class Evaluation(Artefact):
    """Base and tuned model, and perhaps further runs, measured on the same rows."""

    kind: ClassVar[str] = "evaluation"

    run: str
    split: str
    part: Part
    others: tuple[str, ...] = ()


class Judgement(Artefact):
    """Pairs of answers of an evaluation, compared by a language model."""

    kind: ClassVar[str] = "judgement"

    evaluation: str
    judge: str = Field(
        description="The model that judges, by its name at the endpoint or its id in the models room."
    )
    endpoint: str = Field(
        default="", description="Base URL that is asked; empty for a model on this machine."
    )


class Benchmark(Artefact):
    """Base and tuned model on tasks of lm-evaluation-harness."""

    kind: ClassVar[str] = "benchmark"

    run: str
    tasks: tuple[str, ...]
    limit: int | None = Field(default=None, description="Rows of each task that are asked; None for all.")


class Study(Artefact):
    """Answers of several models to the same prompts, for people to rate without knowing whose they are."""

    kind: ClassVar[str] = "study"

    protocol: str
    sides: tuple[str, ...] = Field(description="Names of the models: base:…, run:…, checkpoint:…")
    options: dict[str, Any] = Field(description="``StudyOptions`` of the ratings room.")
    split: str = Field(default="", description="The split whose rows are the prompts.")
    part: str = ""
    dataset: str = Field(
        default="", description="The dataset whose rows are the prompts, where there is no split."
    )


class Export(Artefact):
    """A tuned model in the form that another program takes, made of one run."""

    kind: ClassVar[str] = "export"

    run: str
    target: str = Field(description="adapter, merged, gguf, hub, endpoint, docker or triton.")
    options: dict[str, Any] = Field(description="``ExportOptions`` of the export room.")


class SavedComparison(Artefact):
    """Answers of several models to one conversation or a list of prompts, kept to be shown again."""

    kind: ClassVar[str] = "comparison"

    sides: tuple[str, ...]


class Job(Record):
    """One worker process for one artefact, from the queue to its end."""

    id: str
    kind: str = Field(description="Name of the worker module: train, evaluate, pull, generate.")
    lane: str = Field(description="Jobs of one lane run one after another.")
    artefact: str
    state: JobState
    nonce: str = Field(description="Tells this start from every other one.")
    owner: str = "owner"
    queued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    pid: int | None = None
    pid_started: str | None = Field(default=None, description="Start time of the process in kernel ticks.")
    boot_id: str | None = None
    claimed_by: str | None = Field(
        default=None, description="Which process took it from the queue to start it."
    )
    priority: int = Field(default=0, description="A higher one starts before a lower one of its lane.")
    tries_left: int = Field(
        default=0,
        description="How often it is queued again by itself where its worker never started or a restart of the "
        "machine ended it.",
    )
    needs_mb: int | None = Field(default=None, description="Memory at its peak, where an estimate is known.")
    alone: bool = Field(
        default=False, description="A resident worker made room for it and waits for its end."
    )
    error: dict[str, Any] | None = Field(
        default=None, description="What happened and what to do: ``FtkitError.as_dict``."
    )


# The machine's owner, who asks for something; everybody else has limits.
OWNER = "owner"


class Event(Record):
    """Something that happened to the jobs of an artefact; kept for ever, in the order in which it happened."""

    time: datetime
    event: str = Field(description="queued, started, running, stalled, recovered, asked_to_stop, done, …")
    job: str = ""
    by: str = Field(default="", description="Who asked: an owner, or the worker itself.")
    error: dict[str, Any] | None = None
    values: dict[str, Any] = Field(default_factory=dict)


class RowCount(Record):
    """Rows of one kind in a damaged database, as far as they could be read, and in the backup in its place."""

    name: str = Field(description="Kind of an artefact, or name of a table.")
    before: int | None = Field(description="None where nothing could be read.")
    exact: bool = Field(description="Whether all of them could be counted.")
    now: int

    @property
    def differs(self) -> bool:
        """Whether rows may be gone, or others came back."""
        return not self.exact or self.before != self.now


class Restoration(Record):
    """A backup that took the place of the database."""

    cause: Literal["damaged", "missing", "asked"]
    reason: str = Field(default="", description="What SQLite said of the damage.")
    at: datetime
    backup: str = Field(description="Name of its file.")
    backup_made_at: datetime
    set_aside: str = Field(default="", description="Name of the former database's file, beside the new one.")
    rows: tuple[RowCount, ...] = ()
    folders: tuple[str, ...] = Field(
        default=(), description="Folders of artefacts, such as runs/a1, that no record speaks of any more."
    )
    settled: bool = Field(
        default=False, description="Whether the jobs were compared with their folders since."
    )
