"""The tables. Changing one means a new file under ``migrations/versions``; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """A time in UTC; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """To the database: always in UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any | None, dialect: Any) -> datetime | None:
        """From the database: always with its zone."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


artefacts = Table(
    "artefacts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("record", JSON, nullable=False),
    Index("artefacts_by_kind", "kind", "created_at"),
)

parents = Table(
    "artefact_parents",
    metadata,
    Column("child", String(64), ForeignKey("artefacts.id", ondelete="CASCADE"), primary_key=True),
    Column("parent", String(64), primary_key=True),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("lane", String(32), nullable=False),
    Column("artefact", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("queued_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("pid", Integer),
    Column("pid_started", Text),
    Column("boot_id", Text),
    Column("error", JSON(none_as_null=True)),
    Column("claimed_by", Text),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("place", Integer, nullable=False, server_default="0"),
    Column("tries_left", Integer, nullable=False, server_default="0"),
    Column("needs_mb", Integer),
    Column("alone", Boolean, nullable=False, server_default=false()),
    Index("jobs_by_artefact", "artefact", "position"),
    Index("jobs_by_lane", "lane", "state", "position"),
)

# How often people looked at the rows of a test part; the lines outlive the evaluations that they speak of.
looks = Table(
    "looks",
    metadata,
    Column("evaluation", String(64), primary_key=True),
    Column("split", String(64), nullable=False),
    Column("part", String(16), nullable=False),
    Column("rows_hash", Text, nullable=False),
    Column("run", String(64), nullable=False),
    Column("looked_at", Moment, nullable=False),
    Index("looks_by_rows", "rows_hash"),
)

# What people said of a row of an evaluation: one line a tag.
tags = Table(
    "tags",
    metadata,
    Column("evaluation", String(64), ForeignKey("artefacts.id", ondelete="CASCADE"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("tag", String(64), primary_key=True),
    Column("tagged_by", String(128), nullable=False),
    Column("tagged_at", Moment, nullable=False),
)

# Where a rating study stands; its settings are the artefact's.
studies = Table(
    "studies",
    metadata,
    Column("study", String(64), ForeignKey("artefacts.id", ondelete="CASCADE"), primary_key=True),
    Column("state", String(16), nullable=False),  # preparing, ready, open, closed
    Column("secret", String(64), nullable=False),  # decides the order of the answers on a rater's page
    Column("changes", Integer, nullable=False, server_default="0"),  # of its ratings so far
    Column("left_out", JSON(none_as_null=True)),  # prompts that became no item, by reason
    Column("opened_at", Moment),
    Column("closed_at", Moment),
)

# What is rated: a prompt and its frozen answers. ``content`` is an ``Item`` of the ratings room; it stands last, because SQLite
# reads through a long value to reach what stands behind it.
rating_items = Table(
    "rating_items",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("study", String(64), ForeignKey("studies.study", ondelete="CASCADE"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("gold", Boolean, nullable=False, server_default=false()),
    Column("named", Boolean, nullable=False, server_default=false()),  # an answer says the name of a model
    Column("rated", Integer, nullable=False, server_default="0"),  # its ratings so far
    Column("shuffled", String(64), nullable=False),  # its place in the order in which items are given out
    Column("content", JSON, nullable=False),
    Index("rating_items_by_study", "study", "place"),
    Index("rating_items_by_need", "study", "gold", "rated", "shuffled", "id"),
)

raters = Table(
    "raters",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("study", String(64), ForeignKey("studies.study", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("invited_at", Moment, nullable=False),
    Column("seen_at", Moment),
    Column("revoked_at", Moment),
    Index("raters_by_study", "study"),
)

# An item that was given to a rater; its id is all that the rater's browser knows of both.
assignments = Table(
    "assignments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("study", String(64), ForeignKey("studies.study", ondelete="CASCADE"), nullable=False),
    Column("item", String(64), ForeignKey("rating_items.id", ondelete="CASCADE"), nullable=False),
    Column("rater", String(64), ForeignKey("raters.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(16), nullable=False),  # given, rated, skipped
    Column("answer_order", JSON, nullable=False),
    Column("given_at", Moment, nullable=False),
    Column("kept_until", Moment, nullable=False),
    Column("draft", JSON(none_as_null=True)),
    Column("draft_number", Integer, nullable=False, server_default="0"),
    UniqueConstraint("item", "rater", name="one_assignment"),
    Index("assignments_by_study", "study", "state"),
    Index("assignments_by_rater", "rater", "state"),
)

# What each rater says now.
ratings = Table(
    "ratings",
    metadata,
    Column("assignment", String(64), ForeignKey("assignments.id", ondelete="CASCADE"), primary_key=True),
    Column("study", String(64), ForeignKey("studies.study", ondelete="CASCADE"), nullable=False),
    Column("item", String(64), nullable=False),
    Column("rater", String(64), nullable=False),
    Column("values", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("rated_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("item", "rater", name="one_rating"),
    Index("ratings_by_study", "study"),
)

# Everything that was ever submitted, in order; each line holds the hash of the one before it.
rating_changes = Table(
    "rating_changes",
    metadata,
    Column("study", String(64), ForeignKey("studies.study", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("assignment", String(64), nullable=False),
    Column("item", String(64), nullable=False),
    Column("rater", String(64), nullable=False),
    Column("submission", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("values", JSON, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("rater", "submission", name="one_submission"),
    Index("rating_changes_by_assignment", "assignment"),
)

# Prompts with an answer that a person kept on the compare page, until a dataset is made of them.
saved_examples = Table(
    "saved_examples",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("content", JSON, nullable=False),
    Column("saved_by", String(128), nullable=False),
    Column("saved_at", Moment, nullable=False),
)

# Keys of the gateway; only their hashes are kept.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("hint", String(16), nullable=False),  # its beginning, by which a person knows it again
    Column("scopes", JSON, nullable=False),
    Column("requests_per_minute", Integer),  # None: no limit
    Column("tokens_per_day", Integer),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
)

# What the gateway answers with, now or before.
served_versions = Table(
    "served_versions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column(
        "target", String(128), nullable=False
    ),  # name of a side: run:…, checkpoint:…, export:…, base:…, or an address
    Column("label", Text, nullable=False),
    Column("engine", String(16), nullable=False),
    Column("state", String(16), nullable=False),  # trying, refused, live, canary, standby, retired
    Column("share", Float, nullable=False, server_default="0"),  # of the requests, while it is a canary
    Column("smoke", JSON(none_as_null=True)),  # what the test before the switch found
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index("served_versions_by_state", "state"),
)

# Every switch of the gateway, in order.
serving_events = Table(
    "serving_events",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("event", String(32), nullable=False),
    Column("version", String(64)),
    Column("by", String(128), nullable=False),
    Column("values", JSON, nullable=False),
)

# One line a request of the gateway. Texts are there only where the owner asked for them, and masked.
traffic = Table(
    "traffic",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("version", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # chat, completion
    Column("status", Integer, nullable=False),
    Column("error", Text),
    Column("streamed", Boolean, nullable=False),
    Column("prompt_tokens", Integer),
    Column("answer_tokens", Integer),
    Column("first_token_seconds", Float),
    Column("seconds", Float, nullable=False),
    Column("finish", String(16)),  # stop, length, cancelled
    Column("confidence", Float),  # mean probability of the answer's tokens
    Column("refused", Boolean),  # whether the answer declines
    Column(
        "personal", JSON(none_as_null=True)
    ),  # kind of personal data → how often it was masked in the prompt
    Column("messages", JSON(none_as_null=True)),
    Column("answer", Text),
    Index("traffic_by_time", "at"),
    Index("traffic_by_version", "version", "at"),
)

# What the users of the gateway say of an answer; the newest word of a key counts.
feedback = Table(
    "feedback",
    metadata,
    Column("request", String(64), ForeignKey("traffic.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("thumb", Integer),  # 1 or -1
    Column("rating", Integer),  # 1 to 5
    Column("correction", Text),
    Column("comment", Text),
    Index("feedback_by_time", "at"),
)

# Comparisons of the traffic with what a version was trained on.
drift_checks = Table(
    "drift_checks",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("begins", Moment),  # the traffic it looked at
    Column("ends", Moment),
    Column("requests", Integer, nullable=False),
    Column("outcome", String(16), nullable=False),  # steady, drift, too_few, failed
    Column("report", JSON, nullable=False),
    Index("drift_checks_by_version", "version", "at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("version", String(64), nullable=False),
    Column("values", JSON, nullable=False),  # what the sentence is made of
    Column("seen_at", Moment),
    Column("delivery", JSON(none_as_null=True)),  # what became of the webhook
    Index("alerts_by_time", "at"),
)

# Requests that became rows of a dataset, so that none is harvested twice.
harvested = Table(
    "harvested",
    metadata,
    Column("request", String(64), primary_key=True),
    Column("dataset", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)

# Choices of the owner that outlive the process, such as what of the traffic is kept; one line a subject.
choices = Table(
    "choices",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("values", JSON, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
