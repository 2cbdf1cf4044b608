"""Which address a judge may be asked at: http or https, without a password in it, and on no machine that must stay hidden.

Takes texts that a person typed, gives a base URL. It resolves no name and connects to nothing: whoever connects asks
``ftkit.network.addresses`` about each address that the name stands for.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from ftkit.errors import BadInput
from ftkit.network.addresses import literal_address, reach, url_parts

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
    parts = url_parts(given)
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


def _without_password(given: str) -> str:
    """What may be said of an address that was refused: nothing before an @."""
    head, at, tail = given.rpartition("@")
    return f"…@{tail}" if at and head else given


def host_of(url: str) -> str:
    """Host and port of a base URL, for people."""
    return urlsplit(url).netloc


def stays_here(url: str) -> bool:
    """Whether the address names this very machine."""
    literal = literal_address(urlsplit(url).hostname or "")
    return literal is not None and ip_address(literal).is_loopback
