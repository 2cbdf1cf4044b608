"""The dashboard is killed twenty times in one run: each restart finds the run as it is, with one worker."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.ui.conftest import ROOT, Dashboard
from tests.ui.test_survival import open_workspace, split, wait_for, workers  # noqa: F401 - a fixture

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

RESTART_LIMIT, NOTICE_LIMIT = 10, 15


def test_the_app_is_killed_twenty_times_in_one_run(dashboard: Dashboard, split: str) -> None:  # noqa: F811
    options = ["--set", "model_name_or_path=tiny", "--set", "max_steps=100000"]
    command = [sys.executable, "-m", "ftkit", "train", "smollm2-135m/sft-lora", "--split", split, *options]
    environment = {**os.environ, "FTKIT_HOME": str(dashboard.home)}
    subprocess.run(
        [*command, "--detach", "--json"], cwd=ROOT, env=environment, check=True, capture_output=True
    )
    rng, slowest = random.Random(5), 0.0
    with open_workspace(dashboard) as workspace:
        (view,) = workspace.training.all()
        run = view.run.id
        wait_for(lambda: workspace.training.get(run).state == "running", 120)
        (worker,) = workers(run)[:1]
        for _ in range(20):
            time.sleep(rng.uniform(0, 2))
            dashboard.end(signal.SIGKILL)
            dashboard.start()
            began = time.monotonic()
            wait_for(lambda: workspace.training.get(run).state in {"running", "stalled"}, RESTART_LIMIT)
            slowest = max(slowest, time.monotonic() - began)
            assert [p.pid for p in workers(run) if p.ppid() not in {w.pid for w in workers(run)}] == [
                worker.pid
            ]
        worker.kill()
        wait_for(lambda: workspace.training.get(run).state == "lost", NOTICE_LIMIT)
        lost = workspace.training.get(run)
        assert lost.job.error["key"] == "jobs.vanished"
        steps = [m["step"] for m in workspace.training.curves(run) if "loss" in m]
        assert steps == list(range(1, len(steps) + 1))
        workspace.training.resume(run)
        wait_for(lambda: workspace.training.get(run).state == "running", 60)
        names = [event.event for event in workspace.training.events(run)]
        assert names.count("queued") == 2
        assert names.count("lost") == 1
        workspace.training.stop(run)
        wait_for(lambda: not workers(run), 15)
    print(f"the state was right after {slowest:.1f} s at most")
