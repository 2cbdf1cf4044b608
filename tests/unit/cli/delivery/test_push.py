"""``ftkit export … --to hub`` in processes of their own: broken at its half, tried again, and its token looked for everywhere."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.finished_run import RUN, add_model, add_run, open_room
from tests.unit.workers.pulling.hub import FakeHub, serve

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
CANARY = "hf_CANARYcanaryCANARYcanary0123456789"


class Said:
    """What one command printed, its exit status, and every command line that was there while it ran."""

    def __init__(self, home: Path, hub: FakeHub, *arguments: str) -> None:
        given = {
            "FTKIT_HOME": str(home),
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": CANARY,
            "HF_HUB_DISABLE_XET": "1",
            "OMP_NUM_THREADS": "1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "ftkit", "export", *arguments],
            env={**os.environ, **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: set[str] = set()
        while process.poll() is None:
            self.lines |= set(command_lines())
            time.sleep(0.05)
        self.out, self.err = process.communicate()
        self.status = process.returncode

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value


def command_lines() -> Iterator[str]:
    for process in psutil.process_iter():
        try:
            yield " ".join(process.cmdline())
        except psutil.Error:  # it has ended
            continue


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with open_room(tmp_path / "home") as room:
        add_run(room)
        add_model(room)
    return tmp_path / "home"


def test_a_broken_push_is_tried_again_and_its_token_is_nowhere(home: Path, tmp_path: Path) -> None:
    with serve(tmp_path / "nothing") as hub:
        hub.breaks = 9
        broken = Said(home, hub, RUN, "--to", "hub", "--repo", "somebody/mine", "--json")
        assert broken.status == 1
        assert broken.json["error"]["key"] == "export.hub_failed"
        assert "Retry" in broken.err + broken.out
        assert hub.pushed == {}
        hub.breaks = 0
        listed = Said(home, hub, "list", "--json")
        (export,) = listed.json["exports"]
        assert export["state"] == "failed"
        again = Said(home, hub, "retry", export["export"], "--json")
        assert again.status == 0, again.err
        there = {name: len(content) for name, content in hub.pushed.items()}
        assert again.json["report"]["pushed"]["files"] == {
            one["name"]: one["sha256"] for one in again.json["files"]
        }
        assert there == {one["name"]: one["size"] for one in again.json["files"]}
        assert hub.repositories == {"somebody/mine": True}
        assert hub.tokens - {""} == {CANARY}  # large files go to an address that is signed
        assert not any(CANARY.encode() in content for content in hub.pushed.values())
    for said in (broken, listed, again):
        assert CANARY not in said.out + said.err
        assert any("ftkit.workers.export" in line for line in said.lines) or said is listed
        assert not any(CANARY in line for line in said.lines)
    assert not [path for path in home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
