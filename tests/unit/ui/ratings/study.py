"""A study as the service gives it, for tests of what is shown of it."""

from datetime import UTC, datetime
from typing import Any

from ftkit.ratings.studies.items import Item, ItemAnswer
from ftkit.ratings.studies.options import StudyOptions
from ftkit.ratings.studies.views import RaterView, StudyView
from ftkit.records import Job, Study

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
HOSTILE = '<img src=x onerror=alert(1)>"'
SIDES = ("base:tiny", "run:r1")


def study_view(**changes: Any) -> StudyView:
    job = {
        "id": "j1", "kind": "study", "lane": "compute", "artefact": "s1", "state": changes.pop("job", "done"),
        "nonce": "n", "queued_at": NOW, "error": changes.pop("error", None),
    }  # fmt: skip
    options = StudyOptions(name=HOSTILE, sides=SIDES, overlap=3)
    study = Study(
        id="s1", name=HOSTILE, created_at=NOW, protocol="pairs", sides=SIDES, options=options.model_dump(mode="json")
    )  # fmt: skip
    values: dict[str, Any] = {
        "study": study, "options": options, "state": "open", "job": Job(**job), "worker": {}, "items": 12,
        "gold": 2, "named": 0, "raters": 3, "ratings": 11, "needed": 9, "wanted": 30, "complete": 2, "changes": 9,
        "opened_at": NOW, "closed_at": None, "answered": 24, "answers_wanted": 24, "left_out": {},
    }  # fmt: skip
    return StudyView(**{**values, **changes})


def rater(**changes: Any) -> RaterView:
    values: dict[str, Any] = {
        "rater": "p1", "name": HOSTILE, "invited_at": NOW, "seen_at": None, "revoked_at": None, "rated": 4,
        "skipped": 1, "given": 6,
    }  # fmt: skip
    return RaterView(**{**values, **changes})


def item(place: int = 0, **changes: Any) -> Item:
    answers = tuple(ItemAnswer(side=side, text=f"{HOSTILE} {side}", named=("tiny",)) for side in SIDES)
    prompt = ({"role": "user", "content": HOSTILE},)
    return Item(id=f"i{place}", place=place, prompt=prompt, answers=answers, reference=HOSTILE).model_copy(
        update=changes
    )
