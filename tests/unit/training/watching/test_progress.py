import time

import pytest

from ftkit.training.watching.progress import progress_of
from tests.unit.ui.test_views import job

BEAT = {"phase": "training", "step": 3, "steps": 9}


@pytest.mark.parametrize(
    ("more", "silent", "quiet"),
    [
        ({"monotonic": 500.0, "progressed": 310.0}, 0.0, 190.0),
        ({"monotonic": 500.0, "progressed": 310.0, "waiting": True}, 0.0, 0.0),
        ({"monotonic": 500.0, "progressed": 499.0}, 100.0, 101.0),
        ({}, 0.0, 0.0),
    ],
)
def test_it_says_for_how_long_nothing_moved(more: dict[str, float], silent: float, quiet: float) -> None:
    now = progress_of(job("stalled"), {**BEAT, **more, "time": time.time() - silent})
    assert now is not None
    assert now.quiet == pytest.approx(quiet, abs=5.0)


def test_a_run_that_has_ended_has_no_progress() -> None:
    assert progress_of(job("failed"), {**BEAT, "time": 0.0}) is None
