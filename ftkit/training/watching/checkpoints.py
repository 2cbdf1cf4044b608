"""Which step a run would go on from, by the names of its checkpoints.

Takes the run's folder of checkpoints, gives a step. It does not look into a checkpoint: the worker checks each to the last byte
when the run goes on, and goes further back where the newest is broken.
"""

import re
from pathlib import Path

# Saved by a stop before what belongs to the step was measured; for one step, the measured one counts.
UNMEASURED = "-unmeasured"
CHECKPOINT = re.compile(rf"checkpoint-(\d+)({UNMEASURED})?")
# Written last: a checkpoint without it was not finished.
MANIFEST = "manifest.json"


def newest_step(folder: Path) -> int | None:
    """The step of the newest finished checkpoint; None where there is none."""
    names = (CHECKPOINT.fullmatch(path.parent.name) for path in folder.glob(f"checkpoint-*/{MANIFEST}"))
    return max((int(name[1]) for name in names if name), default=None)
