"""A rating study whose answers are frozen already, put into a data folder without a model that writes them."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Update, update

from ftkit.ratings.studies.items import Item, ItemAnswer
from ftkit.ratings.studies.options import StudyOptions
from ftkit.records import Study
from ftkit.settings import Settings
from ftkit.store.engine import Database
from ftkit.store.ratings import studies as stored
from ftkit.store.tables import assignments, studies
from ftkit.workspace import Workspace, random_id, utc_now

SIDES = ("base:left-model", "run:right-run", "run:third-run", "run:fourth-run")


def item(place: int, prompt: str, answers: Sequence[str], reference: str = "") -> Item:
    """One prompt with the answers of the first sides."""
    return Item(
        id=f"{place:04d}-{random_id()}",
        place=place,
        prompt=({"role": "user", "content": prompt},),
        answers=tuple(ItemAnswer(side=side, text=text) for side, text in zip(SIDES, answers, strict=False)),
        reference=reference,
    )


def stock(home: Path, options: StudyOptions, items: Sequence[Item], raters: int = 1) -> tuple[str, list[str]]:
    """Id of an open study, and the tokens of its raters; the dashboard may be running."""
    settings = Settings.from_environment({"FTKIT_HOME": str(home)})
    with Workspace(settings) as workspace:
        study = Study(
            id=random_id(),
            name=options.name,
            created_at=utc_now(),
            protocol=options.protocol,
            sides=options.sides,
            options=options.model_dump(mode="json"),
        )
        workspace.artefacts.add(study)
        database = Database(settings.store_url, utc_now)
        with database.write() as connection:
            stored.add_study(connection, study.id, "a secret of this test")
            stored.add_items(connection, study.id, [_line(one) for one in items])
            stored.move(connection, study.id, {"preparing"}, state="open", opened_at=utc_now())
        database.close()
        invites = workspace.studies.invite(study.id, [f"Rater {n}" for n in range(raters)])
    return study.id, [invite.token for invite in invites]


def _line(item: Item) -> stored.NewItem:
    return stored.NewItem(
        item.id, item.place, False, False, f"{item.place:04d}", item.model_dump(mode="json")
    )


def move(home: Path, study: str, state: str) -> None:
    """Open, close or shut a study."""
    _write(home, update(studies).where(studies.c.study == study).values(state=state))


def let_leases_end(home: Path, study: str) -> None:
    """As if ten minutes had gone by."""
    gone = utc_now() - timedelta(minutes=1)
    _write(home, update(assignments).where(assignments.c.study == study).values(kept_until=gone))


def _write(home: Path, change: Update) -> None:
    database = Database(Settings.from_environment({"FTKIT_HOME": str(home)}).store_url, utc_now)
    with database.write() as connection:
        connection.execute(change)
    database.close()
