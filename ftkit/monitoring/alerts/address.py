"""Which address a webhook may go to: http or https, on a machine that everybody may reach, at the moment of each connection.

Takes the address that a person typed, gives it checked, and the one machine that is then connected to. A name is resolved each
time, all that it stands for is checked, and the connection goes to what was checked: a name that changes its mind afterwards leads nowhere.
It connects to nothing itself.
"""

import asyncio
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from ftkit.errors import BadInput, Refused
from ftkit.network.addresses import reach, url_parts

_LONGEST = 2000
_PORTS = {"http": 80, "https": 443}


def checked(text: str) -> str:
    """The address as it is used.

    Raises:
        BadInput: it is no address of a webhook.
    """
    given = text.strip()
    parts = url_parts(given)
    if (
        parts is None
        or parts.scheme not in _PORTS
        or not parts.hostname
        or "@" in parts.netloc
        or "\\" in given
        or parts.fragment
        or len(given) > _LONGEST
        or any(ord(sign) <= 32 or ord(sign) == 127 for sign in given)  # noqa: PLR2004 - blanks and control characters
    ):
        raise BadInput(
            "alerts.bad_webhook",
            "This is no address of a webhook. Give one as https://HOST/PATH, without a user name, a # or blanks.",
        )
    return given


def host_of(url: str) -> str:
    """The host, for people: what follows it may be a secret."""
    return urlsplit(url).netloc


async def addresses_of(url: str, inside: Collection[str] = ()) -> list[str]:
    """Where the name leads now, each of them allowed.

    Args:
        url: as ``checked`` gives it.
        inside: names of hosts that may lie within the own network.

    Raises:
        Refused: one of the addresses may not be asked.
        OSError: the name cannot be resolved.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, parts.port or _PORTS[parts.scheme], type=socket.SOCK_STREAM
    )
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    trusted = host.casefold() in {name.casefold() for name in inside}
    for lies in map(reach, addresses):
        if lies == "never" or (lies == "private" and not trusted):
            raise Refused(
                "alerts.hidden_address",
                "{host} leads into this machine or its network, where webhooks never go. Give a public address; whoever starts ftkit "
                "can name hosts of the own network in FTKIT_WEBHOOK_HOSTS.",
                host=host,
            )
    return addresses
