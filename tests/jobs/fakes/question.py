"""A short worker: doubles a number, refuses another, crashes on a third."""

from ftkit.errors import BadInput
from ftkit.workers.harness import answer


def double(question: dict[str, int]) -> int:
    print("noise that must not reach the reply")
    if question["number"] < 0:
        raise BadInput("test.negative", "{number} is negative.", number=question["number"])
    return 2 * question["number"]


if __name__ == "__main__":
    answer(double)
