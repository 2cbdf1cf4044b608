"""Workers that end badly: by an error of the family, by any other exception, for want of memory, or without a word."""

import os
import resource

from ftkit.errors import Refused, WorkerFault
from ftkit.workers.harness import Paused, Worker, run

_LIMIT = 2**30


class OutOfMemoryError(RuntimeError):
    """Named as torch names it."""


def fail(worker: Worker) -> dict[str, int]:
    match worker.inputs["how"]:
        case "refused":
            raise Refused("test.no", "It cannot work with {value}. Use another value.", value=3)
        case "crash":
            raise ZeroDivisionError("division by zero")
        case "card":
            raise OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        case "allocator":
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 99 bytes"
            )
        case "greedy":
            resource.setrlimit(resource.RLIMIT_AS, (_LIMIT, _LIMIT))
            held = []
            while True:
                held.append(bytearray(2**26))
        case "full":
            raise Paused(WorkerFault("test.full", "The disk is full. Free {mb} MB.", mb=7))
        case _:
            os._exit(9)


if __name__ == "__main__":
    run(fail, lambda worker: worker.inputs.get("smaller", {}))
