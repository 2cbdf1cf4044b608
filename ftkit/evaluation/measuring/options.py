"""What an evaluation is asked to measure: the task, the metrics and a person's own checks.

Takes what came from the page, the command line or ``inputs.json``, gives ``Options``. It measures nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Options:
    """What is measured; ``None`` leaves it to the references."""

    task: str | None = None
    metrics: tuple[str, ...] | None = None
    checks: tuple[Any, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Options":
        """From the keys ``task``, ``metrics`` and ``checks``, each of which may be missing or None."""
        metrics = value.get("metrics")
        return cls(
            value.get("task"), None if metrics is None else tuple(metrics), tuple(value.get("checks") or ())
        )

    def as_json(self) -> dict[str, Any]:
        """JSON form, as ``from_json`` takes it."""
        return {
            "task": self.task,
            "metrics": None if self.metrics is None else list(self.metrics),
            "checks": list(self.checks),
        }
