"""Which address a judge may be asked at: http or https, without a password in it, and on no machine that must stay hidden.

Takes texts that a person typed and addresses that a name stands for, gives a base URL or a verdict. It resolves no name and
connects to nothing: whoever connects asks ``reach`` about each address first, and then uses that very one.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from ftkit.errors import BadInput

Reach = Literal["public", "private", "never"]

# Where clouds answer questions about the machine and its credentials; link-local ones are refused anyway.
_METADATA = frozenset(
    map(ip_address, ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"))
)
_TRANSLATED = ip_network("64:ff9b::/96")  # an IPv4 address behind a translator
_LOW_32 = 0xFFFFFFFF
_LONGEST = 2000
_EXAMPLE = "http://127.0.0.1:8000/v1"


def base_url(text: str) -> str:
    """The base URL as it is asked, e.g. ``https://api.example.com/v1``, without a slash at its end.

    Raises:
        BadInput: it is no such address.
    """
    given = text.strip()
    if any(ord(sign) <= 32 or ord(sign) == 127 for sign in given) or len(given) > _LONGEST:  # noqa: PLR2004
        raise BadInput(
            "judge.address_blanks",
            "The address holds blanks or is too long. Give one base URL, such as {example}.",
            example=_EXAMPLE,
        )
    parts = _parts(given)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInput(
            "judge.address_no_http",
            "{address} does not begin with http:// or https:// and a host. Give a base URL such as {example}.",
            address=_without_password(given)[:200],
            example=_EXAMPLE,
        )
    if "@" in parts.netloc or parts.query or parts.fragment or "\\" in given:
        raise BadInput(
            "judge.address_with_more",
            "The address holds a user name, a ?, a # or a backslash. Give the base URL alone, and a key in an environment variable.",
        )
    literal = literal_address(parts.hostname)
    if literal is not None and reach(literal) == "never":
        raise BadInput(
            "judge.hidden_literal", "{address} is never asked. Give another address.", address=parts.hostname
        )
    return given.rstrip("/").removesuffix("/chat/completions")


def _parts(given: str) -> SplitResult | None:
    try:
        parts = urlsplit(given)
        _ = parts.hostname, parts.port  # malformed ones raise only here
    except ValueError:
        return None
    return parts


def _without_password(given: str) -> str:
    """What may be said of an address that was refused: nothing before an @."""
    head, at, tail = given.rpartition("@")
    return f"…@{tail}" if at and head else given


def host_of(url: str) -> str:
    """Host and port of a base URL, for people."""
    return urlsplit(url).netloc


def literal_address(host: str) -> str | None:
    """The address that a host name is itself, else None; ``localhost`` counts as one."""
    if host.rstrip(".").lower() == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def stays_here(url: str) -> bool:
    """Whether the address names this very machine."""
    literal = literal_address(urlsplit(url).hostname or "")
    return literal is not None and ip_address(literal).is_loopback


def reach(address: str) -> Reach:
    """Where an IP address lies: ``public``, ``private`` (this machine and its network), or ``never`` to be asked."""
    try:
        found = _inner(ip_address(address))
    except ValueError:  # with a zone, as link-local ones have
        return "never"
    if found in _METADATA or found.is_link_local or found.is_multicast or found.is_unspecified:
        return "never"
    if found.is_loopback:
        return "private"
    if isinstance(found, IPv4Address) and found.is_reserved:
        return "never"
    return "public" if found.is_global else "private"


def _inner(found: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address within one that only wraps it."""
    if isinstance(found, IPv4Address):
        return found
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped
    if found.sixtofour is not None:
        return found.sixtofour
    return IPv4Address(int(found) & _LOW_32) if found in _TRANSLATED else found
