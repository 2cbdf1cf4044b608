"""Where a webhook may go: nowhere within this machine or its network, whatever the address looks like."""

import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from ftkit.errors import BadInput, FtkitError, Refused
from ftkit.monitoring.alerts import webhook
from ftkit.monitoring.alerts.address import checked
from ftkit.monitoring.alerts.webhook import SIGNATURE, NotDelivered, Target, check, send
from tests.listening import Listener, listening

SECRET, MESSAGE = "whsec_x", {"kind": "drift", "words": "ğ <b>"}
PUBLIC = "93.184.216.34"
NEVER = [
    *(
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://localhost.:{port}/",
        "http://127.1:{port}/",
    ),
    *(
        "http://0.0.0.0:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::]:{port}/",
    ),
    *(
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://0x7f.1:{port}/",
    ),
    *("http://127.0.0.1.:{port}/", "http://127.255.255.254:{port}/", "http://[::127.0.0.1]:{port}/"),
    *("http://[64:ff9b::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/", "http://1②7.0.0.1:{port}/"),
    *("http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://100.100.100.200/"),
    *("http://168.63.129.16/", "http://[fe80::1]/", "http://2852039166/", "http://0xa9fea9fe/"),
    *("http://[::ffff:169.254.169.254]/", "http://192.0.0.192/", "http://10.0.0.1/", "http://172.16.0.1/"),
    *(
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://[fc00::1]/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
    ),
    *("http://198.18.0.1/", "http://240.0.0.1/", "http://192.0.2.1/"),
    *(
        "http://[fec0::1]/",
        "http://[64:ff9b:1::1]/",
        "http://[::169.254.169.254]/",
        "http://[::ffff:0:127.0.0.1]:{port}/",
    ),
]
NO_ADDRESS = [
    *(
        "",
        "  ",
        "127.0.0.1:{port}",
        "//127.0.0.1:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/_x",
    ),
    *(
        "dict://127.0.0.1:{port}/",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "http://",
        "http:///x",
        "http://[::1",
    ),
    *("http://public@127.0.0.1:{port}/", "http://a:b@example.com/", "http://example.com\\@127.0.0.1:{port}/"),
    *(
        "http://example.com/#x",
        "http://example.com/ x",
        "http://example.com/\r\nHost: x",
        "http://example.com:99999/",
    ),
    *("http://example.com/\x00", "https://" + "a" * 2000),
]


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """A resolver whose answers for ``rebind.test`` change from look-up to look-up; gives the names that were looked up."""
    real, asked, left = socket.getaddrinfo, [], list(answers)

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        asked.append(name)
        if name != "rebind.test":
            return real(host, port, *args, **kwargs)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_addresses_within_the_network_are_refused(listener: Listener) -> None:
    for form in NEVER:
        target = Target(form.format(port=listener.port), SECRET)
        for act in (check, lambda one: send(one, MESSAGE)):
            with pytest.raises(FtkitError) as caught:
                act(target)
            # Some resolvers do not know the odd forms at all.
            assert caught.value.key in {"alerts.hidden_address", "alerts.unreachable"}, target.url
    assert listener.connections == 0
    with pytest.raises(Refused, match="FTKIT_WEBHOOK_HOSTS"):
        send(Target(f"http://127.0.0.1:{listener.port}/", SECRET), MESSAGE)
    with pytest.raises(Refused, match="FTKIT_WEBHOOK_HOSTS"):
        send(Target("http://169.254.169.254/", SECRET, inside=("169.254.169.254",)), MESSAGE)


def test_what_is_no_address_is_refused_and_not_repeated(listener: Listener) -> None:
    for form in NO_ADDRESS:
        with pytest.raises(BadInput) as caught:
            checked(form.format(port=listener.port))
        assert "127.0.0.1" not in str(caught.value)
    assert (
        checked(" https://hooks.example.com/services/T1?x=1 ") == "https://hooks.example.com/services/T1?x=1"
    )


def test_a_name_that_changes_its_mind_leads_nowhere(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, [PUBLIC], ["127.0.0.1"])
    target = Target(f"http://rebind.test:{listener.port}/", SECRET)
    check(target)  # public, when it is chosen
    with pytest.raises(Refused):
        send(target, MESSAGE)  # and not when it is used
    asked = names(monkeypatch, [PUBLIC], ["127.0.0.1"])
    monkeypatch.setattr(webhook, "SECONDS", 0.5)
    with pytest.raises(NotDelivered):
        send(target, MESSAGE)  # the very address that was checked is asked: there is no second look
    assert asked.count("rebind.test") == 1
    names(monkeypatch, [PUBLIC, "127.0.0.1"])
    with pytest.raises(Refused):
        send(target, MESSAGE)  # one bad address among good ones
    assert listener.connections == 0


def test_a_redirect_is_not_followed(listener: Listener) -> None:
    with listening() as hidden:
        listener.status, listener.location = 302, f"http://127.0.0.1:{hidden.port}/"
        with pytest.raises(Refused, match="not followed"):
            send(Target(f"http://localhost:{listener.port}/", SECRET, inside=("localhost",)), MESSAGE)
        assert (len(listener.heard), hidden.connections) == (1, 0)


def test_the_receiver_can_prove_who_sent_it(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # would lead elsewhere
    send(Target(f"http://localhost:{listener.port}/in?x=1", SECRET, inside=("LOCALHOST",)), MESSAGE)
    (heard,) = listener.heard
    assert (heard.path, heard.headers["Host"]) == ("/in?x=1", f"localhost:{listener.port}")
    assert json.loads(heard.body) == MESSAGE
    told = dict(part.split("=") for part in heard.headers[SIGNATURE].split(","))
    digest = hmac.new(SECRET.encode(), f"{told['t']}.".encode() + heard.body, hashlib.sha256).hexdigest()
    assert told["v1"] == digest


def test_what_does_not_arrive_is_said(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(f"http://localhost:{listener.port}/", SECRET, inside=("localhost",))
    listener.status = 500
    with pytest.raises(NotDelivered, match="status 500"):
        send(target, MESSAGE)
    monkeypatch.setattr(webhook, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        port = silent.getsockname()[1]
        with pytest.raises(NotDelivered, match="did not answer"):
            send(Target(f"http://localhost:{port}/", SECRET, inside=("localhost",)), MESSAGE)
    with pytest.raises(NotDelivered, match="cannot be reached"):
        send(Target(f"http://localhost:{port}/", SECRET, inside=("localhost",)), MESSAGE)
