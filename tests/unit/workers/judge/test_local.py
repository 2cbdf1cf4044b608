"""A model of this machine as the judge, through a real worker process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.evaluation.judge.options import JudgeOptions
from ftkit.evaluation.judge.service import JudgeService
from tests.finished_run import Room, open_room
from tests.judged import EVALUATION, add_evaluation, judged_row
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.training


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home") as room:
        yield room


def test_a_model_that_cannot_judge_is_counted_and_not_scored(room: Room) -> None:
    make_tiny_model(room.folders.model("tiny"), context_length=4096)
    rows = [judged_row(0), judged_row(1), judged_row(2, prompt="a long question " * 600)]
    add_evaluation(room.artefacts, room.folders, rows)
    service = JudgeService(room.artefacts, room.folders, room.jobs, {}, room.clock, room.new_id)
    made = service.start(EVALUATION, JudgeOptions.parse(model="tiny", max_tokens=16))
    view = service.wait(made.id)
    assert view.job.state == "done", view.job.error
    assert view.job.lane == "compute"
    assert view.report["failures"] == {"malformed": 4, "too_long": 2}
    assert (view.report["coverage"], view.report["win_rate"]) == (0.0, None)
    assert view.report["tokens"]["calls_with_usage"] == 4
