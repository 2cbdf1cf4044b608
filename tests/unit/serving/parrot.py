"""An engine without a model: it says the words of the last message again, one at a time."""

import threading
import time
from collections.abc import Iterator

from ftkit.errors import BadInput, WorkerFault
from ftkit.serving.engines.asking import Answer, Asked, Source

MODEL_LIMIT = 2000


class Parrot:
    """Answers ``<label>: <the last message>``, a word at a time; ``pace`` is the seconds between two."""

    def __init__(self, pace: float = 0.0) -> None:
        self.pace = pace
        self.asked: list[tuple[Source, Asked]] = []
        self.ended: list[tuple[str, bool]] = []  # text of the request, whether it was closed before its end
        self.fail_with: Exception | None = None
        self.silent: set[str] = set()  # labels of sources that answer nothing
        self._lock = threading.Lock()

    def check(self, source: Source) -> None:
        """Takes everything."""

    def answer(self, source: Source, asked: Asked) -> Iterator[Answer]:
        with self._lock:
            self.asked.append((source, asked))
        said = str(asked.messages[-1]["content"]) if asked.messages else asked.prompt
        whole = False
        try:
            if self.fail_with is not None:
                raise self.fail_with
            if len(said) > MODEL_LIMIT * 4:
                raise BadInput("test.too_long", "The prompt is longer than the model can read. Shorten it.")
            if "break" in said.split()[:1]:
                raise WorkerFault("test.broke", "The model's process broke. Ask again.")
            words = [] if source.label in self.silent else [f"{source.label}:", *said.split()]
            text, count = "", 0
            for word in words[: asked.max_tokens]:
                time.sleep(self.pace)
                text, count = f"{text} {word}" if text else word, count + 1
                yield Answer(text=text, prompt_tokens=len(said.split()), tokens=count)
            whole = True
            yield Answer(
                text=text,
                prompt_tokens=len(said.split()),
                tokens=count,
                finish="length" if len(words) > asked.max_tokens else "stop",
                confidence=0.5,
            )
        finally:
            with self._lock:
                self.ended.append((said, not whole))

    def close(self) -> None:
        pass
