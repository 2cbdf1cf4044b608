"""Queries for artefacts: add, get, list, delete, lineage.

Takes and gives records; the typed fields of a record travel as one JSON column, its parents as rows, so that the
lineage of anything is one recursive query. It touches no artefact's files.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Row, delete, insert, literal, select

from ftkit.errors import BadInput, NotFound
from ftkit.records import Artefact
from ftkit.storage import MOUNTS
from ftkit.store.engine import Database, store_file
from ftkit.store.files import read_json, write_json
from ftkit.store.tables import artefacts, parents

A = TypeVar("A", bound=Artefact)


_KINDS: dict[str, type[Artefact]] = {kind.kind: kind for kind in Artefact.__subclasses__()}


def enter(record: Artefact, url: str, mounts: Path = MOUNTS) -> None:
    """Store a new artefact from a process that keeps no database open, as a worker that has made one.

    Where only one process may use the database, the record waits in a file for whoever has it.

    Args:
        record: the artefact.
        url: address of the database.
        mounts: ``/proc/mounts``.
    """
    file = store_file(url, mounts=mounts)
    if file is not None and file.alone:
        value = {"kind": record.kind, "record": record.model_dump(mode="json")}
        write_json(_waiting(file.path) / f"{record.id}.json", value)
        return
    database = Database(url, mounts=mounts, check=False)
    try:
        Artefacts(database).add(record)
    finally:
        database.close()


def is_artefact(connection: Connection, id_: str) -> bool:
    """Whether an id is taken."""
    return connection.execute(select(artefacts.c.id).where(artefacts.c.id == id_)).first() is not None


def insert_artefact(connection: Connection, record: Artefact) -> None:
    """Store a new artefact with its parents within a transaction of the caller's."""
    connection.execute(
        insert(artefacts).values(
            id=record.id,
            kind=record.kind,
            name=record.name,
            created_at=record.created_at,
            content_hash=record.content_hash,
            record=record.model_dump(mode="json"),
        )
    )
    for parent in dict.fromkeys(record.parents):
        connection.execute(insert(parents).values(child=record.id, parent=parent))


class Artefacts:
    """The artefacts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._taking = threading.Lock()

    def add(self, record: Artefact) -> None:
        """Store a new artefact with its parents.

        Raises:
            BadInput: the id is taken.
        """
        with self._database.write() as connection:
            if is_artefact(connection, record.id):
                raise BadInput("store.id_taken", "The id {id} is taken. Choose another one.", id=record.id)
            insert_artefact(connection, record)

    def get(self, kind: type[A], id_: str) -> A:
        """The artefact of this kind with this id.

        Raises:
            NotFound: there is none.
        """
        query = select(artefacts).where(artefacts.c.id == id_, artefacts.c.kind == kind.kind)
        with self._read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound("store.unknown_id", "There is no {kind} with the id {id}.", kind=kind.kind, id=id_)
        return _record(kind, row)

    def all(self, kind: type[A]) -> list[A]:
        """All artefacts of a kind, newest first."""
        query = (
            select(artefacts)
            .where(artefacts.c.kind == kind.kind)
            .order_by(artefacts.c.created_at.desc(), artefacts.c.id)
        )
        with self._read() as connection:
            return [_record(kind, row) for row in connection.execute(query)]

    def delete(self, record: Artefact) -> None:
        """Forget an artefact.

        Raises:
            BadInput: another artefact was made from it.
        """
        with self._database.write() as connection:
            child = connection.execute(
                select(artefacts.c.kind, artefacts.c.id)
                .join(parents, parents.c.child == artefacts.c.id)
                .where(parents.c.parent == record.id)
            ).first()
            if child:
                raise BadInput(
                    "store.has_children",
                    "{kind} {child} was made from it. Delete that first.",
                    kind=child.kind,
                    child=child.id,
                )
            connection.execute(delete(artefacts).where(artefacts.c.id == record.id))

    def children(self, id_: str) -> list[tuple[str, str]]:
        """``(kind, id)`` of everything that was made from an artefact, in the order of the ids."""
        query = (
            select(artefacts.c.kind, artefacts.c.id)
            .join(parents, parents.c.child == artefacts.c.id)
            .where(parents.c.parent == id_)
            .order_by(artefacts.c.id)
        )
        with self._read() as connection:
            return [(row.kind, row.id) for row in connection.execute(query)]

    def lineage(self, id_: str) -> Sequence[tuple[str, str, str]]:
        """``(kind, id, name)`` of everything that ``id_`` was made from, itself first."""
        chain = select(literal(id_).label("id"), literal(0).label("depth")).cte("chain", recursive=True)
        chain = chain.union_all(
            select(parents.c.parent, chain.c.depth + 1).join(chain, parents.c.child == chain.c.id)
        )
        query = (
            select(artefacts.c.kind, artefacts.c.id, artefacts.c.name)
            .join(chain, chain.c.id == artefacts.c.id)
            .order_by(chain.c.depth)
        )
        with self._read() as connection:
            found = [(row.kind, row.id, row.name) for row in connection.execute(query)]
        return list(dict.fromkeys(found))

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        """A read transaction, after records that workers left were taken in."""
        file = self._database.file
        if file is not None and file.alone:
            for path in sorted(_waiting(file.path).glob("*.json")):
                self._take_in(path)
        with self._database.read() as connection:
            yield connection

    def _take_in(self, path: Path) -> None:
        with self._taking:
            value = read_json(path)
            if value is None:  # another thread was faster
                return
            with suppress(BadInput):  # it was taken in before, by a process that died before the next line
                self.add(_KINDS[value["kind"]].model_validate(value["record"]))
            path.unlink()


def _waiting(database: Path) -> Path:
    return database.with_name(f"{database.name}.entering")


def _record(kind: type[A], row: Row[tuple[object, ...]]) -> A:
    return kind.model_validate(row.record)
