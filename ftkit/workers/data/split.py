"""The split worker: cuts a large dataset into parts outside the web process; one question, one answer.

Takes a folder to fill and the plan of the split, gives what came of it. It enters nothing into the database.
"""

from pathlib import Path
from typing import Any

from ftkit.data.splits.making import Plan, make
from ftkit.workers.harness import answer


def split(question: dict[str, Any]) -> dict[str, Any]:
    """Fill a folder.

    Args:
        question: ``folder``, and ``plan`` as JSON.

    Returns:
        ``Made`` as JSON.
    """
    made = make(Path(question["folder"]), Plan.model_validate(question["plan"]))
    return made.model_dump(mode="json")


if __name__ == "__main__":
    answer(split)
