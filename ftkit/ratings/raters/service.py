"""What raters do: get the next task, keep a draft, submit, skip, look at what they rated and change it.

Takes the token of an invitation with each call, gives what a rater's page may know: prompt, answers in the order of this task, the
study's title and guidelines, and nothing that tells which model wrote what or which item is gold. Each call is one transaction
in which nobody else writes to the study, so what it answers has been committed.
"""

import hmac
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ftkit.errors import BadInput, NotAllowed, NotFound, Refused
from ftkit.jobs.service import Clock, NewId
from ftkit.network.tokens import hash_token
from ftkit.ratings.raters.shown import beginning, study_of, task_of
from ftkit.ratings.studies import assigning, values
from ftkit.ratings.studies.items import Item
from ftkit.ratings.studies.options import StudyOptions
from ftkit.store.engine import Database
from ftkit.store.ratings import assigning as stored
from ftkit.store.ratings import history, raters, studies
from ftkit.store.ratings.assigning import Assignment, Who

LEASE = timedelta(minutes=10)
_SEEN_EVERY = timedelta(minutes=1)
_RENEW_EVERY = timedelta(seconds=20)
_SUBMISSION = re.compile(r"[A-Za-z0-9-]{8,64}")
_MOST_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class _Visit:
    """A rater within one transaction."""

    connection: Connection
    rater: raters.Rater
    standing: studies.Standing
    options: StudyOptions
    now: datetime

    @property
    def who(self) -> Who:
        return Who(self.rater.study, self.rater.id, self.now)


