from pathlib import Path

import pytest
from pydantic import ValidationError

from ftkit.settings import Settings


def test_without_variables_everything_has_a_place() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port) == ("127.0.0.1", 7860)
    assert settings.home == Path.home() / ".ftkit"
    assert (settings.recipes / "smollm2-135m/sft-lora.yaml").is_file()


def test_variables_are_read(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "FTKIT_HOME": str(tmp_path),
            "FTKIT_PORT": "8000",
            "FTKIT_ALLOWED_HOSTS": "a.example, b.example",
            "HF_HUB_OFFLINE": "1",
            "FTKIT_STALL_SECONDS": "2.5",
            "FTKIT_WAITING_PER_USER": "5",
        }
    )
    assert (settings.home, settings.port, settings.offline) == (tmp_path, 8000, True)
    assert (settings.stall_seconds, settings.waiting_per_user) == (2.5, 5)
    assert settings.allowed_hosts == ("a.example", "b.example")


def test_a_malformed_value_is_refused() -> None:
    with pytest.raises(ValidationError, match="port"):
        Settings.from_environment({"FTKIT_PORT": "ninety"})


def test_workers_inherit_everything_but_the_token(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "FTKIT_HOME": str(tmp_path),
            "FTKIT_TOKEN": "secret",
            "FTKIT_UPSTREAM_KEY": "secret",
            "HF_TOKEN": "theirs",
        }
    )
    environment = settings.worker_environment()
    assert not {"FTKIT_TOKEN", "FTKIT_UPSTREAM_KEY"} & environment.keys()
    assert environment["HF_TOKEN"] == "theirs"
    assert "MALLOC_TOP_PAD_" not in environment
    assert settings.training_environment()["MALLOC_TOP_PAD_"] == "268435456"
    assert "secret" not in repr(settings)
    assert "secret" not in settings.model_dump_json()


def test_switches_that_open_the_app_are_named() -> None:
    assert Settings.from_environment({"GRADIO_SHARE": "1"}).dangerous_switches() == ("GRADIO_SHARE",)
    assert Settings.from_environment({}).dangerous_switches() == ()
