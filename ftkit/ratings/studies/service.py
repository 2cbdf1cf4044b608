"""Rating studies: make one, freeze its answers, open and close it, invite raters, and read what they said.

Takes options and prompts, gives records and counts. The answers come from the worker ``study``; what raters do goes through
``ftkit.ratings.raters``. Who rates is known here by id and name, never by token: of that only the sha256 is kept.
"""

import secrets
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.jobs.folder import JobFolder, read_lines
from ftkit.jobs.service import Clock, Jobs, NewId
from ftkit.network.tokens import hash_token, new_token
from ftkit.ratings.results.rated import Rated
from ftkit.ratings.sides.names import Side
from ftkit.ratings.sides.service import SideService
from ftkit.ratings.studies.assigning import shuffled
from ftkit.ratings.studies.items import Item
from ftkit.ratings.studies.making import items_of
from ftkit.ratings.studies.options import Prompt, Source, StudyOptions
from ftkit.ratings.studies.views import Invite, RaterView, StudyView, rated_of
from ftkit.records import ACTIVE_STATES, ENDED_STATES, Job, Study
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database
from ftkit.store.files import Folders, hash_value, read_json, write_json
from ftkit.store.ratings import history as changes_of
from ftkit.store.ratings import raters as raters_of
from ftkit.store.ratings import studies as stored
from ftkit.store.ratings.history import Verified

KIND = "study"
_MOST_RATERS = 500
_MOST_NAME = 100


