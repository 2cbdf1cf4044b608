"""What happens to every request of the gateway before its route and after it: key, size, id, errors in OpenAI's form.

Takes a gateway, gives the class of its routes. It stands in the route, not in a layer around the application, because the dashboard has other
routes beside these.
"""

import logging
import re
import uuid
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ftkit.errors import BadInput, Fault, FtkitError, NotAllowed
from ftkit.server.bodies import read_within
from ftkit.server.gateway.asking import ClientGone
from ftkit.server.gateway.problems import CANCELLED, answer_to, answer_to_bad_form, answer_to_http
from ftkit.server.gateway.schema import BODY_LIMIT
from ftkit.server.gateway.service import Gateway
from ftkit.serving.keys.service import KeyView, Scope

SCOPE_OF: Mapping[str, Scope] = {
    "/v1/models": "models",
    "/v1/models/{model}": "models",
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/feedback": "feedback",
    "/metrics": "metrics",
}
# Whom the session of the dashboard lets in without a key.
_OWNERS = frozenset({"/metrics"})
# As OpenAI's own ids begin.
_PREFIX = {"/v1/chat/completions": "chatcmpl", "/v1/completions": "cmpl"}
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)

_log = logging.getLogger(__name__)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def key_of(request: Request) -> KeyView:
    """The key that a request was let in with."""
    key: KeyView = request.state.key
    return key


def id_of(request: Request) -> str:
    """The id of a request, which its client is told and its feedback names."""
    id_: str = request.state.request_id
    return id_


def route_class(gateway: Gateway) -> type[APIRoute]:
    """Routes that only let in whoever brings a key for them."""

    class Door(APIRoute):
        def get_route_handler(self) -> Handler:
            handle, path = super().get_route_handler(), self.path

            async def handled(request: Request) -> Response:
                request.state.request_id = f"{_PREFIX.get(path, 'req')}-{uuid.uuid4().hex}"
                try:
                    await _let_in(gateway, path, request)
                    response = await handle(await _within(request))
                except FtkitError as error:
                    response = answer_to(error)
                except RequestValidationError as error:
                    response = answer_to_bad_form(error)
                except HTTPException as error:
                    response = answer_to_http(error)
                except ClientGone:
                    response = Response(status_code=CANCELLED)
                except Exception as error:  # noqa: BLE001 - the border: a client reads no traceback
                    _log.exception("%s failed", path)
                    response = answer_to(
                        Fault(
                            "gateway.broke",
                            "The gateway failed ({kind}). The server's log says more.",
                            kind=type(error).__name__,
                        )
                    )
                response.headers["x-request-id"] = id_of(request)
                response.headers.setdefault("cache-control", "no-store")
                gateway.metrics.note_http(path, response.status_code)
                return response

            return handled

    return Door


async def _let_in(gateway: Gateway, path: str, request: Request) -> None:
    if path in _OWNERS and getattr(request.state, "user", None) is not None:
        return
    found = _BEARER.fullmatch(request.headers.get("authorization", "").strip())
    if found is None:
        raise NotAllowed(
            "keys.missing",
            "There is no API key. Send one as “Authorization: Bearer ftk_…”; ftkit keys create makes one.",
        )
    request.state.key = await run_in_threadpool(gateway.services.keys.authenticate, found[1], SCOPE_OF[path])


async def _within(request: Request) -> Request:
    """The request with its whole body, which is not longer than it may be."""
    declared = request.headers.get("content-length", "0")
    limited = None
    if declared.isdigit() and int(declared) <= BODY_LIMIT:
        limited = await read_within(request.receive, BODY_LIMIT)
    if limited is None:
        raise BadInput(
            "gateway.too_large", "The request is larger than {limit} bytes. Send less text.", limit=BODY_LIMIT
        )
    return Request(request.scope, limited)
