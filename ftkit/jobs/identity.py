"""Which process is it, really: pid + start time + boot id, so that a re-used pid is never mistaken for ours.

Takes a pid, gives an ``Identity``; says whether an identity is still alive. It signals nothing.
"""

from pathlib import Path
from typing import NamedTuple

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Identity(NamedTuple):
    """A process that no other one can be taken for."""

    pid: int
    started: str
    boot_id: str

    def as_text(self) -> str:
        """As one word of the database; ``of_text`` reads it."""
        return " ".join(map(str, self))

    @classmethod
    def of_text(cls, text: str) -> "Identity":
        """The other side of ``as_text``."""
        pid, started, boot = text.split()
        return cls(int(pid), started, boot)


def identify(pid: int) -> Identity | None:
    """Identity of a live process; None when there is none or only its zombie is left."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid, _start_time(process), boot_id())
    except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError, ProcessLookupError):
        return None


def is_alive(identity: Identity) -> bool:
    """Whether exactly this process still runs."""
    return identify(identity.pid) == identity


def boot_id() -> str:
    """Changes with each start of the machine."""
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text().strip()
    return str(int(psutil.boot_time()))


def _start_time(process: psutil.Process) -> str:
    """Start time in kernel ticks where the kernel tells: psutil's own value moves with the wall clock."""
    stat = Path(f"/proc/{process.pid}/stat")
    if stat.exists():
        # The command name may hold spaces and brackets; the fields start behind the last one. Field 22 is the 20th there.
        return stat.read_text(errors="replace").rpartition(")")[2].split()[19]
    return str(process.create_time())
