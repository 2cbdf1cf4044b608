"""Tasks of lm-evaluation-harness, loaded with their data: public ones from the Hub, own ones from a folder.

Takes names, gives task objects, or says which name has what wrong with it. No code that came with a task or its data is run, and
no task that runs what a model writes.
"""

import contextlib
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import evaluate
from jinja2.sandbox import SandboxedEnvironment
from lm_eval import utils
from lm_eval.tasks import TaskManager

from ftkit.errors import BadInput, NotFound, Offline, Refused
from ftkit.evaluation.benchmarks.asked import check_folder

_REASON = 300


def load_tasks(names: Sequence[str], folder: Path | None) -> tuple[Any, list[Any]]:
    """The manager, and tasks and groups under the names.

    Args:
        names: of tasks, groups or tags.
        folder: own task files; files of data are named relative to it.

    Raises:
        BadInput: a task cannot be used.
        NotFound: there is none under a name.
        Offline: its data cannot be had.
        Refused: it would run what the model writes.
    """
    _keep_code_out()
    if folder is not None:
        check_folder(folder)  # it may have changed since it was asked for
    manager = TaskManager(include_path=folder, include_defaults=folder is None)
    if folder is not None and not set(names) <= set(manager.all_tasks):
        manager = TaskManager(include_path=folder)
    found: list[Any] = []
    for name in names:
        if name not in manager.task_index:
            raise _unknown(name, manager.all_tasks)
        with contextlib.chdir(folder) if folder is not None else contextlib.nullcontext():
            loaded = _load(manager, name)
        for task in loaded["tasks"].values():
            _check_metrics(name, task)
            if getattr(task, "UNSAFE_CODE", False):
                raise Refused(
                    "benchmark.unsafe_code",
                    "The task {task} runs the code that a model writes, which ftkit does not do. Choose another task.",
                    task=task.task_name,
                )
        groups = loaded["groups"]
        found += [groups[name]] if name in groups else loaded["tasks"].values()
    return manager, found


def _load(manager: Any, name: str) -> Any:
    try:
        return manager.load([name])
    except (
        OSError
    ) as error:  # of the network, the Hub and the disk alike: no file, no connection, no such dataset
        raise Offline(
            "benchmark.no_data",
            "The data of the task {task} cannot be had ({reason}). Go online, or correct the files that it names; data that was "
            "downloaded once is used without a network.",
            task=name,
            reason=_reason(error),
        ) from error
    except Exception as error:  # of a task file anything may come
        raise BadInput(
            "benchmark.bad_task",
            "The task {task} cannot be used ({reason}). Correct its file, or choose another task.",
            task=name,
            reason=_reason(error),
        ) from error


def _check_metrics(name: str, task: Any) -> None:
    if getattr(task.config, "process_results", None) is not None:
        return  # a task of the harness that scores by itself
    missing = [metric for metric, score in getattr(task, "_metric_fn_list", {}).items() if score is None]
    if missing:  # the harness only logs it, and breaks at the end
        raise BadInput(
            "benchmark.bad_task",
            "The task {task} cannot be used ({reason}). Correct its file, or choose another task.",
            task=name,
            reason=f"lm-evaluation-harness has no metric {', '.join(missing)}",
        )


def _keep_code_out() -> None:
    """Templates of task files cannot reach Python, and a metric that the harness does not have, a program, is not run."""
    evaluate.load = _refuse_metric
    if not isinstance(utils.env, SandboxedEnvironment):
        former = utils.env
        utils.env = SandboxedEnvironment(
            loader=former.loader,
            undefined=former.undefined,
            keep_trailing_newline=former.keep_trailing_newline,
        )
        utils.env.filters.update(former.filters)


def _refuse_metric(name: str, *_: Any, **__: Any) -> None:
    """In the place of ``evaluate.load``, which runs a file of that name beside the tasks, or one from the Hub."""
    raise ValueError(f"the metric {name} is a program that is not part of lm-evaluation-harness")


def _unknown(name: str, known: Sequence[str]) -> NotFound:
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return NotFound(
            "benchmark.no_task_near",
            "There is no task {task}. Is one of these meant: {near}?",
            task=name,
            near=", ".join(near),
        )
    return NotFound(
        "benchmark.no_task",
        "There is no task {task}. Name one of lm-evaluation-harness (lm_eval ls tasks), or one of your own with its folder.",
        task=name,
    )


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:_REASON]
