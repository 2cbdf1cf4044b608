"""What is known about a study, its raters and their ratings at one moment.

Values only, made by the service.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from ftkit.ratings.results.rated import Rated
from ftkit.ratings.studies.options import StudyOptions
from ftkit.records import Job, Study


@dataclass(frozen=True)
class StudyView:
    """A study with what is known about it now.

    Args:
        study: its record.
        options: what it asks.
        state: preparing, ready, open or closed.
        job: the newest start of the worker that answers.
        worker: its heartbeat while it works, else empty.
        items: all of them, ``gold`` among them, ``named`` with an answer that says the name of a model.
        raters: everybody who was invited.
        ratings: that were given, those of gold items too; ``needed`` without these.
        wanted: ratings that all items but the gold ones need.
        complete: items but the gold ones that have all theirs.
        changes: submissions so far; a new number means new results.
        answered: answers of the models so far, of ``answers_wanted``.
        left_out: prompts that became no item, by reason.
    """

    study: Study
    options: StudyOptions
    state: str
    job: Job
    worker: dict[str, Any]
    items: int
    gold: int
    named: int
    raters: int
    ratings: int
    needed: int
    wanted: int
    complete: int
    changes: int
    opened_at: datetime | None
    closed_at: datetime | None
    answered: int
    answers_wanted: int
    left_out: dict[str, int]


class RaterView(NamedTuple):
    """A rater with what they did: tasks ``rated`` and ``skipped``, and all that were ``given``."""

    rater: str
    name: str
    invited_at: datetime
    seen_at: datetime | None
    revoked_at: datetime | None
    rated: int
    skipped: int
    given: int


class Invite(NamedTuple):
    """An invitation; its token is seen this once."""

    rater: str
    name: str
    token: str


def rated_of(line: Mapping[str, Any], item: Mapping[str, Any]) -> Rated:
    """One rating of the store with the content of its item."""
    return Rated(
        item=item["id"],
        place=item["place"],
        rater=line["rater"],
        sides=tuple(answer["side"] for answer in item["answers"]),
        order=tuple(line["answer_order"]),
        values=line["values"],
        seconds=line["seconds"],
        gold=item["gold"],
        row=item["row"],
        prompt=sha256(json.dumps(item["prompt"]).encode()).hexdigest()[:16],
        slices=item["slices"],
    )
