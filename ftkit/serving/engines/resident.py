"""The engine that is always there: the resident generator of this data folder, with adapters on base models and whole tuned models.

Takes what is asked, gives answers as they grow. Questions of one moment are put together by the generator itself, whoever asks
them: this side only waits for its own. It loads no model.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

from ftkit.errors import Refused, WorkerFault
from ftkit.serving.engines.asking import Answer, Asked, Source

Ask = Callable[[dict[str, Any], float | None], Generator[dict[str, Any]]]
PULSE_SECONDS = 1.0


class ResidentEngine:
    """The resident generator as an engine.

    Args:
        ask: sends it a request and gives its replies, an empty one where none came for some seconds; closing that ends the answer.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def check(self, source: Source) -> None:
        """As ``Engine.check``."""
        if source.model is None:
            raise Refused(
                "serving.not_resident",
                "{label} cannot be answered by ftkit’s own engine: it takes base models, adapters and merged models. Choose the "
                "engine llamacpp for a GGUF file, or upstream for another server.",
                label=source.label,
            )

    def answer(self, source: Source, asked: Asked) -> Iterator[Answer]:
        """Answers so far; as ``Engine.answer``."""
        self.check(source)
        side = {
            "name": source.label,
            "model": str(source.model),
            "tuned": None if source.tuned is None else str(source.tuned),
            "strength": source.strength,
        }
        return answers_of(self._ask({"asked": asked.model_dump(mode="json"), "side": side}, PULSE_SECONDS))

    def close(self) -> None:
        """Nothing is held here; the generator goes to sleep by itself."""


def answers_of(replies: Generator[dict[str, Any]]) -> Iterator[Answer]:
    """Of the worker's replies; where it keeps silent the last one again, so that who asks can give up.

    Raises:
        WorkerFault: it ended without an end.
    """
    last = Answer()
    with closing(replies):
        for reply in replies:
            last = Answer(**reply["answer"]) if reply else last
            yield last
    if not last.finish:
        raise WorkerFault("jobs.resident_gone", "The model's process went away while it answered. Ask again.")
