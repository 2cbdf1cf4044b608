"""Asking an OpenAI-compatible endpoint: one request for a verdict, bounded in time and size, and only where it may go.

Takes messages, gives a ``Reply`` or raises ``Failed`` with the kind of failure. The name is resolved for each connection and each
address checked; the connection goes to the very address that was checked, and no redirect is followed. It retries nothing.
"""

import asyncio
import json
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.evaluation.judge.options import JudgeOptions, not_from_afar
from ftkit.network.addresses import reach
from ftkit.workers.judge.desk import Failed, Reply

_MOST_BYTES = 1_000_000  # of an answer
_CONNECT_SECONDS = 10.0
_SHOWN = 300  # characters of what an endpoint says of an error
_OLD_NAME, _NEW_NAME = "max_tokens", "max_completion_tokens"


class _Answer(NamedTuple):
    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def text(self) -> str:
        return " ".join(self.content.decode(errors="replace").split())[:_SHOWN]


class Endpoint:
    """One endpoint; use as ``async with Endpoint(options, key) as endpoint``.

    Args:
        options: where, which model, how long a verdict may take and be.
        key: sent as a bearer token; empty for none.

    Raises:
        BadInput: the key cannot be sent.
    """

    def __init__(self, options: JudgeOptions, key: str) -> None:
        if not key.isascii() or not key.isprintable() or " " in key:
            raise BadInput(
                "judge.bad_key",
                "The key in {name} holds characters that no key has. Set the variable to the key alone.",
                name=options.key_env,
            )
        self._options = options
        self._url = httpx.URL(options.endpoint + "/chat/completions")
        self._headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Host": self._url.netloc.decode(),
        }
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._names: dict[str, Any] = {"temperature": 0.0, _OLD_NAME: options.max_tokens}
        self._client: httpx.AsyncClient

    async def __aenter__(self) -> "Endpoint":
        """Open the connections. Proxies and netrc files of the environment are left alone: they could lead elsewhere."""
        limits = httpx.Limits(max_connections=self._options.at_once)
        timeout = httpx.Timeout(self._options.seconds, connect=min(_CONNECT_SECONDS, self._options.seconds))
        self._client = httpx.AsyncClient(
            trust_env=False, follow_redirects=False, limits=limits, timeout=timeout
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        await self._client.aclose()

    async def ask(self, asked: list[dict[str, str]]) -> Reply:
        """One reply.

        Raises:
            Failed: there is none; ``again`` says whether to ask once more.
            Refused: the endpoint may not be asked, or sends elsewhere.
            BadInput: it does not take the key.
            NotFound: it knows no such model or path.
        """
        sent = self._names
        try:
            async with asyncio.timeout(self._options.seconds):
                answer = await self._post({"model": self._options.model, "messages": asked, **sent})
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Failed("timeout", f"no answer within {self._options.seconds:g} s", again=True) from error
        except (httpx.TransportError, OSError) as error:
            raise Failed("unreachable", str(error) or type(error).__name__, again=True) from error
        if answer.status == httpx.codes.OK:
            return _reply(answer.content)
        if answer.status == httpx.codes.BAD_REQUEST and self._adapted(sent, answer.text):
            raise Failed("rejected", answer.text, again=True, wait=0)
        self._raise_for(answer)
        raise Failed("rejected", f"HTTP {answer.status}: {answer.text}")

    def _adapted(self, sent: dict[str, Any], text: str) -> bool:
        """Whether requests are made in another way now: newer models take other names and no temperature."""
        if sent is not self._names:  # another call has found out meanwhile
            return True
        if _OLD_NAME in sent and _NEW_NAME in text:
            self._names = {**sent, _NEW_NAME: sent[_OLD_NAME]}
            del self._names[_OLD_NAME]
        elif "temperature" in sent and "temperature" in text:
            self._names = {name: value for name, value in sent.items() if name != "temperature"}
        return sent is not self._names

    def _raise_for(self, answer: _Answer) -> None:
        """The failures that have a kind of their own, and those that would meet every row."""
        status, shown = answer.status, f"HTTP {answer.status}: {answer.text}"
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise Failed("rate_limited", shown, again=True, wait=_retry_after(answer.headers))
        if status == httpx.codes.REQUEST_TIMEOUT:
            raise Failed("timeout", shown, again=True)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Failed("server_error", shown, again=True, wait=_retry_after(answer.headers))
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise BadInput(
                "judge.not_allowed",
                "{address} does not let ftkit in (HTTP {status}). Check the key in {name} and what it may do.",
                address=self._options.endpoint,
                status=status,
                name=self._options.key_env or "FTKIT_JUDGE_KEY",
            )
        if status == httpx.codes.NOT_FOUND:
            raise NotFound(
                "judge.unknown_model",
                "{address} knows no model {model}, or answers at another path (HTTP 404). Check both.",
                address=self._options.endpoint,
                model=self._options.model,
            )
        if 300 <= status < 400:  # noqa: PLR2004 - a redirect
            raise Refused(
                "judge.redirected",
                "{address} sends to another address, which is not followed. Give that address itself.",
                address=self._options.endpoint,
            )

    async def _post(self, body: Mapping[str, Any]) -> _Answer:
        content = json.dumps(body).encode()
        addresses = await self._addresses()
        for address in addresses:
            try:
                return await self._post_to(address, content)
            except httpx.ConnectError:
                if address == addresses[-1]:
                    raise
        raise Failed("unreachable", "the name has no address", again=True)

    async def _post_to(self, address: str, content: bytes) -> _Answer:
        """Ask the address itself; the name goes into the Host header and is what the certificate must prove."""
        request = self._client.build_request(
            "POST",
            self._url.copy_with(host=address),
            headers=self._headers,
            content=content,
            extensions={"sni_hostname": self._url.host},
        )
        answer = await self._client.send(request, stream=True)
        try:
            received = bytearray()
            async for chunk in answer.aiter_raw():
                received += chunk
                if len(received) > _MOST_BYTES:
                    raise Failed("malformed", f"an answer of more than {_MOST_BYTES:,} bytes")
            return _Answer(answer.status_code, answer.headers, bytes(received))
        finally:
            await answer.aclose()

    async def _addresses(self) -> list[str]:
        """Where the name leads now.

        Raises:
            Refused: one of its addresses may not be asked.
        """
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(self._url.host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        for lies in map(reach, addresses):
            if lies == "private" and not self._options.private:
                raise not_from_afar(self._options.endpoint)
            if lies == "never":
                raise Refused(
                    "judge.hidden_address",
                    "{address} leads to an address that is never asked, such as that of a cloud's own services. Give another one.",
                    address=self._options.endpoint,
                )
        return addresses


def _reply(content: bytes) -> Reply:
    """What a chat completion says.

    Raises:
        Failed: it is none.
    """
    try:
        value = json.loads(content)
        choice = value["choices"][0]
        message = choice["message"]
        text, refusal = message.get("content"), message.get("refusal")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        shown = content[:_SHOWN].decode(errors="replace")
        raise Failed("malformed", f"no chat completion: {shown}") from error
    refused = bool(refusal) or choice.get("finish_reason") == "content_filter"
    if not refused and not isinstance(text, str):
        raise Failed("malformed", "a chat completion without text")
    said = str(refusal or text or "content filter") if refused else str(text)
    usage = value.get("usage")
    return Reply(said, _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"), refused)


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and 0 <= value < 2**53 else None


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that the other side asks for, from a number or a date."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given)
    with suppress(ValueError, TypeError, OverflowError):
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    return None
