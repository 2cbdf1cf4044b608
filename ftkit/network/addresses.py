"""Where an internet address lies: open to all, in this machine's own network, or never to be asked.

Takes addresses as text, gives a verdict. It resolves no name and connects to nothing: whoever connects asks ``reach`` about each
address that a name stands for, and then uses that very one.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal
from urllib.parse import SplitResult, urlsplit

Reach = Literal["public", "private", "never"]

# Where clouds answer questions about the machine and its credentials; link-local ones are refused anyway.
_METADATA = frozenset(
    map(ip_address, ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"))
)
# An IPv4 address within one of the other kind: behind a translator, in an old form, or with another mark before it.
_WRAPPED = tuple(map(ip_network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
_GIVEN_OUT = ip_network(
    "2000::/3"
)  # all IPv6 addresses that anybody may have; the rest is for other purposes
_LOW_32 = 0xFFFFFFFF


def url_parts(text: str) -> SplitResult | None:
    """The parts of a URL whose host and port can be read; None of a malformed one."""
    try:
        parts = urlsplit(text)
        _ = parts.hostname, parts.port  # malformed ones raise only here
    except ValueError:
        return None
    return parts


def literal_address(host: str) -> str | None:
    """The address that a host name is itself, else None; ``localhost`` counts as one."""
    if host.rstrip(".").lower() == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        return None


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
    given_out = isinstance(found, IPv4Address) or found in _GIVEN_OUT
    return "public" if found.is_global and given_out else "private"


def _inner(found: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address within one that only wraps it."""
    if isinstance(found, IPv4Address):
        return found
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped
    if found.sixtofour is not None:
        return found.sixtofour
    if found.is_loopback or found.is_unspecified or not any(found in network for network in _WRAPPED):
        return found
    return IPv4Address(int(found) & _LOW_32)
