"""The official OpenAI client talks to the gateway: answers, streams, errors, limits, a client that leaves."""

import threading
import time

import openai
import pytest

from ftkit.errors import WorkerFault
from ftkit.server.gateway.service import Limits

HELLO = [{"role": "user", "content": "hello out there"}]


def test_a_chat_is_answered_and_recorded(place, client) -> None:
    version = place.deploy("run:a")
    answer = client.chat.completions.create(
        model="ftkit", messages=HELLO, temperature=0, seed=7, stop=["zzz"]
    )
    assert answer.choices[0].message.content == "a: hello out there"
    assert (answer.model, answer.choices[0].finish_reason) == (version, "stop")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (
        3,
        4,
        7,
    )
    assert answer.id == answer._request_id
    _, asked = place.parrot.asked[-1]
    assert (asked.temperature, asked.seed, asked.stop, asked.max_tokens) == (0, 7, ("zzz",), 256)
    [exchange] = place.log.wait_for(1)
    assert (exchange.id, exchange.version, exchange.status, exchange.finish) == (
        answer.id,
        version,
        200,
        "stop",
    )
    assert exchange.answer == "a: hello out there"
    assert exchange.messages == tuple(HELLO)
    assert (exchange.prompt_tokens, exchange.answer_tokens, exchange.confidence) == (3, 4, 0.5)


def test_pieces_of_a_message_and_the_developer_are_what_a_template_knows(place, client) -> None:
    place.deploy("run:a")
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    messages = [{"role": "developer", "content": "Be short."}, {"role": "user", "content": parts}]
    client.chat.completions.create(model="ftkit", messages=messages, max_completion_tokens=2)
    _, asked = place.parrot.asked[-1]
    assert asked.messages == (
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "one two"},
    )
    assert asked.max_tokens == 2


def test_a_stream_says_the_same_piece_by_piece(place, client) -> None:
    version = place.deploy("run:a")
    place.parrot.pace = 0.01
    stream = client.chat.completions.create(
        model="ftkit", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "a: hello out there"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len(chunks) > 4
    assert {chunk.id for chunk in chunks} == {stream.response.headers["x-request-id"]}
    assert {chunk.model for chunk in chunks} == {version}
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.total_tokens == 7
    [exchange] = place.log.wait_for(1)
    assert exchange.streamed
    assert exchange.first_token_seconds is not None
    assert 0 < exchange.first_token_seconds < exchange.seconds


def test_a_text_is_completed_and_streamed(place, client) -> None:
    place.deploy("run:a")
    answer = client.completions.create(model="ftkit", prompt="once upon a time", max_tokens=3)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("a: once upon", "length")
    _, asked = place.parrot.asked[-1]
    assert (asked.prompt, asked.messages) == ("once upon a time", ())
    stream = client.completions.create(model="ftkit", prompt="once", stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == "a: once"
    assert [exchange.kind for exchange in place.log.wait_for(2)] == ["completion"] * 2


def test_models_are_listed_and_asked_by_their_id(place, client) -> None:
    assert client.models.list().data == []
    old, new = place.deploy("run:a"), place.deploy("run:b")
    assert [model.id for model in client.models.list()] == ["ftkit", new, old]
    assert client.models.retrieve(old).state == "standby"
    answer = client.chat.completions.create(model=old, messages=HELLO)
    assert answer.choices[0].message.content.startswith("a:")
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert caught.value.code == "model_not_found"
    assert "ftkit" in caught.value.message


def test_a_wrong_key_a_missing_one_and_one_for_something_else(place, client) -> None:
    place.deploy("run:a")
    for wrong in ("ftk_wrong", "x"):
        with place.client(wrong) as other, pytest.raises(openai.AuthenticationError) as caught:
            other.models.list()
        assert caught.value.code == "invalid_api_key"
    narrow = place.keys.create("narrow", scopes=("models",))
    with place.client(narrow.secret) as other:
        assert other.models.list().data
        with pytest.raises(openai.PermissionDeniedError):
            other.chat.completions.create(model="ftkit", messages=HELLO)
        place.keys.revoke(narrow.key.id)
        with pytest.raises(openai.AuthenticationError, match="revoked"):
            other.models.list()
    assert place.log.exchanges == []


def test_a_used_up_minute_is_429_with_the_wait(place) -> None:
    place.deploy("run:a")
    made = place.keys.create("slow", requests_per_minute=2)
    with place.client(made.secret) as client:
        for _ in range(2):
            client.chat.completions.create(model="ftkit", messages=HELLO)
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="ftkit", messages=HELLO)
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60
    assert caught.value.code == "rate_limit_exceeded"
    refused = place.log.wait_for(3)[-1]
    assert (refused.status, refused.error) == (429, "keys.too_many_requests")


def test_a_used_up_day_is_429_and_what_was_not_used_comes_back(place) -> None:
    place.deploy("run:a")
    made = place.keys.create("small", tokens_per_day=60)
    with place.client(made.secret) as client:
        for _ in range(2):  # each takes 50 and uses 7
            client.chat.completions.create(model="ftkit", messages=HELLO, max_tokens=40)
        assert place.keys.tokens_today(made.key) == 14
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="ftkit", messages=HELLO, max_tokens=50)
    assert caught.value.code == "insufficient_quota"
    assert int(caught.value.response.headers["retry-after"]) > 0


