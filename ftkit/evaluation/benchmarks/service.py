"""The benchmark part of the evaluation room: base and tuned model of a run on tasks of lm-evaluation-harness.

Takes run ids and what is asked, gives benchmarks. The asking happens in the worker, which needs the optional package ``lm_eval``;
where it is not installed nothing is started.
"""

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ftkit.errors import NotFound, Refused
from ftkit.evaluation.benchmarks.asked import Asked
from ftkit.evaluation.service import nothing_trained
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.service import Clock, Jobs, NewId
from ftkit.records import ACTIVE_STATES, ENDED_STATES, Benchmark, Job, Run
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, hash_value, read_json, write_json

KIND = "benchmark"
_SEED = 42


def is_installed() -> bool:
    """Whether lm-evaluation-harness is here; it is looked for and not imported."""
    return importlib.util.find_spec("lm_eval") is not None


@dataclass(frozen=True)
class BenchmarkView:
    """A benchmark with what is known about it now.

    Args:
        benchmark: what is asked of which run.
        job: its newest start.
        report: what came of it, once it is done.
        state: the worker's heartbeat while it works, else empty.
    """

    benchmark: Benchmark
    job: Job
    report: dict[str, Any] | None
    state: dict[str, Any]


class BenchmarkService:
    """Benchmarks of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the workspace
        self,
        artefacts: Artefacts,
        folders: Folders,
        jobs: Jobs,
        clock: Clock,
        new_id: NewId,
        installed: Callable[[], bool] = is_installed,
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._clock = clock
        self._new_id = new_id
        self._installed = installed

    def start(self, run_id: str, asked: Asked) -> Benchmark:
        """Queue a benchmark; where the same one waits or runs, that one is returned.

        Raises:
            NotFound: there is no such run.
            Refused: the run has left nothing yet, or lm-evaluation-harness is not installed.
        """
        run = self._artefacts.get(Run, run_id)
        tuned = self._folders.tuned(run.id)
        if tuned is None:
            raise nothing_trained(run)
        if not self._installed():
            raise Refused(
                "benchmark.not_installed",
                'Benchmarks need lm-evaluation-harness, which is not installed. Install it with pip install "ftkit[harness]", or in '
                'a checkout with .venv/bin/python -m pip install -e ".[harness]", and start again.',
            )
        content = hash_value([run.content_hash, run.id, asked.as_json(), _SEED])
        for former in self._artefacts.all(Benchmark):
            if former.content_hash == content and self._job(former).state not in ENDED_STATES:
                return former
        made = Benchmark(
            id=self._new_id(),
            name=f"{run.name} · {', '.join(asked.tasks)}",
            created_at=self._clock(),
            parents=(run.id,),
            content_hash=content,
            seed=_SEED,
            run=run.id,
            tasks=asked.tasks,
            limit=asked.limit,
        )
        inputs = {
            **asked.as_json(),
            "model": str(self._folders.model(run.model)),
            "tuned": str(tuned),
            "seed": _SEED,
        }
        write_json(self._folders.benchmark(made.id) / "inputs.json", inputs)
        self._jobs.submit(KIND, made.id, record=made)
        return made

    def all(self, run_id: str | None = None) -> list[BenchmarkView]:
        """All benchmarks, or those of one run; newest first."""
        found = self._artefacts.all(Benchmark)
        return [self._view(one) for one in found if run_id in (None, one.run)]

    def get(self, id_: str) -> BenchmarkView:
        """One benchmark.

        Raises:
            NotFound: there is none with this id.
        """
        return self._view(self._artefacts.get(Benchmark, id_))

    def finished(self, run_id: str) -> list[dict[str, Any]]:
        """The reports of a run's finished benchmarks, newest first."""
        return [view.report for view in self.all(run_id) if view.report is not None]

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> BenchmarkView:
        """Supervise a benchmark until it has ended; ``on_look`` gets the job and the worker's heartbeat."""
        self._jobs.wait(self._artefacts.get(Benchmark, id_).id, on_look=on_look)
        return self.get(id_)

    def stop(self, id_: str) -> BenchmarkView:
        """Stop a benchmark; nothing of it is kept, and the same one can be started again."""
        self._jobs.stop(self._artefacts.get(Benchmark, id_).id)
        return self.get(id_)

    def delete(self, id_: str) -> None:
        """Delete a benchmark with its report.

        Raises:
            Refused: it has not ended yet.
        """
        view = self.get(id_)
        if view.job.state not in ENDED_STATES:
            raise Refused(
                "benchmark.active",
                "The benchmark is {state}. Wait for its end, or stop it first.",
                state=view.job.state,
            )
        self._artefacts.delete(view.benchmark)
        shutil.rmtree(self._folders.benchmark(id_), ignore_errors=True)

    def _view(self, benchmark: Benchmark) -> BenchmarkView:
        job, folder = self._job(benchmark), self._folders.benchmark(benchmark.id)
        report = read_json(folder / "report.json") if job.state == "done" else None
        state = JobFolder(folder).state() if job.state in ACTIVE_STATES else {}
        return BenchmarkView(benchmark, job, report, state)

    def _job(self, benchmark: Benchmark) -> Job:
        """The newest job; where none is left of it, it is queued now."""
        try:
            return self._jobs.of(benchmark.id)
        except NotFound:
            return self._jobs.submit(KIND, benchmark.id)
