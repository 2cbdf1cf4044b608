"""The tokens worker: counts what a run would train on, for the run card; one question, one answer, within seconds.

Takes a part of a split and a model's folder, gives counts. It imports neither torch nor transformers.
"""

from pathlib import Path
from typing import Any

from ftkit.workers.data import secrets
from ftkit.workers.data.tokenised import Asked, tokenised
from ftkit.workers.harness import answer


def count(question: dict[str, Any]) -> dict[str, Any]:
    """Counts of one part.

    Args:
        question: ``split`` and ``model`` (folders), ``part``, ``mapping``, ``max_length``, ``completion_only_loss``,
            ``method``, ``cache`` (where the tokens are kept for the run).

    Returns:
        ``rows``, ``tokens`` and ``trained_tokens`` of the rows that a run would train on; ``left_out`` rows that are
        too long; ``empty`` rows with nothing to learn, and ``reasons``; ``longest`` row of all in tokens; ``disarmed`` rows
        whose control tokens are broken up; ``unknown`` rows with signs that have no token, and ``unknown_signs``;
        ``longest_answer``: most tokens that the loss counts in a row; ``spread``: standard deviation of the rows' tokens; ``secrets``: rows with a key or a password, and ``secret_places``.
    """
    model = Path(question["model"])
    file = Path(question["split"]) / f"{question['part']}.parquet"
    found = secrets.find(file, question["mapping"])
    asked = Asked(
        file,
        question["mapping"],
        model,
        question["max_length"],
        question["completion_only_loss"],
        question["method"],
    )
    prepared = tokenised(asked, Path(question["cache"]))
    return {
        "rows": len(prepared.rows),
        "tokens": prepared.tokens,
        "trained_tokens": prepared.trained_tokens,
        "longest": prepared.longest,
        "left_out": prepared.left_out,
        "empty": prepared.empty,
        "disarmed": prepared.disarmed,
        "reasons": list(prepared.reasons),
        "longest_answer": prepared.longest_answer,
        "spread": prepared.spread,
        "unknown": prepared.unknown,
        "unknown_signs": prepared.unknown_signs,
        "secrets": found.rows,
        "secret_places": list(found.examples),
    }


if __name__ == "__main__":
    answer(count)
