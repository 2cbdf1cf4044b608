import os
from collections.abc import Iterator

import pytest

from ftkit.models.catalogue import BUNDLED_ID
from ftkit.settings import Settings
from ftkit.workspace import Workspace
from tests.ending import end_workers


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A fresh data folder with the bundled model, or the one that FTKIT_SMOKE_HOME names, to save the download."""
    home = os.environ.get("FTKIT_SMOKE_HOME") or str(tmp_path_factory.mktemp("home"))
    with Workspace(Settings.from_environment({**os.environ, "FTKIT_HOME": home})) as made:
        made.models.pull(BUNDLED_ID)
        job = made.models.wait(BUNDLED_ID)
        assert job.state == "done", job.error
        yield made
        end_workers(made)