def test_nothing_live_and_a_broken_engine_say_so(place, client) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="ftkit", messages=HELLO)
    assert (caught.value.status_code, caught.value.code) == (503, "serving.nothing_live")
    assert caught.value.response.headers["retry-after"] == "5"
    place.deploy("run:a")
    for stream in (False, True):
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(
                model="ftkit", messages=[{"role": "user", "content": "break now"}], stream=stream
            )
        assert (caught.value.status_code, caught.value.code) == (500, "test.broke")
    place.parrot.fail_with = ZeroDivisionError("planted")
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="ftkit", messages=HELLO)
    assert caught.value.code == "gateway.failed"
    assert "planted" not in caught.value.message
    assert [exchange.status for exchange in place.log.wait_for(4)] == [503, 500, 500, 500]


def test_an_engine_that_breaks_in_the_middle_of_a_stream_says_so_in_it(place, client, monkeypatch) -> None:
    place.deploy("run:a")

    def answer(source, asked, whole=place.parrot.answer):
        for count, one in enumerate(whole(source, asked)):
            if count == 2:
                raise WorkerFault("test.broke", "The model's process broke. Ask again.")
            time.sleep(0.05)
            yield one

    monkeypatch.setattr(place.parrot, "answer", answer)
    stream = client.chat.completions.create(model="ftkit", messages=HELLO, stream=True)
    with pytest.raises(openai.APIError, match="broke"):
        list(stream)
    [exchange] = place.log.wait_for(1)
    assert (exchange.error, exchange.answer) == ("test.broke", "a: hello")


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_ends_its_own_generation_only(place, client, stream) -> None:
    place.deploy("run:a")
    place.parrot.pace = 0.05
    place.parrot.ended.clear()
    long = [{"role": "user", "content": " ".join(["leaving"] * 500)}]
    answers: list[str] = []

    def stay() -> None:
        words = [{"role": "user", "content": " ".join(["staying"] * 40)}]
        answer = client.chat.completions.create(model="ftkit", messages=words)
        answers.append(answer.choices[0].message.content)

    staying = threading.Thread(target=stay)
    staying.start()
    hurried = client.with_options(timeout=0.4)
    if stream:
        with hurried.chat.completions.create(model="ftkit", messages=long, stream=True) as chunks:
            next(iter(chunks))
    else:
        with pytest.raises(openai.APITimeoutError):
            hurried.chat.completions.create(model="ftkit", messages=long)
    staying.join(20)
    assert answers == ["a: " + " ".join(["staying"] * 40)]
    by_finish = {exchange.finish: exchange for exchange in place.log.wait_for(2)}
    assert by_finish["cancelled"].status == 499
    assert 0 < by_finish["cancelled"].answer_tokens < 60
    deadline = time.monotonic() + 5
    while len(place.parrot.ended) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert sorted((text.split()[0], closed) for text, closed in place.parrot.ended) == [
        ("leaving", True),
        ("staying", False),
    ]


@pytest.mark.parametrize("limits", [Limits(seconds=0.3)])
def test_an_answer_that_takes_too_long_is_504_and_ends(place, client) -> None:
    place.deploy("run:a")
    place.parrot.pace = 0.2
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="ftkit", messages=HELLO)
    assert (caught.value.status_code, caught.value.code) == (504, "gateway.too_slow")
    assert place.log.wait_for(1)[0].error == "gateway.too_slow"


@pytest.mark.parametrize("limits", [Limits(running=2)])
def test_more_than_it_bears_is_503_and_the_places_come_back(place, client) -> None:
    place.deploy("run:a")
    place.parrot.pace = 0.2
    outcomes: list[object] = []

    def ask() -> None:
        try:
            outcomes.append(client.chat.completions.create(model="ftkit", messages=HELLO).model)
        except openai.InternalServerError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes.count("gateway.busy") == 3
    place.parrot.pace = 0
    for _ in range(3):
        client.chat.completions.create(model="ftkit", messages=HELLO)
