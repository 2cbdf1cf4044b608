"""The curves of a run, whatever a crash did to its measurements and whoever was away while they were written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ftkit.jobs.folder import JobFolder
from ftkit.settings import Settings
from ftkit.ui.i18n import say_error
from ftkit.workspace import Workspace
from tests.finished_run import RUN, Room, add_run

ROOT = Path(__file__).parents[3]
POINTS = 2000
_WRITE = f"""
import sys
from pathlib import Path
from ftkit.workers.harness import Worker
worker = Worker(Path(sys.argv[1]))
for step in range(1, {POINTS} + 1):
    worker.measure(step=step, loss=1 / step)
"""


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    """Of a run whose worker a test plays."""
    room = Room(tmp_path)
    add_run(room, adapter=False)
    room.database.close()
    made = JobFolder(room.folders.run(RUN))
    made.path.mkdir(parents=True)
    return made


def open_workspace(folder: JobFolder) -> Workspace:
    return Workspace(Settings.from_environment({"FTKIT_HOME": str(folder.path.parents[1])}))


def test_cut_at_each_byte_of_the_last_record_all_the_others_are_there(folder: JobFolder) -> None:
    lines = [
        json.dumps({"step": n, "loss": 1 / n, "learning_rate": 1e-5 * n, "time": 1.7e9 + n})
        for n in range(1, 21)
    ]
    whole = "".join(line + "\n" for line in lines).encode()
    begin = whole.rfind(b"\n", 0, -1) + 1
    with open_workspace(folder) as workspace:
        for cut in range(begin, len(whole)):
            folder.metrics.write_bytes(whole[:cut])
            assert [m["step"] for m in workspace.training.curves(RUN)] == list(range(1, 20))
            assert [sign.key for sign in workspace.training.signs(RUN)] == []
        folder.metrics.write_bytes(whole)
        assert len(workspace.training.curves(RUN)) == 20


def test_torn_lines_are_counted_and_said(folder: JobFolder) -> None:
    folder.metrics.write_bytes(b'{"step": 1, "loss": 1.0}\n{"step": 2, "lo\n{"step": 3, "loss": 0.5}\n')
    with open_workspace(folder) as workspace:
        assert [m["step"] for m in workspace.training.curves(RUN)] == [1, 3]
        [sign] = workspace.training.signs(RUN)
    assert "1 lines of measurements were torn" in str(sign)
    assert "1 ölçüm satırı" in say_error(sign, "tr")


def test_points_written_while_nobody_looks_are_all_there_once_and_in_order(folder: JobFolder) -> None:
    subprocess.run(
        [sys.executable, "-c", _WRITE, str(folder.path)],
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        timeout=120,
    )
    with open_workspace(folder) as workspace:
        curves = workspace.training.curves(RUN)
    assert [m["step"] for m in curves] == list(range(1, POINTS + 1))
    assert [m["loss"] for m in curves] == [1 / step for step in range(1, POINTS + 1)]


def test_a_reader_that_comes_and_goes_while_it_is_written_reads_each_point_once(folder: JobFolder) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _WRITE, str(folder.path)], env={"PYTHONPATH": str(ROOT)})
    seen, offset = [], 0
    while True:
        ended = writer.poll() is not None
        new, offset = folder.measurements(offset)
        seen += [m["step"] for m in new]
        if ended:
            break
    assert writer.returncode == 0
    assert seen == list(range(1, POINTS + 1))
