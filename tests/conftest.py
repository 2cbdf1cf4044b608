"""Fixtures that every tier may use."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# The same examples each time, so that a change is judged by itself; `--hypothesis-profile=search` looks for new ones. How
# fast they come says something of the machine only.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, **_PATIENT)
settings.register_profile("search", derandomize=False, **_PATIENT)
settings.load_profile("same")

# Beside other tests, a thread for each core would wait for theirs at every step of a computation.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

_new_event_loop = asyncio.new_event_loop
_loops: list[asyncio.AbstractEventLoop] = []


def _remembered_loop() -> asyncio.AbstractEventLoop:
    loop = _new_event_loop()
    _loops.append(loop)
    return loop


# Gradio makes a loop at its import and with each Blocks, and never closes one: warnings, which are errors here.
asyncio.new_event_loop = _remembered_loop


@pytest.fixture(scope="session", autouse=True)
def close_event_loops() -> Iterator[None]:
    yield
    for loop in _loops:
        if not loop.is_running():
            loop.close()