class StudyService:
    """Rating studies of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the workspace
        self,
        database: Database,
        artefacts: Artefacts,
        folders: Folders,
        jobs: Jobs,
        sides: SideService,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._sides = sides
        self._clock = clock
        self._new_id = new_id

    def create(self, options: StudyOptions, prompts: Sequence[Prompt], source: Source | None = None) -> Study:
        """Queue the answering of a new study.

        Raises:
            BadInput: there is no prompt.
            NotFound: a side is gone.
            Refused: a run has left nothing yet.
        """
        if not prompts:
            raise BadInput("studies.no_prompts", "There is no prompt. Choose rows or write some.")
        source = source or Source()
        study = self._new(options, prompts, source)
        folder = self._folders.study(study.id)
        write_json(folder / "prompts.json", [prompt.model_dump(mode="json") for prompt in prompts])
        write_json(folder / "inputs.json", self._inputs(options, prompts))
        self._jobs.submit(KIND, study.id, record=study)
        self._standing(study.id)
        return study

    def all(self) -> list[StudyView]:
        """All studies, newest first."""
        return [self._view(study) for study in self._artefacts.all(Study)]

    def get(self, id_: str) -> StudyView:
        """One study.

        Raises:
            NotFound: there is none with this id.
        """
        return self._view(self._study(id_))

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> StudyView:
        """Supervise until all models have answered; ``on_look`` gets the job and the worker's heartbeat."""
        self._jobs.wait(self._study(id_).id, on_look=on_look)
        return self.get(id_)

    def stop(self, id_: str) -> StudyView:
        """Stop the answering; what was answered is kept for when it goes on."""
        self._jobs.stop(self._study(id_).id)
        return self.get(id_)

    def retry(self, id_: str) -> StudyView:
        """Go on with the answering after it was stopped or failed.

        Raises:
            Refused: the answers are there already.
        """
        study = self._study(id_)
        if self._standing(study.id).state != "preparing":
            raise Refused(
                "studies.answered", "The answers of this study are there already. Open it for raters."
            )
        self._jobs.submit(KIND, study.id)
        return self.get(id_)

    def delete(self, id_: str) -> None:
        """Delete a study with its ratings.

        Raises:
            Refused: its models answer right now, or it is open.
            BadInput: something was made from its ratings.
        """
        study = self._study(id_)
        if self._job(study).state not in ENDED_STATES:
            raise Refused("studies.active", "The models answer right now. Stop the study first.")
        if self._standing(study.id).state == "open":
            raise Refused("studies.open", "The study is open for raters. Close it first.")
        self._artefacts.delete(study)
        shutil.rmtree(self._folders.study(study.id), ignore_errors=True)

    def freeze_done(self) -> None:
        """Freeze the answers of studies whose models have all answered. Cheap; call it every second or two."""
        with self._database.read() as connection:
            preparing = stored.in_state(connection, "preparing")
        for id_ in preparing:
            self._view(self._study(id_))

    def items(self, id_: str) -> list[Item]:
        """What is rated, by place; empty until all models have answered."""
        study = self._study(id_)
        with self._database.read() as connection:
            return [Item.model_validate(one) for one in stored.items_of(connection, study.id)]

    def drop(self, id_: str, items: Sequence[str]) -> int:
        """Leave items out, such as those whose answers name a model; tells how many went.

        Raises:
            Refused: the study was opened already.
        """
        study = self._study(id_)
        with self._database.write() as connection:
            at = stored.standing(connection, study.id, lock=True)
            if at is None or at.state != "ready" or at.opened_at is not None:
                raise Refused(
                    "studies.not_ready",
                    "Items can be left out between the models' answers and the first opening only.",
                )
            return stored.drop_items(connection, study.id, items)

    def open(self, id_: str) -> StudyView:
        """Let raters in.

        Raises:
            Refused: the models have not answered yet, or nothing is left to be rated.
        """
        view = self.get(id_)
        if view.state == "preparing":
            raise Refused("studies.preparing", "The models have not answered yet. Wait for their end.")
        if view.items == view.gold:
            raise Refused("studies.empty", "The study has no items. Make a new one with other prompts.")
        opened = view.opened_at or self._clock()
        with self._database.write() as connection:
            stored.move(connection, id_, {"ready", "closed"}, state="open", opened_at=opened, closed_at=None)
        return self.get(id_)

    def close(self, id_: str) -> StudyView:
        """Let nobody rate any more; it can be opened again.

        Raises:
            Refused: it is not open.
        """
        study = self._study(id_)
        with self._database.write() as connection:
            if not stored.move(connection, study.id, {"open"}, state="closed", closed_at=self._clock()):
                raise Refused("studies.not_open", "The study is not open.")
        return self.get(id_)

    def invite(self, id_: str, names: Sequence[str]) -> list[Invite]:
        """Invite raters; each gets a token of their own, which is told this once.

        Raises:
            BadInput: a name is empty or too long, or there are too many.
        """
        study = self._study(id_)
        told = [name.strip() for name in names]
        if not told or not all(0 < len(name) <= _MOST_NAME for name in told):
            raise BadInput(
                "studies.bad_rater", "Give each rater a name of 1 to {most} characters.", most=_MOST_NAME
            )
        self._standing(study.id)
        invites = [Invite(self._new_id(), name, new_token()) for name in told]
        now = self._clock()
        with self._database.write() as connection:
            stored.standing(connection, study.id, lock=True)
            if len(raters_of.of_study(connection, study.id)) + len(invites) > _MOST_RATERS:
                raise BadInput(
                    "studies.many_raters",
                    "A study has at most {most} raters. Invite fewer.",
                    most=_MOST_RATERS,
                )
            for number, one in enumerate(invites):
                invited_at = now + timedelta(microseconds=number)  # those of one call stay in their order
                rater = raters_of.Rater(
                    one.rater, study.id, one.name, hash_token(one.token), invited_at, None, None
                )
                raters_of.add(connection, rater)
        return invites

    def renew(self, id_: str, rater: str) -> Invite:
        """A new token for a rater, who is let in again if they were shut out; the old one ends.

        Raises:
            NotFound: there is no such rater.
        """
        token = new_token()
        with self._database.write() as connection:
            stored.standing(connection, id_, lock=True)
            if not raters_of.renew(connection, id_, rater, hash_token(token)):
                raise _no_rater(rater)
            name = next(one.name for one in raters_of.of_study(connection, id_) if one.id == rater)
        return Invite(rater, name, token)

    def revoke(self, id_: str, rater: str) -> None:
        """Shut a rater out at once; their ratings stay.

        Raises:
            NotFound: there is no such rater.
        """
        with self._database.write() as connection:
            stored.standing(connection, id_, lock=True)
            if not raters_of.revoke(connection, id_, rater, self._clock()):
                raise _no_rater(rater)

    def raters(self, id_: str) -> list[RaterView]:
        """Everybody who was invited, in that order."""
        study = self._study(id_)
        with self._database.read() as connection:
            people = raters_of.of_study(connection, study.id)
            work = stored.work_of(connection, study.id)
        found = []
        for one in people:
            done = work.get(one.id, {})
            counts = done.get("rated", 0), done.get("skipped", 0), sum(done.values())
            found.append(RaterView(one.id, one.name, one.invited_at, one.seen_at, one.revoked_at, *counts))
        return found

    def rated(self, id_: str) -> list[Rated]:
        """All ratings as they are now, of revoked raters and of gold items too, in the order of their first submission."""
        study = self._study(id_)
        with self._database.read() as connection:
            items = {one["id"]: one for one in stored.items_of(connection, study.id)}
            lines = changes_of.all_ratings(connection, study.id)
        return [rated_of(line, items[line["item"]]) for line in lines]

    def history(self, id_: str) -> list[dict[str, Any]]:
        """Everything that was ever submitted, in order, each line with its hash."""
        study = self._study(id_)
        with self._database.read() as connection:
            return list(changes_of.changes(connection, study.id))

    def verify(self, id_: str) -> Verified:
        """Whether the history is as it was written, and the ratings follow it."""
        study = self._study(id_)
        with self._database.read() as connection:
            return changes_of.verify(connection, study.id)

    def _study(self, id_: str) -> Study:
        return self._artefacts.get(Study, id_)

    def _new(self, options: StudyOptions, prompts: Sequence[Prompt], source: Source) -> Study:
        sides = [Side.parse(side) for side in options.sides]
        parents = [side.id for side in sides if side.kind != "base"] + [source.split, source.dataset]
        told = options.model_dump(mode="json")
        now = self._clock()
        return Study(
            id=self._new_id(),
            name=options.name or f"{now:%Y-%m-%d %H:%M} · {' / '.join(map(self._sides.label, sides))}",
            created_at=now,
            parents=tuple(dict.fromkeys(parent for parent in parents if parent)),
            content_hash=hash_value([told, [prompt.model_dump(mode="json") for prompt in prompts]]),
            seed=options.seed,
            protocol=options.protocol,
            sides=options.sides,
            options=told,
            **source.model_dump(),
        )

    def _inputs(self, options: StudyOptions, prompts: Sequence[Prompt]) -> dict[str, Any]:
        """What the worker reads."""
        sides = []
        for name in options.sides:
            side = Side.parse(name)
            place = self._sides.place(side)
            tuned = None if place.tuned is None else str(place.tuned)
            sides.append({"name": name, "model": str(place.model), "tuned": tuned, "strength": side.strength})
        return {
            "prompts": [{"messages": list(prompt.messages), "plain": prompt.plain} for prompt in prompts],
            "sides": sides,
            "sampling": options.sampling.model_dump(mode="json"),
        }

    def _standing(self, id_: str) -> stored.Standing:
        """Where a study stands; where a crash came between its record and this line, the line is made now."""
        with self._database.read() as connection:
            found = stored.standing(connection, id_)
        if found is None:
            with self._database.write() as connection:
                stored.add_study(connection, id_, secrets.token_hex(32))
                found = stored.standing(connection, id_)
        if found is None:
            raise NotFound("store.unknown_id", "There is no {kind} with the id {id}.", kind=KIND, id=id_)
        return found

    def _job(self, study: Study) -> Job:
        """The newest job; where none is left of it, it is queued now."""
        try:
            return self._jobs.of(study.id)
        except NotFound:
            return self._jobs.submit(KIND, study.id)

    def _view(self, study: Study) -> StudyView:
        options = StudyOptions.parse(study.options)
        at, job = self._standing(study.id), self._job(study)
        folder = self._folders.study(study.id)
        if at.state == "preparing" and job.state == "done":
            self._freeze(study, options)
            at = self._standing(study.id)
        with self._database.read() as connection:
            counts = stored.count(connection, study.id, options.overlap)
        prompts = read_json(folder / "prompts.json") or []
        answers = folder / "answers.jsonl"
        return StudyView(
            study=study,
            options=options,
            state=at.state,
            job=job,
            worker=JobFolder(folder).state() if job.state in ACTIVE_STATES else {},
            **counts._asdict(),
            wanted=(counts.items - counts.gold) * options.overlap,
            changes=at.changes,
            opened_at=at.opened_at,
            closed_at=at.closed_at,
            answered=answers.read_bytes().count(b"\n") if answers.exists() else 0,
            answers_wanted=len(prompts) * len(options.sides),
            left_out=at.left_out or {},
        )

    def _freeze(self, study: Study, options: StudyOptions) -> None:
        """Make the items of what the models answered; a second process that does the same comes too late and changes nothing."""
        folder = self._folders.study(study.id)
        prompts = [Prompt.model_validate(one) for one in read_json(folder / "prompts.json") or []]
        answers = read_lines(folder / "answers.jsonl")
        made = items_of(options, prompts, answers, self._names(options), self._new_id)
        with self._database.write() as connection:
            at = stored.standing(connection, study.id, lock=True)
            if at is None or at.state != "preparing":
                return
            stored.add_items(connection, study.id, [_new_item(item, at.secret) for item in made.items])
            stored.move(connection, study.id, {"preparing"}, state="ready", left_out=made.left_out)

    def _names(self, options: StudyOptions) -> list[str]:
        """What the models are called."""
        names: list[str] = []
        for one in options.sides:
            side = Side.parse(one)
            names += [side.id, self._sides.label(Side(kind=side.kind, id=side.id, step=None))]
        return list(dict.fromkeys(names))


def _new_item(item: Item, secret: str) -> stored.NewItem:
    named = any(answer.named for answer in item.answers)
    content = item.model_dump(mode="json")
    return stored.NewItem(
        item.id, item.place, item.gold is not None, named, shuffled(secret, item.id), content
    )


def _no_rater(rater: str) -> NotFound:
    return NotFound("studies.no_rater", "The study has no rater with the id {rater}.", rater=rater)
