"""Services over a database of their own, a clock that stands still, and engines without a model."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from ftkit.errors import NotFound
from ftkit.serving.engines.asking import Source
from ftkit.serving.keys.service import KeyService
from ftkit.serving.versions.means import Means
from ftkit.serving.versions.service import ServingService
from ftkit.store.engine import Database
from tests.unit.serving.parrot import Parrot


class Now:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 26, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **parts: float) -> None:
        self.time += timedelta(**parts)


@pytest.fixture
def clock():
    return Now()


@pytest.fixture
def new_id():
    return map("id{:04}".format, itertools.count()).__next__


@pytest.fixture
def database(tmp_path, clock):
    database = Database(f"sqlite:///{tmp_path / 'ftkit.sqlite'}", clock)
    yield database
    database.close()


@pytest.fixture
def keys(database, clock, new_id):
    return KeyService(database, clock, new_id)


@pytest.fixture
def parrot():
    return Parrot()


@pytest.fixture
def serving(database, clock, new_id, parrot):
    def resolve(target: str) -> Source:
        if not target.startswith("run:"):
            raise NotFound("sides.no_checkpoint", "There is none.")
        return Source(target.removeprefix("run:"))

    means = Means(resolve, lambda source: [], lambda: {"resident": parrot})
    return ServingService(database, means, clock, new_id)
