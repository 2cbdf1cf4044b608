"""Masking, asked of the resident worker ``mask``.

Takes an asker and texts, gives the texts masked. Presidio stays in the worker: this process never loads it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ftkit.errors import WorkerFault
from ftkit.monitoring.traffic.kept import Masked

Ask = Callable[[dict[str, Any]], Iterator[dict[str, Any]]]


def mask_texts(ask: Ask, texts: Sequence[str]) -> list[Masked]:
    """The texts masked, in their order.

    Raises:
        FtkitError: the worker did not answer, or not for each text: none of them may be kept.
    """
    if not texts:
        return []
    answers = list(ask({"texts": list(texts)}))
    masked = answers[0]["masked"] if len(answers) == 1 else []
    if len(masked) != len(texts):
        raise WorkerFault(
            "traffic.mask_incomplete",
            "The masking worker gave {given} texts for {asked}. Their texts are not kept. Look at its log.",
            given=len(masked),
            asked=len(texts),
        )
    return [Masked(one["text"], one["found"]) for one in masked]
