import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ftkit.cli.main import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output; anything before or behind it is an error."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FTKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def ftkit(home: Path, capsys: pytest.CaptureFixture[str]):
    """The command line in this process, over a data folder of its own."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run
