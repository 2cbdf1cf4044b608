"""What happens after a model is served: watching it, measuring it again, harvesting its requests, comparing its generations.

Takes the services of several rooms, gives the parts that join them. It holds no rule of its own.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from ftkit.data.service import DataService
from ftkit.data.splits.service import SplitService
from ftkit.errors import BadInput, NotFound
from ftkit.evaluation.service import EvaluationService
from ftkit.loop.generations import Generation, Sources, generations
from ftkit.loop.harvesting import Fields, Harvesting
from ftkit.loop.reevaluating import Choices, Reevaluating
from ftkit.loop.trained import Records, run_of
from ftkit.loop.watching import Watch
from ftkit.monitoring.alerts.service import AlertService
from ftkit.monitoring.drift.service import DriftService
from ftkit.monitoring.harvest.service import HarvestService
from ftkit.monitoring.traffic.service import TrafficService
from ftkit.ratings.sides.names import Side
from ftkit.ratings.sides.service import SideService
from ftkit.serving.versions.service import ServingService
from ftkit.training.service import TrainingService


class Services(NamedTuple):
    """What it joins."""

    data: DataService
    splits: SplitService
    training: TrainingService
    evaluation: EvaluationService
    sides: SideService
    serving: ServingService
    traffic: TrafficService
    drift: DriftService
    alerts: AlertService
    harvests: HarvestService


class Aftercare:
    """The aftercare of one data folder."""

    def __init__(
        self, services: Services, records: Records, choices: Choices, clock: Callable[[], datetime]
    ) -> None:
        self._services = services
        self._records = records
        self._watch = Watch(services.serving, services.traffic, services.drift, services.alerts, clock)
        self.harvesting = Harvesting(
            Fields(
                services.harvests,
                services.data,
                services.splits,
                services.training,
                run_of=self._run_of_version,
                is_adapter=lambda run: services.sides.place(Side(kind="run", id=run)).adapter,
            )
        )
        self.reevaluation = Reevaluating(
            choices, services.serving, services.evaluation, self._run_of, records.run, records.split, clock
        )

    def generations(self) -> list[Generation]:
        """Each model that was served, the newest first."""
        services = self._services
        return generations(
            Sources(
                services.serving,
                services.traffic,
                services.drift,
                services.evaluation,
                run_of=self._run_of,
                run=self._records.run,
            )
        )

    def tick(self) -> None:
        """Watch, and measure what is due. Cheap; call it often."""
        self._watch.tick()
        self.reevaluation.tick()

    def _run_of(self, target: str) -> str | None:
        return run_of(target, self._records)

    def _run_of_version(self, version: str) -> str | None:
        try:
            return self._run_of(self._services.serving.get(version).target)
        except (NotFound, BadInput):
            return None


def examples(drift: DriftService, version: str | None) -> list[str]:
    """Requests that the last drift check showed as examples of what has drifted."""
    check = drift.latest(version)
    findings = check.report.get("findings", []) if check else []
    return list(dict.fromkeys(id_ for one in findings if one["drifted"] for id_ in one["examples"]))
