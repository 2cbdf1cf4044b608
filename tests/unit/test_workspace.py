"""The workspace on a fresh folder and on one that cannot be used."""

from pathlib import Path

import pytest

from ftkit.errors import StoreFault
from ftkit.models.catalogue import BUNDLED_ID
from ftkit.settings import Settings
from ftkit.workspace import Workspace
from tests.tiny import make_tiny_model


def settings(home: Path, **environment: str) -> Settings:
    return Settings.from_environment({"FTKIT_HOME": str(home), **environment})


def test_the_first_start_brings_the_samples_and_a_later_one_leaves_them_deleted(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "models" / BUNDLED_ID)  # it is here, so nothing is downloaded
    with Workspace(settings(tmp_path)) as workspace:
        workspace.prepare_first_start()
        assert {d.id for d in workspace.data.all()} == {
            "sample-ticket-triage",
            "sample-house-voice-en",
            "sample-house-voice-tr",
        }
        [split] = workspace.splits.all("sample-ticket-triage")
        assert split.leaks == 0
        assert workspace.jobs.unfinished() == []
        workspace.data.delete("sample-house-voice-en")
    with Workspace(settings(tmp_path)) as again:
        again.prepare_first_start()
        assert "sample-house-voice-en" not in {d.id for d in again.data.all()}
        assert len(again.splits.all()) == 1


def test_without_samples_the_folder_stays_empty(tmp_path: Path) -> None:
    with Workspace(settings(tmp_path, FTKIT_SAMPLES="false")) as workspace:
        workspace.prepare_first_start()
        assert workspace.data.all() == []


def test_the_data_folder_is_private(tmp_path: Path) -> None:
    home = tmp_path / "new"
    with Workspace(settings(home)):
        assert home.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_refused_with_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFault, match="Set FTKIT_HOME"):
        Workspace(settings(tmp_path / "file"))
