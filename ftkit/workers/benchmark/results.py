"""What lm-evaluation-harness found of one side, as the comparison takes it, and what it was found with.

Takes the dict that the harness returns, gives plain values by task and metric. It imports nothing of the harness.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftkit.store.files import hash_value

_ERROR = "_stderr"


def side_of(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By task, and by group of tasks: ``rows``, and of each metric its value, standard error and the documents' scores."""
    told = {}
    for name, values in found["results"].items():
        tasks = list(_tasks(name, found.get("group_subtasks", {})))
        metrics = {
            key: _metric(key, values, found, tasks)
            for key in values
            if "," in key and _ERROR + "," not in key
        }
        if metrics:
            told[name] = {
                "rows": sum(found["n-samples"][task]["effective"] for task in tasks),
                "metrics": metrics,
            }
    return told


def signature_of(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By task: its version, number of examples in the prompt, a hash of its configuration and one of its rows and prompts."""
    told = {}
    for task, config in found["configs"].items():
        plain = {**config, "metadata": {**(config.get("metadata") or {})}}
        plain["metadata"].pop("config_source", None)  # where it lies says nothing of what it is
        rows = [
            [sample[key] for key in ("doc_id", "doc_hash", "prompt_hash", "target_hash")]
            for sample in found["samples"][task]
        ]
        told[task] = {
            "version": found["versions"].get(task),
            "shots": found["n-shot"].get(task),
            "config_hash": hash_value(json.loads(json.dumps(plain, default=str))),
            "rows_hash": hash_value(rows),
        }
    return told


def answers_of(found: Mapping[str, Any]) -> Iterator[str]:
    """One line of JSON a document and filter: what was asked, what came back, and the scores."""
    for task, samples in found["samples"].items():
        for sample in samples:
            line = {
                "task": task,
                **{key: sample[key] for key in ("doc_id", "filter", "target", "arguments", "filtered_resps")},
                **{metric: sample.get(metric) for metric in sample["metrics"]},
            }
            yield json.dumps(_finite(line), default=str, allow_nan=False) + "\n"


def _tasks(name: str, groups: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The tasks under a name, each once; of a task the task itself."""
    if name not in groups:
        yield name
        return
    yield from dict.fromkeys(task for inner in groups[name] for task in _tasks(inner, groups))


def _metric(
    key: str, values: Mapping[str, Any], found: Mapping[str, Any], tasks: Sequence[str]
) -> dict[str, Any]:
    name, _, filter_ = key.partition(",")
    scores: dict[str, float] = {}
    for task in tasks:
        for sample in found["samples"][task]:
            if sample["filter"] != filter_ or name not in sample["metrics"]:
                continue
            score = _number(sample[name])
            if score is None:  # one that is no number leaves nothing to pair
                scores = {}
                break
            scores[f"{task} {sample['doc_id']}"] = score
        else:
            continue
        break
    ways = {found["higher_is_better"].get(task, {}).get(name) for task in tasks}
    return {
        "name": name,
        "filter": filter_,
        "higher": ways.pop() if len(ways) == 1 else None,
        "value": _number(values[key]),
        "error": _number(values.get(f"{name}{_ERROR},{filter_}")),
        "scores": scores,
    }


def _finite(value: Any) -> Any:
    """The same with words for what JSON has no number for: a likelihood may be 0, and its logarithm is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: Any) -> float | None:
    """A finite number; None for anything else, such as the harness's "N/A"."""
    if isinstance(value, bool):
        return float(value)
    try:
        number = float(value) if not isinstance(value, str) else math.nan
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
