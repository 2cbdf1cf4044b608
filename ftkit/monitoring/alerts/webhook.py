"""Telling another program of an alert: one signed request, bounded in time, to an address that was checked just before.

Takes the address, the secret and a message; raises where it did not arrive. It reads nothing of the answer but its status, follows no
redirect, uses no proxy of the environment and retries nothing.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ftkit.errors import Fault, FtkitError, Refused
from ftkit.monitoring.alerts.address import addresses_of, host_of

SECONDS = 5.0
SIGNATURE = "X-Ftkit-Signature"


class Target(NamedTuple):
    """Where messages go; ``inside`` are names of hosts that may lie within the own network."""

    url: str
    secret: str
    inside: Collection[str] = ()


class NotDelivered(Fault):
    """The message did not arrive; it may the next time."""


def signature(secret: str, moment: int, body: bytes) -> str:
    """What the receiver compares, so that nobody else can tell it of alerts: ``t=<seconds>,v1=<HMAC-SHA256 of "t.body">``."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def send(target: Target, message: Mapping[str, Any]) -> None:
    """Send a message.

    Raises:
        Refused: the address may not be asked, or sends elsewhere.
        NotDelivered: it did not arrive.
    """
    asyncio.run(_send_in_time(target, message))


def check(target: Target) -> None:
    """Whether a message could be sent there now, as far as that shows without sending one.

    Raises:
        Refused: the address may not be asked.
        NotDelivered: its name cannot be resolved.
    """
    asyncio.run(_in_time(target, addresses_of(target.url, target.inside)))


async def _send_in_time(target: Target, message: Mapping[str, Any]) -> None:
    await _in_time(target, _send(target, json.dumps(message, ensure_ascii=False, sort_keys=True).encode()))


async def _in_time(target: Target, work: Any) -> None:
    import httpx  # noqa: PLC0415 - costs a command that sends nothing a tenth of a second

    host = host_of(target.url)
    try:
        async with asyncio.timeout(SECONDS):
            await work
    except FtkitError:
        raise
    except (TimeoutError, httpx.TimeoutException) as error:
        raise NotDelivered(
            "alerts.timeout",
            "{host} did not answer within {seconds:.0f} s. Check the address, or try again later.",
            host=host,
            seconds=SECONDS,
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise NotDelivered(
            "alerts.unreachable",
            "{host} cannot be reached ({reason}). Check the address, or try again later.",
            host=host,
            reason=type(error).__name__,
        ) from error


async def _send(target: Target, body: bytes) -> None:
    import httpx  # noqa: PLC0415 - as above

    url = httpx.URL(target.url)
    headers = {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "Host": url.netloc.decode(),
        "User-Agent": "ftkit",
        SIGNATURE: signature(target.secret, int(time.time()), body),
    }
    addresses = await addresses_of(target.url, target.inside)
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS) as client:
        for address in addresses:
            # To the address that was checked; the name stands in the Host header and is what the certificate must prove.
            request = client.build_request(
                "POST",
                url.copy_with(host=address),
                headers=headers,
                content=body,
                extensions={"sni_hostname": url.host},
            )
            try:
                answer = await client.send(request, stream=True)
            except httpx.ConnectError:
                if address == addresses[-1]:
                    raise
                continue
            await answer.aclose()
            _check(url.netloc.decode(), answer.status_code)
            return


def _check(host: str, status: int) -> None:
    if 300 <= status < 400:  # noqa: PLR2004 - a redirect
        raise Refused(
            "alerts.redirected",
            "{host} sends to another address, which is not followed. Give that address itself.",
            host=host,
        )
    if not 200 <= status < 300:  # noqa: PLR2004 - taken
        raise NotDelivered(
            "alerts.not_taken",
            "{host} answered with the status {status}. Look there for the reason, then try again.",
            host=host,
            status=status,
        )
