import logging
from contextlib import contextmanager
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext

from ftkit.errors import BadInput, NotAllowed
from ftkit.ui import border
from ftkit.ui.border import handler


@contextmanager
def called_by(username, lang="en"):
    request = SimpleNamespace(username=username, cookies={"ftkit_lang": lang}, headers={})
    token = LocalContext.request.set(request)
    try:
        yield
    finally:
        LocalContext.request.reset(token)


def test_the_owner_s_call_goes_through():
    wrapped = handler(lambda a, b: a + b)
    with called_by("owner"):
        assert wrapped(1, b=2) == 3


@pytest.mark.parametrize("username", [None, "", "rater", "Owner"])
def test_nobody_else_is_let_in(username):
    ran = []
    wrapped = handler(lambda: ran.append(1))
    with called_by(username), pytest.raises(gr.Error, match="may not do this"):
        wrapped()
    assert ran == []


def test_without_a_request_nobody_is_let_in():
    with pytest.raises(gr.Error):
        handler(lambda: 1)()


def test_a_generator_is_authorised_before_its_first_line():
    ran = []

    def stream():
        ran.append("started")
        yield 1

    with called_by("rater"), pytest.raises(gr.Error):
        next(handler(stream)())
    assert ran == []


def test_a_generator_streams_and_can_be_closed():
    ended = []

    def stream(n):
        try:
            yield from range(n)
        finally:
            ended.append(True)

    with called_by("owner"):
        assert list(handler(stream)(3)) == [0, 1, 2]
        running = handler(stream)(3)
        next(running)
        running.close()
    assert ended == [True, True]


def test_the_wrapper_looks_like_the_handler_to_gradio():
    def show(name: str, request: gr.Request) -> str:
        return name

    wrapped = handler(show)
    assert wrapped.__ftkit_role__ == "owner"
    assert wrapped.__annotations__ == show.__annotations__
    assert wrapped.__name__ == "show"


def test_our_errors_are_shown_translated_and_escaped(monkeypatch):
    monkeypatch.setattr(border, "say_error", lambda error, lang: f"{lang}: {error}")

    def fail():
        raise BadInput("x.bad", "The column {name} is empty.", name="<img src=x>")

    with called_by("owner", "tr"), pytest.raises(gr.Error) as caught:
        handler(fail)()
    assert caught.value.message == "tr: The column &lt;img src=x&gt; is empty."
    assert caught.value.title == "Bu olmadı"
    assert not caught.value.print_exception


def test_an_unexpected_error_is_logged_and_only_its_number_shown(caplog):
    def fail():
        raise RuntimeError("password in the text")

    with caplog.at_level(logging.ERROR), called_by("owner"), pytest.raises(gr.Error) as caught:
        handler(fail)()
    number = caught.value.message.partition("number ")[2].partition(".")[0]
    assert len(number) == 8
    assert number in caplog.text
    assert "password in the text" in caplog.text
    assert "password" not in caught.value.message


def test_a_toast_of_the_handler_s_own_stays():
    def fail():
        raise gr.Error("mine")

    with called_by("owner"), pytest.raises(gr.Error, match="mine"):
        handler(fail)()


def test_asynchronous_handlers_are_refused():
    async def fetch():
        return 1

    with pytest.raises(TypeError, match="fetch"):
        handler(fetch)


def test_not_allowed_has_the_key_that_the_catalogue_translates():
    with called_by("x"), pytest.raises(gr.Error) as caught:
        handler(lambda: 1)()
    assert isinstance(caught.value.__cause__, NotAllowed)
    assert caught.value.__cause__.key == "ui.not_allowed"
