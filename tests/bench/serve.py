"""The serve bench: questions to the bundled model at once beside some of them one after another, through the built-in engine.

Takes a workspace with the bundled model, gives the ratios of time for each token. Both ask the same process.
"""

import threading
import time
from typing import Any

import psutil

from ftkit.models.catalogue import BUNDLED_ID
from ftkit.serving.engines.asking import Answer, Asked, Source
from ftkit.workspace import Workspace

QUESTIONS = 30
ONE_BY_ONE = 10  # of them; each takes as long as the others
LIMIT = 24  # tokens of an answer


def bench_serving(workspace: Workspace) -> dict[str, Any]:
    """One after another, at once, and one after another again: what else the machine does falls on both."""
    source = Source("base", workspace.folders.model(BUNDLED_ID))
    asked = [
        Asked(
            messages=({"role": "user", "content": f"Tell a story about number {n}, a parcel and a kettle."},),
            max_tokens=LIMIT,
            temperature=0,
        )
        for n in range(QUESTIONS)
    ]

    def ask(one: Asked) -> Answer:
        *_, last = workspace.engines["resident"].answer(source, one)
        return last

    ask(asked[0])  # loads
    half = ONE_BY_ONE // 2
    before, together, after = (
        _measured(workspace, lambda: [ask(one) for one in asked[:half]]),
        _measured(workspace, lambda: _at_once(ask, asked)),
        _measured(workspace, lambda: [ask(one) for one in asked[half:ONE_BY_ONE]]),
    )
    alone = {name: before[name] + after[name] for name in before}
    return {
        "questions": QUESTIONS,
        "tokens": {"one_by_one": alone["tokens"], "at_once": together["tokens"]},
        "seconds": {"one_by_one": round(alone["seconds"], 1), "at_once": round(together["seconds"], 1)},
        "speed_ratio": _ratio(alone, together, "seconds"),
        "processor_time_ratio": _ratio(alone, together, "cpu_seconds"),
    }


def _ratio(alone: dict[str, float], together: dict[str, float], clock: str) -> float:
    """How much less of a clock each token takes at once."""
    return round(alone[clock] / alone["tokens"] / (together[clock] / together["tokens"]), 2)


def _measured(workspace: Workspace, body: Any) -> dict[str, float]:
    worker = psutil.Process(workspace.jobs.of("generate").pid)
    begun, spent = time.monotonic(), sum(worker.cpu_times()[:2])
    answers = body()
    return {
        "seconds": time.monotonic() - begun,
        "cpu_seconds": sum(worker.cpu_times()[:2]) - spent,
        "tokens": sum(answer.tokens for answer in answers),
    }


def _at_once(ask: Any, asked: list[Asked]) -> list[Answer]:
    found: list[Answer] = []
    threads = [threading.Thread(target=lambda one=one: found.append(ask(one))) for one in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(asked)
    return found
