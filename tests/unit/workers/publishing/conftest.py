from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from ftkit.workers.publishing import hub as pushing
from tests.unit.workers.pulling.hub import FakeHub, serve

TOKEN = "hf_CANARYcanaryCANARYcanary"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with serve(tmp_path) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        # Xet has a protocol of its own between the libraries and the storage of the Hub.
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(pushing, "_WAITS", (0.01, 0.01))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub
