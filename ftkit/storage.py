"""What kind of file system a path lies on, and whether a database can be shared between processes there.

Takes a path and the text of ``/proc/mounts``, gives the kind's name. Where the system has no such file, as on macOS, it does
not guess.
"""

import re
from pathlib import Path

MOUNTS = Path("/proc/mounts")
# Locks between processes and shared memory are not reliable on these.
_SHARED = re.compile(r"fuse|nfs|cifs|smb|9p|lustre|ceph|gluster|vboxsf")


def storage_kind(path: Path, mounts: Path = MOUNTS) -> str:
    """File system type of a path; empty where it is not known."""
    best, kind = -1, ""
    for line in (mounts.read_text() if mounts.is_file() else "").splitlines():
        fields = line.split(" ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[1]))
        # A later mount on the same point hides the earlier one.
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind


def is_shared(kind: str) -> bool:
    """Whether it is a network or user-space file system."""
    return bool(_SHARED.search(kind))
