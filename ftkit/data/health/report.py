"""What a check found, as frozen records: the report, and each finding in it.

Values only, made by ``findings`` from what the worker counted. A row is named by its place in the dataset, counted
from 0. It holds no sentence in another language than English: ``words`` has them.
"""

from typing import Any, Literal

from pydantic import Field

from ftkit.records import Record

Severity = Literal["bad", "warn", "info"]
SEVERITIES: tuple[Severity, ...] = ("bad", "warn", "info")


class Example(Record):
    """A place where something was found, as it may be shown: personal data stands as its kind, such as [EMAIL]."""

    row: int
    text: str
    place: str = Field(default="", description="The column, or the part of a split.")
    note: str = Field(default="", description="What is wrong there, where the text does not show it.")
    other: int | None = Field(default=None, description="The row that this one is like.")
    other_part: str = Field(default="", description="The part of the split that it stands in.")


class Finding(Record):
    """One thing that is wrong or worth knowing, with the cleaning step that mends it."""

    kind: str
    severity: Severity
    title: str
    count: int = Field(description="How many rows.")
    times: int = Field(description="How many times in these rows.")
    rows: tuple[int, ...] = Field(description="The first rows; the count is complete.")
    examples: tuple[Example, ...]
    why: str
    step: str = Field(default="", description="Name of a cleaning step; empty where none mends it.")
    detail: dict[str, Any] = Field(default_factory=dict, description="Further numbers, by name.")


class Cluster(Record):
    """Rows that are the same or nearly the same."""

    rows: tuple[int, ...] = Field(description="The first ones, in order; the size is complete.")
    size: int
    text: str


class Clusters(Record):
    """All clusters of one kind; ``copies`` rows would go if one of each cluster stayed."""

    count: int
    copies: int
    shown: tuple[Cluster, ...]


class Bin(Record):
    """Rows from ``low`` up to but not including ``high`` tokens."""

    low: int
    high: int
    rows: int


class Lengths(Record):
    """How long the rows are for one model, in its tokens; nothing is cut, longer rows are left out of training."""

    model: str
    max_length: int = Field(
        description="The limit that counts: the asked one, or the model's own where it is smaller."
    )
    rows: int
    tokens: int
    trained_tokens: int
    median: int
    p95: int
    longest: int
    over: int
    bins: tuple[Bin, ...]


class Labels(Record):
    """How often each value of the answers, or of one field of JSON answers, stands."""

    field: str = Field(description="Empty where the whole answer is the label.")
    rows: int
    values: dict[str, int] = Field(description="Value → rows, the commonest first.")


class Leaks(Record):
    """Rows of one part of a split that stand in another one too, word for word or nearly."""

    split: str
    exact: int
    near: int


class HealthReport(Record):
    """Everything that a check found."""

    format: int = 1
    rows: int
    usable: int = Field(description="Rows that training can use, before their length is looked at.")
    mapping: dict[str, str]
    roles: dict[str, int] = Field(description="Role of a message → messages.")
    blank: dict[str, int] = Field(description="Column with a role → rows where it is empty.")
    lengths: Lengths | None
    languages: dict[str, int] = Field(description="Code → rows; '' are rows too short to tell.")
    languages_of: int = Field(description="Rows whose language was looked at.")
    exact: Clusters
    near: Clusters
    personal: dict[str, dict[str, int]] | None = Field(
        description="Kind → column → finds; None: not looked for."
    )
    labels: tuple[Labels, ...]
    leaks: Leaks | None
    urls: int = Field(description="Rows with an address of a page.")
    code: int = Field(description="Rows with program code.")
    grammar_of: int = Field(description="English answers that were read for grammar and spelling.")
    findings: tuple[Finding, ...]
    seconds: float
    options: dict[str, Any]
    versions: dict[str, str]
