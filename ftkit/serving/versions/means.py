"""What serving needs of other rooms, as callables that the workspace passes; and the whole test of a version with their help.

Takes a version and its source, gives a report, whatever happens. It switches nothing.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ftkit.errors import Fault, FtkitError
from ftkit.serving.engines.asking import Asked, Engine, EngineName, Source
from ftkit.serving.versions.smoke import Report, fixed_prompts, smoke
from ftkit.serving.versions.standing import Version

_log = logging.getLogger(__name__)


class Means(NamedTuple):
    """What the service needs of other rooms.

    Args:
        resolve: target → where its model lies.
        rows: source → a few prompts of the run's own rows; none where it is of no run.
        engines: the engines by name.
    """

    resolve: Callable[[str], Source]
    rows: Callable[[Source], Sequence[Asked]]
    engines: Callable[[], Mapping[EngineName, Engine]]


def judge(means: Means, version: Version, source: Source) -> Report:
    """Ask a version the fixed prompts and some of its run's rows.

    Runs at the top of a thread, so every failure becomes a report.
    """
    error: FtkitError
    try:
        prompts = [*fixed_prompts(), *means.rows(source)]
        return smoke(means.engines()[version.engine], source, prompts)
    except FtkitError as problem:
        error = problem
    except Exception as problem:  # noqa: BLE001 - the top of a thread: nobody above could handle it
        _log.exception("The test of version %s failed", version.id)
        error = Fault(
            "serving.test_failed",
            "The test of {label} failed in ftkit itself ({kind}). The log says more; deploy it again.",
            label=version.label,
            kind=type(problem).__name__,
        )
    return Report(checks=(), seconds=0.0, passed=False, error=error.as_dict())
