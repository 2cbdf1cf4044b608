"""The judge's part of the evaluation room: have a language model compare the answers of an evaluation, and tell the result.

Takes evaluation ids and how to ask, gives judgements. The asking happens in the worker, which writes each verdict down as it comes;
this side writes what the worker reads, and counts. What failed is asked again, and nothing else.
"""

import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftkit.errors import NotFound, Refused
from ftkit.evaluation.judge.counting import SAME, as_verdicts, newest, outcomes, pending, report_of
from ftkit.evaluation.judge.options import JudgeOptions
from ftkit.evaluation.judge.rubric import ORDERS
from ftkit.jobs.folder import JobFolder, read_lines
from ftkit.jobs.service import Clock, Jobs, NewId
from ftkit.records import ACTIVE_STATES, ENDED_STATES, Evaluation, Job, Judgement
from ftkit.statistics import Agreement, agreement_by_row
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, hash_value, read_json, write_json
from ftkit.store.models import get_model

KIND = "judge"
LANE = "judge"  # an endpoint needs nothing of this machine; a local model waits its turn with the runs
_SEED = 42


@dataclass(frozen=True)
class JudgementView:
    """A judgement with what is known about it now.

    Args:
        judgement: who judges what.
        job: its newest start.
        report: what the verdicts so far add up to.
        missing: rows without a verdict in both orders.
        state: the worker's heartbeat while it works, else empty.
    """

    judgement: Judgement
    job: Job
    report: dict[str, Any]
    missing: int
    state: dict[str, Any]


