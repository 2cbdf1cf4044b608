import importlib.metadata

from ftkit.settings import Settings
from ftkit.training.machine import Machine
from ftkit.ui.pages.settings import folder, machine, sources, versions


def settings(tmp_path, **environment: str) -> Settings:
    return Settings.from_environment({"FTKIT_HOME": str(tmp_path), **environment})


def test_the_folder_is_named_and_the_database_s_password_is_not(tmp_path):
    url = "postgresql+psycopg://me:hunter2@db.lan/ftkit"
    values = [value for _, value in folder(settings(tmp_path, FTKIT_DATABASE_URL=url), "en")]
    assert str(tmp_path.resolve()) in values
    assert "postgresql" in values
    assert "hunter2" not in "".join(values)
    assert "sqlite" in [value for _, value in folder(settings(tmp_path), "en")]


def test_versions_are_read_without_importing():
    found = dict(versions("en"))
    assert found["transformers"] == importlib.metadata.version("transformers")


def test_a_library_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr("ftkit.ui.pages.settings._LIBRARIES", ("no-such-library",))
    assert dict(versions("en"))["no-such-library"] == "not installed"


def test_the_machine_is_described_in_both_languages():
    with_gpu = dict(machine(Machine(8, 1000, "NVIDIA X"), "en"))
    assert with_gpu["GPU"] == "NVIDIA X"
    assert with_gpu["Processor cores"] == "8"
    assert "yok" in dict(machine(Machine(2, 1000), "tr"))["GPU"]


def test_offline_is_said(tmp_path):
    assert "HF_HUB_OFFLINE" in dict(sources(settings(tmp_path, HF_HUB_OFFLINE="1"), "en"))["Network"]
