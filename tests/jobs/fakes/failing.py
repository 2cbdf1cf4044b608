"""Workers that end badly: by an error of the family, by any other exception, or without a word."""

import os

from ftkit.errors import Refused
from ftkit.workers.harness import Worker, run


def fail(worker: Worker) -> dict[str, int]:
    match worker.inputs["how"]:
        case "refused":
            raise Refused("test.no", "It cannot work with {value}. Use another value.", value=3)
        case "crash":
            raise ZeroDivisionError("division by zero")
        case _:
            os._exit(9)


if __name__ == "__main__":
    run(fail)
