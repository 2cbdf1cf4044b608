"""The pool of a check: what its processes share, and that they end with the worker."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

POOL = """
import os, sys
from ftkit.workers.check.__main__ import shared_modules
from ftkit.workers.check.processes import processes
with processes(shared_modules({personal})) as pool:
    loaded = "{{'presidio_analyzer', 'torch', 'ftkit.workers.check.pieces'}} & set(__import__('sys').modules)"
    print(sorted(pool.submit(eval, loaded).result()), sorted({{"presidio_analyzer", "torch"}} & set(sys.modules)), flush=True)
    {then}
"""


def start(personal: bool, then: str = "pass") -> subprocess.Popen[str]:
    script = POOL.format(personal=personal, then=then)
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("personal", "loaded"),
    [
        (False, ["ftkit.workers.check.pieces"]),
        (True, ["ftkit.workers.check.pieces", "presidio_analyzer", "torch"]),
    ],
)
def test_presidio_is_loaded_for_all_processes_where_it_is_wanted_and_nowhere_else(personal, loaded):
    with start(personal) as process:
        printed = process.stdout.read()
    assert printed.strip() == f"{loaded} []"


def test_no_process_outlives_a_worker_that_was_killed():
    with start(False, "pool.submit(__import__('time').sleep, 120).result()") as process:
        process.stdout.readline()
        others = psutil.Process(process.pid).children(recursive=True)
        assert others
        os.kill(process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(others, timeout=20)
    assert alive == []
