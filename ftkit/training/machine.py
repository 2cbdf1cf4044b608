"""What this machine has to offer a run: cores, free memory, a GPU.

Reads /proc, the container's limits and nvidia-smi; takes nothing, gives a ``Machine``. It never imports torch.
"""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")
_CPUINFO = Path("/proc/cpuinfo")
_BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")
_TRACKERS = ("tensorboard", "trackio", "wandb")
MEGABYTE = 2**20


@dataclass(frozen=True)
class Machine:
    """What a run can use now.

    ``bf16``: 16-bit arithmetic is in the hardware. ``disk_mb``: free beside the runs; None where nobody looked.
    ``trackers``: packages that can take the curves.
    """

    cores: int
    memory_mb: int
    gpu: str | None = None
    bf16: bool = False
    disk_mb: int | None = None
    trackers: frozenset[str] = frozenset()

    @property
    def device(self) -> str:
        """``cuda`` or ``cpu``."""
        return "cuda" if self.gpu else "cpu"


def look(folder: Path | None = None) -> Machine:
    """Measure this machine; memory of the GPU where there is one, and the disk under ``folder``."""
    disk = shutil.disk_usage(folder).free // MEGABYTE if folder else None
    trackers = frozenset(name for name in _TRACKERS if importlib.util.find_spec(name))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpu = _gpu()
    if gpu:
        return Machine(cores, gpu[1], gpu[0], bf16=True, disk_mb=disk, trackers=trackers)
    memory = _free_memory() // MEGABYTE
    return Machine(cores, memory, bf16=bool(bf16_units()), disk_mb=disk, trackers=trackers)


def bf16_units(cpuinfo: Path = _CPUINFO) -> tuple[str, ...]:
    """The processor's units for 16-bit arithmetic, by their flags; empty where it has none."""
    if not cpuinfo.is_file():
        return ()
    words = set(cpuinfo.read_text(errors="replace").split())
    return tuple(flag for flag in _BF16_FLAGS if flag in words)


def _free_memory() -> int:
    """Available bytes, within the container's limit where there is one."""
    free = psutil.virtual_memory().available
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):  # no cgroup v2, or the limit is the word "max"
        return free
    return min(free, max(0, limit - used))


def _gpu() -> tuple[str, int] | None:
    """Name and free megabytes of the first GPU."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    query = [tool, "--query-gpu=name,memory.free", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (subprocess.SubprocessError, OSError):
        return None
    name, _, free = done.stdout.partition("\n")[0].rpartition(",")
    return (name.strip(), int(free)) if free.strip().isdigit() else None
