"""Proof that memory ran out: how often the kernel has ended a process of this control group for want of memory.

Takes the kernel's counter before a worker starts and after it vanished; a worker that vanished while the counter rose was ended by
it. A plain kill leaves no proof, and then the cause is unknown. It watches nothing by itself.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_MACHINE = Path("/proc/vmstat")


class Evidence:
    """The counter that is nearest to this process and its children.

    Args:
        cgroups: where control groups are mounted.
        membership: in which ones this process is.
        machine: counters of the whole machine, for where no control group counts.
    """

    def __init__(
        self, cgroups: Path = _CGROUPS, membership: Path = _MEMBERSHIP, machine: Path = _MACHINE
    ) -> None:
        self._cgroups = cgroups
        self._membership = membership
        self._machine = machine

    def note(self) -> dict[str, Any]:
        """The counter's file and its value now; empty where there is none."""
        for file in (*self._of_group(), self._machine):
            kills = _kills(file)
            if kills is not None:
                return {"kills_file": str(file), "kills": kills}
        return {}

    def proves(self, noted: dict[str, Any]) -> bool:
        """Whether the counter has risen since it was noted."""
        if "kills_file" not in noted:
            return False
        kills = _kills(Path(noted["kills_file"]))
        return kills is not None and kills > noted["kills"]

    def _of_group(self) -> Iterator[Path]:
        """Files of version 2, then of version 1, each for this group and for a container that sees only its own."""
        try:
            lines = self._membership.read_text().splitlines()
        except OSError:
            return
        for line in lines:
            number, controllers, path = line.split(":", 2)
            inside = path.lstrip("/")
            if number == "0" and not controllers:
                for group in (self._cgroups / inside, self._cgroups):
                    yield from (group / "memory.events.local", group / "memory.events")
            elif "memory" in controllers.split(","):
                root = self._cgroups / "memory"
                yield from (root / inside / "memory.oom_control", root / "memory.oom_control")


def _kills(file: Path) -> int | None:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    pairs = (line.split() for line in lines)
    return next((int(pair[1]) for pair in pairs if pair[:1] == ["oom_kill"]), None)