class RaterService:
    """The raters' side of the studies of one data folder."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._options: dict[str, StudyOptions] = {}  # of studies, which never change

    def come_in(self, token: str) -> None:
        """Note that a rater has opened their invitation.

        Raises:
            NotAllowed: the token is wrong or revoked; so does every other call.
        """
        with self._visit(token):
            pass

    def task(self, token: str) -> dict[str, Any]:
        """What to rate next: the task that the rater has, or a new one, with where the study stands."""
        with self._visit(token) as visit:
            return self._next(visit)

    def shown(self, token: str, task: str) -> dict[str, Any]:
        """A task of this rater again, to change what they said.

        Raises:
            NotFound: they have no such task.
        """
        with self._visit(token) as visit:
            if visit.standing.state != "open":
                return self._next(visit)
            return self._told(visit, "task", _own(visit, task))

    def save_draft(self, token: str, task: str, draft: object, number: int) -> dict[str, Any]:
        """Keep what a rater has filled in so far, and the task for them a while longer.

        Args:
            token: of the rater.
            task: theirs.
            draft: values, perhaps incomplete.
            number: the page counts its drafts; one that comes late with a smaller number changes nothing.

        Raises:
            NotFound: they have no such task.
            BadInput: a value is out of its range.
            Refused: the study is not open.
        """
        with self._visit(token) as visit:
            _check_open(visit)
            assignment = _own(visit, task)
            content = values.check(draft, self._asked(visit, assignment), whole=False)
            changes: dict[str, Any] = {}
            if number > assignment.draft_number:
                changes = {"draft": content, "draft_number": number}
            if assignment.state == "given" and self._may_rate(visit, assignment):
                changes["kept_until"] = visit.now + LEASE
            if changes:
                stored.change(visit.connection, task, **changes)
            return {"number": max(number, assignment.draft_number)}

    def submit(self, token: str, task: str, submission: str, said: object, seconds: float) -> dict[str, Any]:
        """Take a rating. The same submission again gets the same reply and changes nothing; another one for the task is an edit.

        Args:
            token: of the rater.
            task: theirs.
            submission: made by the rater's page, new for each time that something is sent off.
            said: the values, counted in the order of the page.
            seconds: that the rater took.

        Raises:
            NotFound: they have no such task.
            BadInput: a value is missing or out of its range.
            Refused: the study is not open, others have rated the item meanwhile, or the submission was for another task.
        """
        if not _SUBMISSION.fullmatch(submission):
            raise BadInput("raters.bad_submission", "The submission has no usable id. Reload the page.")
        with self._visit(token) as visit:
            before = history.submitted(visit.connection, visit.rater.id, submission)
            if before is not None and before.assignment != task:
                raise Refused(
                    "raters.other_task",
                    "This submission was for another task. Reload the page and send it again.",
                )
            revision = before.revision if before else self._take(visit, task, submission, said, seconds)
            return {"submission": submission, "revision": revision, "next": self._next(visit)}

    def skip(self, token: str, task: str) -> dict[str, Any]:
        """Leave a task to others; it is not given to this rater again.

        Raises:
            NotFound: they have no such task.
            Refused: it is rated already, or the study is not open.
        """
        with self._visit(token) as visit:
            _check_open(visit)
            assignment = _own(visit, task)
            if assignment.state == "rated":
                raise Refused("raters.rated", "You have rated this one already. Change your rating instead.")
            stored.change(visit.connection, task, state="skipped", kept_until=visit.now)
            return {"next": self._next(visit)}

    def mine(self, token: str) -> list[dict[str, Any]]:
        """What a rater has rated, newest change first: ``id``, ``beginning`` of the prompt, ``revision``, ``changed_at``."""
        with self._visit(token) as visit:
            rows = stored.rated_tasks(visit.connection, visit.rater.id)
        return [
            {
                "id": row["assignment"],
                "beginning": beginning(row["content"]),
                "revision": row["revision"],
                "changed_at": row["changed_at"].isoformat(),
            }
            for row in rows
        ]

    @contextmanager
    def _visit(self, token: str) -> Iterator[_Visit]:
        """A transaction for a rater who may be here."""
        wanted, now = hash_token(token), self._clock()
        with self._database.write() as connection:
            rater = raters.by_token(connection, wanted)
            if rater is None or not hmac.compare_digest(rater.token_hash, wanted):
                raise NotAllowed(
                    "raters.bad_invite",
                    "This invitation is not known. Open the newest link that you were sent, or ask for one.",
                )
            if rater.revoked_at is not None:
                raise NotAllowed(
                    "raters.revoked",
                    "This invitation was withdrawn. Ask whoever sent it if that was not meant.",
                )
            standing = studies.standing(connection, rater.study)
            if standing is None:
                raise AssertionError(f"rater {rater.id} has no study")
            if rater.seen_at is None or now - rater.seen_at > _SEEN_EVERY:
                raters.see(connection, rater.id, now)
            yield _Visit(connection, rater, standing, self._options_of(connection, rater.study), now)

    def _options_of(self, connection: Connection, study: str) -> StudyOptions:
        if study not in self._options:
            self._options[study] = StudyOptions.parse(studies.record_of(connection, study)["options"])
        return self._options[study]

    def _take(self, visit: _Visit, task: str, submission: str, said: object, seconds: float) -> int:
        """Store a submission that never came before; gives its revision."""
        _check_open(visit)
        assignment = _own(visit, task)
        content = values.check(said, self._asked(visit, assignment), whole=True)
        rating = history.current(visit.connection, task)
        if rating is None and not self._may_rate(visit, assignment):
            raise Refused(
                "raters.full",
                "Others have this one meanwhile, because it was left for longer than {minutes} minutes. Your rating is not needed "
                "any more; go on with the next one.",
                minutes=int(LEASE.total_seconds() // 60),
            )
        revision = 1 if rating is None else int(rating.revision) + 1
        change = history.Change(
            study=visit.rater.study,
            assignment=task,
            item=assignment.item,
            rater=visit.rater.id,
            submission=submission,
            revision=revision,
            values=values.to_item(content, assignment.answer_order),
            seconds=_seconds(seconds),
            changed_at=visit.now,
        )
        history.write(visit.connection, change)
        stored.change(visit.connection, task, state="rated", draft=None)
        return revision

    def _may_rate(self, visit: _Visit, assignment: Assignment) -> bool:
        """Whether there is room for a rating of a task that is not rated yet."""
        if assignment.state == "given" and assignment.kept_until > visit.now:
            return True
        return stored.has_room(visit.connection, visit.who, assignment.item, visit.options.overlap)

    def _next(self, visit: _Visit) -> dict[str, Any]:
        if visit.standing.state != "open":
            return self._told(visit, "closed" if visit.standing.state == "closed" else "not_open", None)
        connection = visit.connection
        for assignment in stored.given(connection, visit.rater.id):
            if self._may_rate(visit, assignment):
                self._keep(visit, assignment)
                return self._told(visit, "task", assignment)
        item = self._pick(visit)
        if item is not None:
            content = Item.model_validate(studies.content_of(connection, item))
            return self._told(visit, "task", self._give(visit, content), content)
        open_ = stored.may_become(connection, visit.who, visit.options.overlap)
        return self._told(visit, "waiting" if open_ else "finished", None)

    def _pick(self, visit: _Visit) -> str | None:
        """The next item for a rater: a gold one where one is due, or where there is no other now."""
        connection, secret = visit.connection, visit.standing.secret
        golds = stored.golds_left(connection, visit.who) if visit.options.gold else []
        if golds:
            own = stored.had(connection, visit.rater.id)
            ordered = assigning.gold_order(secret, visit.rater.id, golds)
            items, people = studies.sizes(connection, visit.rater.study)
            expected = items * visit.options.overlap // max(people, visit.options.overlap)
            all_ = own.golds + len(golds)
            if assigning.gold_is_due(secret, visit.rater.id, (own.golds, all_), own.others, expected):
                return ordered[0]
        item = stored.next_item(connection, visit.who, visit.options.overlap)
        return ordered[0] if item is None and golds else item

    def _keep(self, visit: _Visit, assignment: Assignment) -> None:
        """Renew a lease; a fresh one is left as it is, so that looking again writes nothing."""
        kept_until = visit.now + LEASE
        if kept_until - assignment.kept_until > _RENEW_EVERY:
            stored.change(visit.connection, assignment.id, kept_until=kept_until)

    def _give(self, visit: _Visit, item: Item) -> Assignment:
        before = stored.orders(visit.connection, item.id, visit.now)
        order = assigning.answer_order(visit.standing.secret, item.id, len(item.answers), before)
        assignment = Assignment(
            id=self._new_id(),
            study=visit.rater.study,
            item=item.id,
            rater=visit.rater.id,
            state="given",
            answer_order=order,
            given_at=visit.now,
            kept_until=visit.now + LEASE,
            draft=None,
            draft_number=0,
        )
        stored.add(visit.connection, assignment)
        return assignment

    def _asked(self, visit: _Visit, assignment: Assignment) -> values.Asked:
        return values.Asked(visit.options, len(assignment.answer_order))

    def _told(
        self, visit: _Visit, state: str, assignment: Assignment | None, item: Item | None = None
    ) -> dict[str, Any]:
        """The reply to a rater's page."""
        connection, rater = visit.connection, visit.rater.id
        rated = stored.rated_by(connection, rater)
        task, left = None, 0
        if visit.standing.state == "open":
            left = stored.may_become(connection, visit.who, visit.options.overlap)
            left += stored.golds_open(connection, visit.who) if visit.options.gold else 0
        if assignment is not None:
            item = item or Item.model_validate(studies.content_of(connection, assignment.item))
            rating = history.current(connection, assignment.id) if assignment.state == "rated" else None
            said: Mapping[str, Any] | None = None if rating is None else rating._mapping["values"]
            task = task_of(assignment, item, said, visit.options)
        return {
            "state": state,
            "study": study_of(visit.options),
            "rater": visit.rater.name,
            "progress": {"rated": rated, "may_become": rated + left},
            "task": task,
        }


def _own(visit: _Visit, task: str) -> Assignment:
    """A task of this rater."""
    found = stored.own(visit.connection, visit.rater.id, task)
    if found is None:
        raise NotFound("raters.no_task", "You have no such task. Reload the page to get the next one.")
    return found


def _check_open(visit: _Visit) -> None:
    if visit.standing.state == "closed":
        raise Refused("raters.closed", "This study is closed. What you had sent before is stored; thank you.")
    if visit.standing.state != "open":
        raise Refused("raters.not_open", "This study is not open yet. Come back later.")


def _seconds(value: float) -> float:
    """What a page says of its time; nothing that could not be."""
    return min(max(float(value), 0.0), _MOST_SECONDS) if math.isfinite(value) else 0.0
