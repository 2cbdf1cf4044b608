"""The raters' routes: ``/invite/<token>``, ``/rate`` and ``/rate/api/…``, open without the owner's session.

A rater is known by the cookie that their invitation was exchanged for, and reaches nothing but their own tasks. Everything else under
these paths is answered here too, so that no request of a rater falls through to Gradio. What a rater may know is decided by
``ftkit.ratings.raters``.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from ftkit.errors import BadInput, FtkitError, NotAllowed, NotFound, Refused
from ftkit.ratings.raters.service import RaterService
from ftkit.server.gate import RATER_PAGE
from ftkit.server.rating.cookies import RaterCookies
from ftkit.server.rating.refusal import refusal_page
from ftkit.server.sessions import Tries
from ftkit.ui.i18n import language, say_error
from ftkit.ui.ratings.rater_page import page

_VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_NO_STORE = {"cache-control": "private, no-store"}
_STATUS: dict[type[FtkitError], int] = {NotAllowed: 403, NotFound: 404, Refused: 409, BadInput: 422}
_TOO_MANY = "server.too_many"
_MOST_NUMBER = 2**31 - 1
_LONGEST_TOKEN = 200

Body = TypeVar("Body", bound=BaseModel)


class _Draft(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    values: dict[str, Any]
    number: int = Field(ge=0, le=_MOST_NUMBER)


class _Rating(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    submission: str = Field(max_length=64)
    values: dict[str, Any]
    seconds: float = Field(allow_inf_nan=False)


def add_rating(app: FastAPI, raters: RaterService, cookies: RaterCookies) -> None:
    """Add the routes."""
    _add_entrance(app, raters, cookies)
    answer = _answering(cookies)
    _add_reading(app, raters, answer)
    _add_writing(app, raters, answer)

    @app.api_route("/rate/api/{rest:path}", methods=_VERBS, include_in_schema=False)
    @app.api_route("/invite/{rest:path}", methods=_VERBS, include_in_schema=False)
    @app.api_route("/rate", methods=_VERBS, include_in_schema=False)
    def nothing(request: Request) -> Response:
        return _refused(request, NotFound("raters.no_page", "There is nothing here. Open /rate."))


def _add_entrance(app: FastAPI, raters: RaterService, cookies: RaterCookies) -> None:
    tries = Tries()

    @app.get("/invite/{token}")
    async def come_in(request: Request, token: str) -> Response:
        visitor = request.client.host if request.client else ""
        try:
            tries.check(visitor)
            await run_in_threadpool(raters.come_in, token[:_LONGEST_TOKEN])
        except NotAllowed as error:
            if error.key == "raters.bad_invite":
                tries.note_wrong(visitor)
            return refusal_page(request, error, _status(error))
        response = RedirectResponse(RATER_PAGE, 303, headers=_NO_STORE)
        cookies.put(request, response, token)
        return response

    @app.get(RATER_PAGE)
    async def show(request: Request) -> Response:
        try:
            await run_in_threadpool(raters.come_in, _known(cookies, request))
        except NotAllowed as error:
            return refusal_page(request, error, _status(error))
        return HTMLResponse(str(page(language(request))), headers=_NO_STORE)


Answer = Callable[[Request, Callable[[str], Any]], Awaitable[Response]]


def _answering(cookies: RaterCookies) -> Answer:
    async def answer(request: Request, act: Callable[[str], Any]) -> Response:
        """What the service says to the rater of this request, away from the event loop."""
        try:
            token = _known(cookies, request)
            return JSONResponse(await run_in_threadpool(act, token), headers=_NO_STORE)
        except FtkitError as error:
            return _refused(request, error)

    return answer


def _add_reading(app: FastAPI, raters: RaterService, answer: Answer) -> None:
    @app.get("/rate/api/task")
    async def task(request: Request) -> Response:
        return await answer(request, raters.task)

    @app.get("/rate/api/tasks")
    async def tasks(request: Request) -> Response:
        return await answer(request, lambda token: {"rated": raters.mine(token)})

    @app.get("/rate/api/task/{id_}")
    async def shown(request: Request, id_: str) -> Response:
        return await answer(request, lambda token: raters.shown(token, id_))


def _add_writing(app: FastAPI, raters: RaterService, answer: Answer) -> None:
    @app.put("/rate/api/task/{id_}/draft")
    async def draft(request: Request, id_: str) -> Response:
        body = await request.body()

        def act(token: str) -> Any:
            sent = _read(_Draft, body)
            return raters.save_draft(token, id_, sent.values, sent.number)

        return await answer(request, act)

    @app.post("/rate/api/task/{id_}/rating")
    async def rate(request: Request, id_: str) -> Response:
        body = await request.body()

        def act(token: str) -> Any:
            sent = _read(_Rating, body)
            return raters.submit(token, id_, sent.submission, sent.values, sent.seconds)

        return await answer(request, act)

    @app.post("/rate/api/task/{id_}/skip")
    async def skip(request: Request, id_: str) -> Response:
        return await answer(request, lambda token: raters.skip(token, id_))


def _known(cookies: RaterCookies, request: Request) -> str:
    """The token that a request brings.

    Raises:
        NotAllowed: it brings none, or none of ours.
    """
    token = cookies.token(request)
    if not token:
        raise NotAllowed(
            "raters.no_invite",
            "This page is for people who were invited to rate. Open the link that you were sent, or ask for one.",
        )
    return token


def _read(kind: type[Body], body: bytes) -> Body:
    """What a request says.

    Raises:
        BadInput: it is no JSON, or not of this kind.
    """
    try:
        return kind.model_validate(json.loads(body))
    except (ValueError, RecursionError) as error:  # a ValidationError is a ValueError
        said = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": "no JSON"}
        place = ".".join(map(str, said["loc"])) or "body"
        raise BadInput(
            "raters.bad_request",
            "The page sent something that cannot be used ({place}: {problem}). Reload it and try again.",
            place=place[:100],
            problem=said["msg"],
        ) from error


def _refused(request: Request, error: FtkitError) -> Response:
    told = {"key": error.key, "text": say_error(error, language(request))}
    return JSONResponse({"error": told}, _status(error), headers=_NO_STORE)


def _status(error: FtkitError) -> int:
    if error.key == _TOO_MANY:
        return 429
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 503)
