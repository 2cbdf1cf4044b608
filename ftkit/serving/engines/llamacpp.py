"""llama.cpp as an engine: a GGUF file in a worker of its own, several times as fast on a processor as the built-in engine.

Takes what is asked, gives answers as they grow. It needs the extra ``llamacpp``; it loads no model itself.
"""

from collections.abc import Iterator
from importlib.util import find_spec

from ftkit.errors import Refused
from ftkit.serving.engines.asking import Answer, Asked, Source
from ftkit.serving.engines.chunks import body_of
from ftkit.serving.engines.resident import PULSE_SECONDS, Ask, answers_of

_PACKAGE = "xllamacpp"


class LlamaEngine:
    """The worker ``llama`` as an engine.

    Args:
        ask: sends it a request and gives its replies, an empty one where none came for some seconds; closing that ends the answer.
        package: what must be installed.
    """

    def __init__(self, ask: Ask, package: str = _PACKAGE) -> None:
        self._ask, self._package = ask, package

    def check(self, source: Source) -> None:
        """As ``Engine.check``."""
        if source.gguf is None:
            raise Refused(
                "serving.not_gguf",
                "{label} is no GGUF file, and the engine llamacpp takes nothing else. Export the run as gguf first, or choose "
                "ftkit’s own engine (resident).",
                label=source.label,
            )
        if find_spec(self._package) is None:
            raise Refused(
                "serving.no_llamacpp",
                "llama.cpp is not installed here. Install it with: pip install ftkit[llamacpp], or choose ftkit’s own engine (resident).",
            )

    def answer(self, source: Source, asked: Asked) -> Iterator[Answer]:
        """Answers so far; as ``Engine.answer``."""
        self.check(source)
        # llama.cpp's own samplers are off, so that temperature and top_p mean what they mean elsewhere.
        body = {**body_of(asked, source.label), "logprobs": True, "top_k": 0, "min_p": 0.0}
        return answers_of(self._ask({"gguf": str(source.gguf), "body": body}, PULSE_SECONDS))

    def close(self) -> None:
        """Nothing is held here; the worker goes to sleep by itself."""
