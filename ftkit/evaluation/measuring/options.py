"""What an evaluation is asked to measure: the task, the metrics and a person's own checks.

Takes what came from the page, the command line or ``inputs.json``, gives checked ``Options``. It measures nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ftkit.errors import BadInput
from ftkit.evaluation.measuring.catalogue import METRICS, TASKS, Task, suggested
from ftkit.evaluation.measuring.checks import Check, parse_checks
from ftkit.evaluation.measuring.tasks import find_task

_LONGEST_CHECKS = 100_000  # characters


class _Loader(yaml.SafeLoader):
    """Without aliases: a few lines of them stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        return super().compose_node(parent, index)


@dataclass(frozen=True)
class Options:
    """What is measured; ``None`` leaves it to the references.

    ``general`` asks what the model may have forgotten, ``names`` what another name under a prompt changes.
    """

    task: Task | None = None
    metrics: tuple[str, ...] | None = None
    checks: tuple[Check, ...] = ()
    general: bool = True
    names: bool = False

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Options":
        """From the names of the fields as keys, each of which may be missing or None.

        Raises:
            BadInput: there is no such task or metric, or a check cannot be used.
        """
        return cls(
            _task(value.get("task")),
            _metrics(value.get("metrics")),
            parse_checks(value.get("checks") or []),
            general=value.get("general") is not False,
            names=value.get("names") is True,
        )

    def as_json(self) -> dict[str, Any]:
        """JSON form, as ``from_json`` takes it."""
        return {
            "task": self.task,
            "metrics": None if self.metrics is None else list(self.metrics),
            "checks": [{"kind": check.kind, "name": check.name, **check.given} for check in self.checks],
            "general": self.general,
            "names": self.names,
        }

    def for_rows(self, prompts: Sequence[str], references: Sequence[str]) -> tuple[Task, tuple[str, ...]]:
        """The task and the keys of the metrics, found from the rows where nobody said."""
        task = self.task or find_task(prompts, references)
        return task, suggested(task) if self.metrics is None else self.metrics


def read_checks(text: str) -> list[Any]:
    """A list of checks written as YAML or JSON; nothing written is an empty list.

    Raises:
        BadInput: it cannot be read.
    """
    if len(text) > _LONGEST_CHECKS:
        raise BadInput("evaluation.checks_too_long", "The checks are too long. Use fewer or shorter ones.")
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader without aliases
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadInput(
            "evaluation.checks_unreadable",
            "The checks cannot be read: {problem}. Correct them.",
            problem=" ".join(str(error).split())[:200],
        ) from error
    if value is None:
        return []
    parse_checks(value)
    return list(value)


def _task(value: Any) -> Task | None:
    if value is None or value in TASKS:
        return value  # type: ignore[no-any-return]  # one of the literals
    raise BadInput(
        "evaluation.unknown_task",
        "There is no task “{task}”. Use one of: {known}.",
        task=str(value)[:60],
        known=", ".join(TASKS),
    )


def _metrics(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    wanted = tuple(dict.fromkeys(value))
    for name in wanted:
        if name not in METRICS:
            raise BadInput(
                "evaluation.unknown_metric",
                "There is no metric “{metric}”. Use some of: {known}.",
                metric=str(name)[:60],
                known=", ".join(METRICS),
            )
    if not wanted:
        raise BadInput(
            "evaluation.no_metric", "No metric is chosen. Choose one, or leave the choice to the task."
        )
    return tuple(key for key in METRICS if key in wanted)
