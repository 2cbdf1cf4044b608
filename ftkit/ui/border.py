"""The border between Gradio and ftkit: every handler passes it.

Takes a handler, gives one that first asks who calls and turns errors into toasts in the caller's language. An unexpected
error is logged under an id that the toast names; its text never reaches the browser. It calls no service.
"""

import functools
import html
import inspect
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, TypeVar, cast

import gradio as gr
from gradio.context import LocalContext

from ftkit.errors import FtkitError, NotAllowed
from ftkit.ui.i18n import Caller, language, say, say_error

Role = Literal["owner"]
ROLES: Mapping[str, frozenset[Role]] = {"owner": frozenset({"owner"})}

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger(__name__)


def handler(fn: F, role: Role = "owner") -> F:
    """Wrap a Gradio handler (a function or a generator): authorise its caller, translate its errors.

    Args:
        fn: reads its inputs, calls one service, gives a view.
        role: what the caller must be.

    Raises:
        TypeError: ``fn`` is asynchronous; services block, so handlers run in threads.
    """
    if inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn):
        raise TypeError(f"{fn.__name__} is asynchronous")
    guarded: Callable[..., Any]
    if inspect.isgeneratorfunction(fn):

        @functools.wraps(fn)
        def guarded(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with _border(role):
                yield from fn(*args, **kwargs)
    else:

        @functools.wraps(fn)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with _border(role):
                return fn(*args, **kwargs)

    guarded.__ftkit_role__ = role  # type: ignore[attr-defined]  # read by the test that looks at every handler
    return cast("F", guarded)


@contextmanager
def _border(role: Role) -> Iterator[None]:
    request = LocalContext.request.get(None)
    lang = language(cast("Caller | None", request))
    try:
        if role not in ROLES.get(getattr(request, "username", None) or "", frozenset()):
            raise NotAllowed("ui.not_allowed", "You may not do this. Sign in again.")
        yield
    except gr.Error:
        raise
    except FtkitError as error:
        raise _toast(say_error(error, lang), say("border.error", lang)) from error
    except Exception as error:
        number = secrets.token_hex(4)
        _log.exception("Unexpected error %s in a handler", number)
        raise _toast(say("border.unexpected", lang, id=number), say("border.fault", lang)) from error


def _toast(message: str, title: str) -> gr.Error:
    # Toasts render HTML; the message may hold text of a file or of a model.
    return gr.Error(html.escape(message), title=title, print_exception=False)
