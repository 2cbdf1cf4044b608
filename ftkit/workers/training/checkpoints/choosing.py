"""Which checkpoint a run goes on from, which ones are kept, and the measurements that belong to one.

Takes the run's folders, gives the newest checkpoint that is right to the last byte. Broken ones are set aside, never loaded and
never deleted. It loads none.
"""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from ftkit.errors import Refused
from ftkit.failpoints import reach
from ftkit.jobs.folder import JobFolder
from ftkit.store.files import flush_folder, write_bytes
from ftkit.training.spec import RunSpec
from ftkit.training.watching.checkpoints import CHECKPOINT, UNMEASURED
from ftkit.workers.training.checkpoints.manifest import Origin, Reached, differences, examine

_UNFINISHED = ".tmp-"

Report = Callable[..., None]
_log = logging.getLogger(__name__)


class Checkpoint(NamedTuple):
    """A checkpoint that is whole and the run's own.

    Args:
        path: its folder.
        reached: how far the run was.
        exact: whether the run goes on to the last bit as if nothing had been.
    """

    path: Path
    reached: Reached
    exact: bool


def name_of(step: int, validated: bool = True) -> str:
    """The name of a checkpoint's folder."""
    return f"checkpoint-{step}{'' if validated else UNMEASURED}"


def unfinished(folder: Path) -> Path:
    """A new folder to write a checkpoint into."""
    path = _nameless(folder)
    path.mkdir(parents=True)
    return path


def newest(folder: Path, origin: Origin, report: Report) -> Checkpoint | None:
    """The newest checkpoint to go on from; what is broken or foreign, and what came after, is set aside with a notice.

    Args:
        folder: of the run's checkpoints.
        origin: what the run is made of now.
        report: takes a name of an event and its values.

    Raises:
        Refused: the run is no longer what it was when the checkpoint was saved.
    """
    for path in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(path)
    for path in _numbered(folder):
        told, wrong = _examined(path, origin.run)
        if not wrong:
            wrong = _wrong_best(folder, told["reached"], origin.run)
        if not wrong:
            return _admitted(path, told, origin, report)
        kept = _set_aside(path)
        _log.warning("%s is not used: %s. It was renamed to %s.", path.name, wrong, kept)
        report("checkpoint_set_aside", checkpoint=path.name, reason=wrong, kept_as=kept)
    return None


def rotate(folder: Path, keep: int, best_step: int | None) -> None:
    """Delete the oldest checkpoints; never the newest one, which has just been written, and never the best.

    Args:
        folder: of the run's checkpoints.
        keep: how many may stay.
        best_step: after which the best one was saved.
    """
    reach("checkpoint.rotate")
    found = _numbered(folder)
    kept = {*found[:1], folder / name_of(best_step or 0)} & set(found)
    for path in found:
        # What was saved before a measurement is of no use once a later step, or the same one, is there with it.
        if len(kept) < keep and not path.name.endswith(UNMEASURED):
            kept.add(path)
    for path in found:
        if path not in kept:
            gone = _nameless(folder)
            path.rename(gone)  # half deleted, it must not bear the name of a whole one
            shutil.rmtree(gone)


def go_back(folder: JobFolder, reached: Reached | None) -> dict[str, Any]:
    """Drop measurements and sample answers made after a checkpoint: those steps will be made again.

    Args:
        folder: of the run.
        reached: by the checkpoint; None where the run begins anew.

    Returns:
        What was added up until then, or nothing.
    """
    step = reached.step if reached else 0
    validated = reached is None or reached.validated

    def stays(line: dict[str, Any], measured: bool) -> bool:
        at = line.get("step", 0)
        return bool(at < step or (at == step and (validated or not measured)))

    measurements, _ = folder.measurements()
    _rewrite(folder.metrics, [m for m in measurements if stays(m, "eval_loss" in m)])
    # A run that begins anew answers anew before its first step.
    _rewrite(folder.samples, [s for s in folder.sampled() if step and stays(s, measured=True)])
    return dict(reached.counted) if reached else {}


def _admitted(path: Path, told: dict[str, Any], origin: Origin, report: Report) -> Checkpoint:
    reached = Reached(**told["reached"])
    former = Origin(**told["origin"])
    added = {key: RunSpec.model_fields[key].default for key in origin.spec.keys() - former.spec.keys()}
    changed = [*differences({**former.spec, **added}, origin.spec), *differences(former.data, origin.data)]
    if changed:
        raise Refused(
            "training.changed_since_checkpoint",
            "The run is not what it was when its checkpoint of step {step} was saved: {changes}. Undo that, or start a new run; "
            "it can go on from this run's adapter (start_from_run).",
            step=reached.step,
            changes="; ".join(map(str, changed)),
        )
    others = differences(former.versions, origin.versions)
    if others:
        changes = "; ".join(map(str, others))
        _log.warning("The run goes on, but not to the last bit as without a break: %s", changes)
        report("resumed_approximately", step=reached.step, changes=changes)
    return Checkpoint(path, reached, exact=not others)


def _examined(path: Path, run: str) -> tuple[dict[str, Any], str]:
    told, wrong = examine(path, run)
    named = name_of(told["reached"]["step"], told["reached"]["validated"]) if not wrong else path.name
    return told, f"it is {named} under another name" if named != path.name else wrong


def _wrong_best(folder: Path, reached: dict[str, Any], run: str) -> str:
    """Whether the best checkpoint so far, which the run may have to end with, is broken."""
    best = reached["best_step"]
    if best is None or best == reached["step"]:
        return ""
    wrong = _examined(folder / name_of(best), run)[1]
    return f"the best one, {name_of(best)}, cannot be used ({wrong})" if wrong else ""


def _rewrite(path: Path, values: list[dict[str, Any]]) -> None:
    if path.exists():
        write_bytes(path, "".join(json.dumps(value, allow_nan=False) + "\n" for value in values).encode())


def _nameless(folder: Path) -> Path:
    """A path that bears no checkpoint's name; what lies there is cleared away at the next start."""
    return folder / f"{_UNFINISHED}{uuid4().hex[:8]}"


def _numbered(folder: Path) -> list[Path]:
    """Checkpoints by their names, newest first."""
    names = ((path, CHECKPOINT.fullmatch(path.name)) for path in folder.glob("checkpoint-*"))
    ranked = sorted(((int(m[1]), m[2] is None, path) for path, m in names if m), reverse=True)
    return [path for _, _, path in ranked]


def _set_aside(path: Path) -> str:
    number = 1
    while (target := path.with_name(f"broken-{number}-{path.name}")).exists():
        number += 1
    path.rename(target)
    flush_folder(path.parent)
    return target.name
