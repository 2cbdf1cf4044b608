"""What went wrong, in OpenAI's form and with the status that its clients act on.

Takes errors of the family and of the web framework, gives answers. Texts are English: a program reads them.
"""

from collections.abc import Mapping
from typing import NamedTuple

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ftkit.errors import BadInput, FtkitError, NotAllowed, NotFound, Refused
from ftkit.serving.keys.service import Limited

_RETRY_SECONDS = 5
_NO_STORE = {"cache-control": "no-store"}
CANCELLED = 499  # of nobody's business but the log's: the client went away

# Keys whose meaning OpenAI's clients know under another name.
_CODES: Mapping[str, str] = {
    "keys.unknown": "invalid_api_key",
    "keys.revoked": "invalid_api_key",
    "keys.expired": "invalid_api_key",
    "keys.missing": "invalid_api_key",
    "keys.not_in_scope": "insufficient_permissions",
    "keys.too_many_requests": "rate_limit_exceeded",
    "keys.too_many_tokens": "insufficient_quota",
    "gateway.no_model": "model_not_found",
}
_STATUS: Mapping[str, int] = {
    "keys.not_in_scope": 403,
    "gateway.too_large": 413,
    "gateway.too_slow": 504,
    "gateway.bad_method": 405,
}


class _Kind(NamedTuple):
    status: int
    type: str


_KINDS: Mapping[type[FtkitError], _Kind] = {
    Limited: _Kind(429, "rate_limit_error"),
    NotAllowed: _Kind(401, "authentication_error"),
    NotFound: _Kind(404, "invalid_request_error"),
    BadInput: _Kind(400, "invalid_request_error"),
    Refused: _Kind(503, "service_unavailable_error"),
    FtkitError: _Kind(500, "server_error"),
}


def status_of(error: FtkitError) -> int:
    """The HTTP status of an error."""
    return _STATUS.get(error.key, _kind(error).status)


def told(error: FtkitError) -> dict[str, dict[str, str | None]]:
    """An error as a body."""
    kind = "permission_error" if status_of(error) == 403 else _kind(error).type  # noqa: PLR2004 - a status
    return _body(str(error), kind, None, _CODES.get(error.key, error.key))


def answer_to(error: FtkitError) -> JSONResponse:
    """An error as an answer."""
    status = status_of(error)
    headers = dict(_NO_STORE)
    if isinstance(error, Limited):
        headers["retry-after"] = str(error.retry_after)
    elif isinstance(error, Refused) and status >= 500:  # noqa: PLR2004 - a status
        headers["retry-after"] = str(_RETRY_SECONDS)
    if status == 401:  # noqa: PLR2004 - a status
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(told(error), status, headers=headers)


def answer_to_bad_form(error: RequestValidationError) -> JSONResponse:
    """A request that is not as the OpenAPI description says; the first thing that is wrong with it."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"][1:]]
    param = ".".join(place)[:200] or None
    code = "unknown_parameter" if first["type"] == "extra_forbidden" else "invalid_value"
    if code == "unknown_parameter":
        message = f"{param} is no field that is taken here. Leave it out."
    else:
        message = f"{param or 'The body'}: {first['msg']}."
    return JSONResponse(_body(message, "invalid_request_error", param, code), 422, headers=_NO_STORE)


def answer_to_http(error: HTTPException) -> JSONResponse:
    """What the framework refuses by itself, such as a body that is no text."""
    body = _body(str(error.detail), "invalid_request_error", None, None)
    return JSONResponse(body, error.status_code, headers={**_NO_STORE, **(error.headers or {})})


def _kind(error: FtkitError) -> _Kind:
    return next(kind for cls, kind in _KINDS.items() if isinstance(error, cls))


def _body(message: str, kind: str, param: str | None, code: str | None) -> dict[str, dict[str, str | None]]:
    clean = message.encode("utf-8", "replace").decode()
    clean_param = param.encode("utf-8", "replace").decode() if param else None
    return {"error": {"message": clean, "type": kind, "param": clean_param, "code": code}}
