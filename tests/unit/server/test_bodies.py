import asyncio

import pytest
from starlette.formparsers import MultiPartException

from ftkit.server.bodies import count_within, read_within


def receiver(*chunks: bytes):
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


def test_a_body_within_the_limit_is_given_again():
    async def check():
        receive = await read_within(receiver(b"ab", b"cd"), 4)
        first, second = await receive(), await receive()
        assert first == {"type": "http.request", "body": b"abcd", "more_body": False}
        assert second["type"] == "http.disconnect"

    asyncio.run(check())


def test_a_larger_one_is_not_read_to_its_end():
    chunks = [b"x" * 10] * 100
    messages = receiver(*chunks)
    asked = 0

    async def receive():
        nonlocal asked
        asked += 1
        return await messages()

    assert asyncio.run(read_within(receive, 25)) is None
    assert asked == 3


def test_an_upload_is_passed_on_and_cut_off_at_the_limit():
    async def check():
        receive = count_within(receiver(b"abc", b"def"), 5)
        assert (await receive())["body"] == b"abc"
        with pytest.raises(MultiPartException, match="maximum allowed size"):
            await receive()

    asyncio.run(check())


def test_an_upload_that_breaks_off_is_no_whole_one_and_a_whole_one_may_end():
    async def check():
        messages = [{"type": "http.request", "body": b"abc", "more_body": True}]

        async def receive():
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        counted = count_within(receive, 5)
        await counted()
        with pytest.raises(MultiPartException, match="broke off"):
            await counted()
        whole = count_within(receiver(b"abc"), 5)
        assert [(await whole())["type"] for _ in range(3)] == [
            "http.request",
            "http.request",
            "http.disconnect",
        ]

    asyncio.run(check())
