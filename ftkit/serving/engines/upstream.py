"""Another OpenAI-compatible server as an engine, such as vLLM on a machine with graphics cards.

Takes what is asked, gives answers as they grow. Keys, limits and the log of requests stay here; that server sees the texts.
"""

import json
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ftkit.errors import Refused
from ftkit.serving.engines.asking import Answer, Asked, Source
from ftkit.serving.engines.chunks import Stream, body_of, error_of

if TYPE_CHECKING:
    import httpx

_CONNECT_SECONDS = 5.0
_SILENCE_SECONDS = 120.0  # a long prompt on a busy server
_AT_ONCE = 256
_PREFIX = "data:"


class UpstreamEngine:
    """Servers at the addresses of sources.

    Args:
        key: of the servers; none is sent without.
        transport: how they are reached; tests pass their own.
    """

    def __init__(self, key: str = "", transport: "httpx.BaseTransport | None" = None) -> None:
        self._key, self._transport = key, transport

    @cached_property
    def _client(self) -> "httpx.Client":
        import httpx  # noqa: PLC0415 - few workspaces ever ask another server

        return httpx.Client(
            timeout=httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=_AT_ONCE),
            headers={"authorization": f"Bearer {self._key}"} if self._key else {},
            transport=self._transport,
            trust_env=False,
            follow_redirects=False,
        )

    def check(self, source: Source) -> None:
        """As ``Engine.check``."""
        if not source.url.startswith(("http://", "https://")):
            raise Refused(
                "serving.no_address",
                "{label} has no address of another server. Deploy upstream:http://HOST:PORT/v1|MODEL, or choose ftkit’s own engine (resident).",
                label=source.label,
            )

    def answer(self, source: Source, asked: Asked) -> Iterator[Answer]:
        """Answers so far; as ``Engine.answer``."""
        self.check(source)
        path = "chat/completions" if asked.messages else "completions"
        return self._answers(f"{source.url.rstrip('/')}/{path}", body_of(asked, source.name))

    def close(self) -> None:
        """Close all connections."""
        if "_client" in vars(self):
            self._client.close()

    def _answers(self, url: str, body: dict[str, Any]) -> Iterator[Answer]:
        import httpx  # noqa: PLC0415 - as above

        stream = Stream()
        try:
            with self._client.stream("POST", url, json=body) as response:
                if response.status_code != httpx.codes.OK:
                    response.read()
                    raise error_of(_error(response), response.status_code)
                for line in response.iter_lines():
                    content = line.removeprefix(_PREFIX).strip() if line.startswith(_PREFIX) else ""
                    if content == "[DONE]":
                        break
                    if content:
                        yield stream.add(json.loads(content))
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            raise Refused(
                "serving.upstream_down",
                "The server at {url} does not answer ({reason}). Start it, or choose another engine.",
                url=url,
                reason=type(error).__name__,
            ) from error
        yield stream.whole()


def _error(response: "httpx.Response") -> Any:
    try:
        content = response.json()
    except ValueError:
        return response.text
    return content.get("error", content) if isinstance(content, dict) else content
