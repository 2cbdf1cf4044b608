"""Ending a worker ends its descendants, but not what is a job of its own."""

import subprocess
import sys

import psutil

from ftkit.jobs.identity import identify
from ftkit.jobs.launch import end_tree

PARENT = (
    "import subprocess, sys, time\n"
    "for _ in range(2):\n"
    "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
    "    print(child.pid, flush=True)\n"
    "time.sleep(60)\n"
)


def test_a_spared_descendant_goes_on() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        ended, spared = (psutil.Process(int(parent.stdout.readline())) for _ in range(2))
        identity = identify(parent.pid)
        assert identity is not None
        end_tree(identity, "", 0.1, {spared.pid})
        assert spared.is_running()
        assert not ended.is_running() or ended.status() == psutil.STATUS_ZOMBIE
        spared.kill()
