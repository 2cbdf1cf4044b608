"""Starting a worker gives it its environment; ending one ends its descendants, but not what is a job of its own."""

import gc
import subprocess
import sys
from pathlib import Path

import psutil

from ftkit.jobs.folder import JobFolder
from ftkit.jobs.identity import identify
from ftkit.jobs.launch import Launcher, end_tree, locking

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


def test_a_kind_of_worker_has_an_environment_of_its_own(tmp_path: Path) -> None:
    """What the person set wins; workers of other kinds do not have it."""
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "THEIRS": "set"}
    launcher = Launcher(environment, "tests.jobs.fakes", {"stuck": {"OURS": "kept", "THEIRS": "lost"}})
    seen = {}
    for kind in ("stuck", "counting"):
        folder = JobFolder(tmp_path / kind)
        folder.path.mkdir()
        folder.prepare("job", kind, "nonce")
        with locking(folder.path) as lock:
            assert lock is not None
            identity = launcher.start(kind, folder, lock)
        assert identity is not None
        seen[kind] = psutil.Process(identity.pid).environ()
        psutil.Process(identity.pid).kill()
        launcher.collect(identity.pid)
    assert (seen["stuck"]["OURS"], seen["stuck"]["THEIRS"]) == ("kept", "set")
    assert "OURS" not in seen["counting"]


def test_letting_go_of_a_running_worker_is_no_warning(tmp_path: Path) -> None:
    """The web process may end, or a workspace close, while its workers go on; warnings are errors here."""
    folder = JobFolder(tmp_path / "stuck")
    folder.path.mkdir()
    folder.prepare("job", "stuck", "nonce")
    launcher = Launcher({"PYTHONPATH": str(Path(__file__).parents[2])}, "tests.jobs.fakes")
    with locking(folder.path) as lock:
        assert lock is not None
        identity = launcher.start("stuck", folder, lock)
    assert identity is not None
    del launcher
    gc.collect()
    worker = psutil.Process(identity.pid)
    assert worker.is_running()
    worker.kill()
