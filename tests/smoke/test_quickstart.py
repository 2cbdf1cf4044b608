"""The promise of the first page: one command, minutes on two cores, a model that is visibly better."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.smoke
@pytest.mark.timeout(1200)
def test_quickstart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTKIT_HOME", str(tmp_path / "home"))
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "ftkit", "quickstart", "--json"], capture_output=True, text=True, timeout=1100
    )
    seconds = time.monotonic() - started
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    base, tuned = told["base"], told["tuned"]
    assert tuned["category_accuracy"] >= 0.75
    assert tuned["category_accuracy"] >= base["category_accuracy"] + 0.4
    assert tuned["perplexity"] < base["perplexity"]
    assert told["metrics"]["tokens_per_second"] > 0
    assert len(told["comparison"]) == 3
    assert all(row["prompt"] and row["tuned"] for row in told["comparison"])
    assert "<html" in Path(told["report"]).read_text()
    assert sum(told["seconds"].values()) == pytest.approx(seconds, abs=20)
    assert seconds <= 480