class JudgeService:
    """Judgements of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the workspace
        self,
        artefacts: Artefacts,
        folders: Folders,
        jobs: Jobs,
        environment: Mapping[str, str],
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._environment = environment
        self._clock = clock
        self._new_id = new_id

    def start(self, evaluation_id: str, options: JudgeOptions) -> Judgement:
        """Queue a judgement; where an unfinished one of the same evaluation is asked the same way, that one is returned.

        Raises:
            NotFound: the local model is not on this machine.
            Refused: the evaluation has no answers yet, or the variable with the key is not set.
        """
        evaluation = self._artefacts.get(Evaluation, evaluation_id)
        if not options.endpoint:
            get_model(self._folders, options.model)
        self._check_key(options)
        rows, left_out = self._rows(evaluation, options.rows)
        asked = {"options": options.model_dump(mode="json"), "rows": rows}
        content = hash_value([evaluation.content_hash, evaluation.id, asked])
        for former in self._artefacts.all(Judgement):
            if former.content_hash == content and self._job(former).state not in ENDED_STATES:
                return former
        judgement = Judgement(
            id=self._new_id(),
            name=f"{options.model} · {evaluation.name}",
            created_at=self._clock(),
            parents=(evaluation.id,),
            content_hash=content,
            seed=_SEED,
            evaluation=evaluation.id,
            judge=options.model,
            endpoint=options.endpoint,
        )
        inputs = {
            **asked,
            "evaluation": str(self._folders.evaluation(evaluation.id)),
            "evaluation_id": evaluation.id,
            "model": "" if options.endpoint else str(self._folders.model(options.model)),
            "left_out": left_out,
        }
        write_json(self._folders.judgement(judgement.id) / "inputs.json", inputs)
        self._submit(judgement, new=True)
        return judgement

    def all(self, evaluation_id: str | None = None) -> list[JudgementView]:
        """All judgements, or those of one evaluation; newest first."""
        found = self._artefacts.all(Judgement)
        return [self._view(one) for one in found if evaluation_id in (None, one.evaluation)]

    def get(self, id_: str) -> JudgementView:
        """One judgement.

        Raises:
            NotFound: there is none with this id.
        """
        return self._view(self._artefacts.get(Judgement, id_))

    def rows(self, id_: str) -> list[dict[str, Any]]:
        """Each row that was to be judged with its answers, its ``outcome`` (None where it has none), and its line of each order."""
        judgement = self._artefacts.get(Judgement, id_)
        asked, lines = self._inputs(judgement)["rows"], self._lines(judgement)
        known, found = newest(lines), outcomes(asked, lines)
        samples = {int(sample["row"]): sample for sample in self._samples(judgement.evaluation)}
        return [
            {
                **{
                    name: samples[row][name]
                    for name in ("row", "prompt", "reference", "base_answer", "tuned_answer")
                },
                "outcome": found.get(row),
                "lines": [known[row, order] for order in (SAME, *ORDERS) if (row, order) in known],
            }
            for row in asked
        ]

    def agreement(self, id_: str, verdicts: Mapping[int, str]) -> Agreement:
        """Agreement of a judgement with another rater, such as a person.

        Args:
            id_: of the judgement.
            verdicts: row of the part → ``base``, ``tuned`` or ``tie``.
        """
        judgement = self._artefacts.get(Judgement, id_)
        found = outcomes(self._inputs(judgement)["rows"], self._lines(judgement))
        return agreement_by_row(as_verdicts(found), verdicts)

    def retry(self, id_: str) -> Judgement:
        """Ask again for what has no verdict: failed ones, and those that a stop left out.

        Raises:
            Refused: it still goes on, or nothing is missing.
        """
        view = self.get(id_)
        _check_ended(view)
        if not view.missing and view.job.state == "done":
            raise Refused("judge.complete", "Every row has its verdict: there is nothing to ask again.")
        self._check_key(JudgeOptions(**self._inputs(view.judgement)["options"]))
        self._submit(view.judgement)
        return view.judgement

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> JudgementView:
        """Supervise a judgement until it has ended; ``on_look`` gets the job and the worker's heartbeat."""
        self._jobs.wait(self._artefacts.get(Judgement, id_).id, on_look=on_look)
        return self.get(id_)

    def stop(self, id_: str) -> JudgementView:
        """Stop a judgement; its verdicts so far are kept, and ``retry`` asks for the others."""
        self._jobs.stop(self._artefacts.get(Judgement, id_).id)
        return self.get(id_)

    def delete(self, id_: str) -> None:
        """Delete a judgement with its verdicts.

        Raises:
            Refused: it has not ended yet.
        """
        view = self.get(id_)
        _check_ended(view)
        self._artefacts.delete(view.judgement)
        shutil.rmtree(self._folders.judgement(id_), ignore_errors=True)

    def _check_key(self, options: JudgeOptions) -> None:
        """The key must be there now; the worker inherits it with the environment and it goes nowhere else."""
        if options.key_env and not self._environment.get(options.key_env, "").strip():
            raise Refused(
                "judge.no_key",
                "The environment variable {name}, which is to hold the key, is not set where ftkit was started. Set it and start "
                "ftkit again, or leave the name empty if the endpoint needs no key.",
                name=options.key_env,
            )

    def _rows(self, evaluation: Evaluation, most: int | None) -> tuple[list[int], int]:
        """Rows to judge, and how many have no answers; a part of them is drawn with a fixed seed."""
        samples = self._samples(evaluation.id)
        with_answers = [
            int(sample["row"])
            for sample in samples
            if sample.get("base_answer") is not None and sample.get("tuned_answer") is not None
        ]
        if not with_answers:
            raise Refused(
                "judge.no_answers",
                "This evaluation has no answers to compare. Wait until it is done, or choose one whose rows have a question.",
            )
        rows = with_answers
        if most is not None and most < len(rows):
            rows = sorted(random.Random(_SEED).sample(rows, most))  # noqa: S311 - a choice of rows, no secret
        return rows, len(samples) - len(with_answers)

    def _submit(self, judgement: Judgement, new: bool = False) -> Job:
        lane = LANE if judgement.endpoint else "compute"
        return self._jobs.submit(KIND, judgement.id, lane=lane, record=judgement if new else None)

    def _view(self, judgement: Judgement) -> JudgementView:
        job, inputs, lines = self._job(judgement), self._inputs(judgement), self._lines(judgement)
        folder = self._folders.judgement(judgement.id)
        report = read_json(folder / "report.json") if job.state == "done" else None
        missing = len({call.row for call in pending(inputs["rows"], lines)})
        state = JobFolder(folder).state() if job.state in ACTIVE_STATES else {}
        return JudgementView(judgement, job, report or report_of(inputs, lines), missing, state)

    def _job(self, judgement: Judgement) -> Job:
        """The newest job; where none is left of it, it is queued now."""
        try:
            return self._jobs.of(judgement.id)
        except NotFound:
            return self._submit(judgement)

    def _inputs(self, judgement: Judgement) -> dict[str, Any]:
        return read_json(self._folders.judgement(judgement.id) / "inputs.json") or {}

    def _lines(self, judgement: Judgement) -> list[dict[str, Any]]:
        return read_lines(self._folders.judgement(judgement.id) / "verdicts.jsonl")

    def _samples(self, evaluation_id: str) -> Sequence[dict[str, Any]]:
        path = self._folders.evaluation(evaluation_id) / "samples.parquet"
        if read_json(path.with_name("report.json")) is None or not path.exists():
            return []
        import pyarrow.parquet as pq  # noqa: PLC0415 - a tenth of a second that most commands do not need

        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows


def _check_ended(view: JudgementView) -> None:
    if view.job.state not in ENDED_STATES:
        raise Refused(
            "judge.active",
            "The judgement is {state}. Wait for its end, or stop it first.",
            state=view.job.state,
        )
