"""How much energy a training took, estimated: no meter was read, so every assumption is a named constant.

Takes how long it ran on what, gives kilowatt hours. After Green Algorithms (Lannelongue, Grealey and Inouye, Advanced Science 8,
2021): running time x (busy cores or graphics card + memory), with that paper's defaults for hardware that is not known.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

WATTS_PER_CORE = 12.0
WATTS_PER_CARD = 200.0
WATTS_PER_GIGABYTE = 0.3725
GRAMS_PER_KILOWATT_HOUR = 475.0  # carbon dioxide of electricity, average of the world
_MEGABYTES = 1024.0
_JOULES = 3.6e6


class Energy(NamedTuple):
    """What a training took."""

    hours: float
    watts: float
    kilowatt_hours: float
    grams: float


def estimate(training: Mapping[str, Any]) -> Energy | None:
    """The energy of a run; None where its time or its machine is not known.

    Args:
        training: the run's metrics: ``train_seconds``, ``peak_memory_mb``, ``cores`` and ``cards``.
    """
    seconds, cores = training.get("train_seconds"), training.get("cores")
    if not seconds or not cores:
        return None
    memory = WATTS_PER_GIGABYTE * (training.get("peak_memory_mb") or 0) / _MEGABYTES
    watts = WATTS_PER_CORE * cores + WATTS_PER_CARD * (training.get("cards") or 0) + memory
    used = watts * seconds / _JOULES
    return Energy(seconds / 3600, watts, used, used * GRAMS_PER_KILOWATT_HOUR)
