"""A workspace whose time stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

import pytest

from ftkit.settings import Settings
from ftkit.workspace import Workspace


class Now:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, minutes: float) -> None:
        self.time += timedelta(minutes=minutes)


@pytest.fixture
def clock():
    return Now()


@pytest.fixture
def workspace(tmp_path, clock):
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path)}), clock) as workspace:
        yield workspace
