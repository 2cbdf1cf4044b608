"""A worker asked one question: started, given JSON on stdin, answering JSON on stdout, gone.

For work that needs a tokenizer and takes seconds. It keeps no state and makes no artefact.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from ftkit.errors import BadInput, WorkerFault


def call_worker(
    kind: str,
    question: Mapping[str, Any],
    environment: Mapping[str, str],
    seconds: float = 120,
    package: str = "ftkit.workers",
) -> Any:
    """Run ``python -m ftkit.workers.<kind>`` on one question.

    Args:
        kind: module name of the worker; it must use ``ftkit.workers.harness.answer``.
        question: JSON value for its stdin.
        environment: environment of the process.
        seconds: time limit.
        package: where the module lies.

    Raises:
        BadInput: the worker found a mistake of the user in the question.
        WorkerFault: it crashed or took too long.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, our own module
            [sys.executable, "-m", f"{package}.{kind}"],
            input=json.dumps(question).encode(),
            capture_output=True,
            env=dict(environment),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WorkerFault(
            "jobs.too_slow",
            "The {kind} worker took longer than {seconds} s. Try again.",
            kind=kind,
            seconds=seconds,
        ) from error
    try:
        reply = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise WorkerFault(
            "jobs.crashed",
            "The {kind} worker failed: {reason}",
            kind=kind,
            reason=done.stderr.decode(errors="replace").strip().rpartition("\n")[2],
        ) from error
    if "error" in reply:
        raise BadInput.from_dict(reply["error"])
    return reply["answer"]
