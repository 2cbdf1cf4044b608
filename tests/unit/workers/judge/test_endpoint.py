"""The connection goes to the address that was checked, whatever a second look-up would say."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from ftkit.errors import Refused
from ftkit.evaluation.judge.options import JudgeOptions
from ftkit.workers.judge.endpoint import Endpoint
from tests.judge_server import judge_server

ASKED = [{"role": "user", "content": "Hello"}]


def ask(url: str, private: bool, addresses: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask with a name server of the test's own."""

    def looked_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses()]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)

    async def once() -> Any:
        async with Endpoint(
            JudgeOptions.parse(model="m", endpoint=url, private=private, seconds=5), ""
        ) as endpoint:
            return await endpoint.ask(ASKED)

    return asyncio.run(once())


def test_a_name_is_looked_up_once_and_its_address_is_the_one_that_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = iter([["127.0.0.1"], ["169.254.169.254"]])
    with judge_server(ail=lambda *_: "echo") as judge:
        url = judge.url.replace("127.0.0.1", "judge.example")
        assert ask(url, True, lambda: next(looks), monkeypatch).text
        assert judge.asked[0][2]["Host"] == url[7:-3]
    assert next(looks) == ["169.254.169.254"], "nobody asked the name server again"


@pytest.mark.parametrize(
    ("private", "addresses"),
    [
        (False, ["127.0.0.1"]),
        (False, ["93.184.216.34", "10.0.0.1"]),
        (True, ["169.254.169.254"]),
        (True, ["127.0.0.1", "::ffff:169.254.169.254"]),
    ],
)
def test_one_hidden_address_among_several_is_enough_to_refuse(
    private: bool, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with judge_server() as judge:
        with pytest.raises(Refused):
            ask(judge.url.replace("127.0.0.1", "judge.example"), private, lambda: addresses, monkeypatch)
        assert judge.asked == []


def test_a_key_that_no_header_can_hold_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    from ftkit.errors import BadInput

    options = JudgeOptions.parse(model="m", endpoint="http://x/v1", key_env="FTKIT_JUDGE_KEY")
    for key in ("sk-secret\r\nHost: y", "sk-secret more", "sk-secreté"):
        with pytest.raises(BadInput) as seen:
            Endpoint(options, key)
        assert "secret" not in str(seen.value)


def test_the_next_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with judge_server(ail=lambda *_: "prose") as judge:
        url = judge.url.replace("127.0.0.1", "judge.example")
        assert ask(url, True, lambda: ["127.0.0.2", "127.0.0.1"], monkeypatch).prompt_tokens == 100
