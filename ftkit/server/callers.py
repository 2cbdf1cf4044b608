"""Who may ask at all: exact checks of Host, Origin and Sec-Fetch-Site, and paths that are safe to redirect to.

Takes header values, gives yes or no. The Host check ends DNS rebinding, the Origin check ends requests that another web
page makes in the reader's name. It knows no session.
"""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_OWN_SITES = frozenset({"same-origin", "none"})  # "none": typed by the person, not started by a page


class Hosts:
    """The names under which the dashboard is reached."""

    def __init__(self, further: Collection[str] = (), space: str | None = None) -> None:
        """Args are host names, each with a port where only that port is meant; ``space`` is always https."""
        self._names = frozenset(name.lower() for name in (*_LOCAL, *further, *([space] if space else [])))
        self._space = space.lower() if space else None

    def knows(self, host: str) -> bool:
        """Whether a Host header names this dashboard.

        A name without a port is met at any port: a container's port may be published under another number, and a
        foreign page can choose the name that the browser sends, but not the port behind a name that is not its own.
        """
        host = host.lower()
        name, port = split_port(host)
        if port is not None and not port.isdigit():
            return False
        return name in self._names or host in self._names

    def owns(self, origin: str, host: str) -> bool:
        """Whether an Origin header is the page's own, as seen from its Host header."""
        scheme, separator, authority = origin.lower().partition("://")
        schemes = {"https"} if host.lower() == self._space else {"http", "https"}
        return bool(separator) and scheme in schemes and authority == host.lower()

    def refuses(self, method: str, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from another web page; its Host must be known already."""
        origin = headers.get("origin")
        if origin is not None and not self.owns(origin, headers["host"]):
            return True
        return method not in _SAFE_METHODS and headers.get("sec-fetch-site", "none") not in _OWN_SITES


def split_port(host: str) -> tuple[str, str | None]:
    """``localhost:80`` → (``localhost``, ``80``); the brackets of an IPv6 address stay."""
    name, separator, port = host.rpartition(":")
    if not separator or port.endswith("]"):
        return host, None
    return name, port


def own_path(address: str) -> str:
    """``address`` if it is a path of this dashboard, else ``/``: nobody is sent elsewhere."""
    strange = any(character <= " " or character == "\\" for character in address)
    parts = urlsplit("" if strange else address)
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or address.startswith("//"):
        return "/"
    return address
