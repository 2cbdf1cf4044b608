"""The gateway's routes: chat, completions, models, feedback, metrics and their description.

Takes a gateway, adds its routes to an application: the dashboard's, or one of their own. They are open to whoever brings an API key.
"""

from collections.abc import Callable
from typing import Any, Literal, cast

from fastapi import APIRouter, FastAPI, Security
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ftkit import __version__
from ftkit.errors import BadInput, NotFound
from ftkit.monitoring.traffic.exchange import Feedback
from ftkit.server.gate import METRICS_PATH
from ftkit.server.gateway import schema
from ftkit.server.gateway.door import id_of, key_of, route_class
from ftkit.server.gateway.problems import answer_to
from ftkit.server.gateway.schema import MODEL, Described
from ftkit.server.gateway.service import Gateway, Turn, Wish
from ftkit.server.gateway.streams import stream, usage_of
from ftkit.serving.engines.asking import Answer, Asked
from ftkit.serving.versions.standing import Version

_VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
_PROBLEMS: dict[int, str] = {
    400: "The model cannot take it, or the body is no text.",
    401: "No API key, or not a right one.",
    403: "The key does not allow this.",
    404: "There is no such model or request.",
    413: "The body is too large.",
    422: "The body is not as described.",
    429: "The key has used up what it may; Retry-After says when it may again.",
    500: "The engine failed.",
    503: "Nothing can answer now; Retry-After says when to try again.",
    504: "The answer took too long.",
}
_READING = (401, 403, 404, 500)
_EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "string", "description": "A piece of the answer as JSON, or [DONE]."}},
}
_EVENTS: Described = {
    200: {"content": {"text/event-stream": {"schema": _EVENT}}, "description": "The answer, or its events."}
}


def add_gateway(app: FastAPI, gateway: Gateway) -> None:
    """Add the routes, and an answer to everything else under them."""
    router = APIRouter(
        route_class=route_class(gateway),
        dependencies=[Security(HTTPBearer(auto_error=False, description="An API key: ftk_…"))],
    )
    _add_answers(router, gateway)
    _add_models(router, gateway)
    _add_feedback(router, gateway)
    _add_metrics(router, gateway)
    app.include_router(router)
    described = get_openapi(title="ftkit gateway", version=__version__, routes=router.routes)
    described["paths"].pop(METRICS_PATH)

    @app.get("/v1/openapi.json", include_in_schema=False)
    def description() -> JSONResponse:
        return JSONResponse(described)

    allowed = _allowed(described)

    @app.api_route("/v1/{rest:path}", methods=_VERBS, include_in_schema=False)
    def nothing(request: Request) -> Response:
        return _nothing(request, allowed)


def _add_answers(router: APIRouter, gateway: Gateway) -> None:
    responses = _EVENTS | _problems(*_PROBLEMS)

    @router.post("/v1/chat/completions", response_model=schema.ChatAnswer, responses=responses)
    async def chat(request: Request, body: schema.ChatRequest) -> Response:
        asked = Asked(messages=tuple(said.plain() for said in body.messages), **_options(body))
        return await _answer(gateway, request, _wish("chat", body, asked), body.stream_options)

    @router.post("/v1/completions", response_model=schema.CompletionAnswer, responses=responses)
    async def complete(request: Request, body: schema.CompletionRequest) -> Response:
        asked = Asked(prompt=body.prompt, **_options(body))
        return await _answer(gateway, request, _wish("completion", body, asked), body.stream_options)


def _add_models(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/v1/models", response_model=schema.Models, responses=_problems(*_READING))
    def models() -> Response:
        return _json(schema.Models(data=_shown(gateway.named())))

    @router.get("/v1/models/{model}", response_model=schema.ModelShown, responses=_problems(*_READING))
    def one(model: str) -> Response:
        shown = _shown(gateway.named())
        found = next((one for one in shown if one.id == model), None)
        if found is None:
            raise NotFound(
                "gateway.no_model",
                "There is no model {model} here. Ask for {known}.",
                model=repr(model),
                known=", ".join(one.id for one in shown) or MODEL,
            )
        return _json(found)


def _add_feedback(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/v1/feedback", response_model=schema.Stored, responses=_problems(400, 401, 403, 404, 413, 422, 500)
    )
    async def feedback(request: Request, body: schema.FeedbackRequest) -> Response:
        said = Feedback(**body.model_dump(exclude={"request_id"}))
        key = key_of(request)
        await run_in_threadpool(gateway.services.keys.count_request, key)
        kept = await run_in_threadpool(gateway.services.feedback, body.request_id, key.id, said)
        return _json(schema.Stored(request_id=body.request_id, texts_kept=kept))


def _add_metrics(router: APIRouter, gateway: Gateway) -> None:
    @router.get(METRICS_PATH)
    def metrics() -> Response:
        text = gateway.metrics.text(gateway.services.serving.answering())
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _answer(
    gateway: Gateway, request: Request, wish: Wish, options: schema.StreamOptions | None
) -> Response:
    turn = await gateway.begin(id_of(request), key_of(request), wish)
    if not wish.streamed:
        answer = await gateway.whole(turn, request.is_disconnected)
        return JSONResponse(_whole(turn, answer))
    # Before the first token the status can still be that of an error.
    first = await gateway.first(turn, request.is_disconnected)
    include_usage = options is not None and options.include_usage
    events = stream(gateway, turn, first, _never, include_usage)
    return StreamingResponse(events, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


def _whole(turn: Turn, answer: Answer) -> dict[str, Any]:
    version = turn.version.id if turn.version else ""
    common: dict[str, Any] = {
        "id": turn.id,
        "created": int(turn.at.timestamp()),
        "model": version,
        "usage": usage_of(answer),
    }
    finish = cast("Literal['stop', 'length']", answer.finish)
    if turn.wish.kind == "chat":
        message = schema.ChatMessage(content=answer.text)
        choice = schema.ChatChoice(message=message, finish_reason=finish)
        return schema.ChatAnswer(choices=[choice], **common).model_dump()
    text = schema.CompletionChoice(text=answer.text, finish_reason=finish)
    return schema.CompletionAnswer(choices=[text], **common).model_dump()


def _wish(
    kind: Literal["chat", "completion"], body: schema.ChatRequest | schema.CompletionRequest, asked: Asked
) -> Wish:
    return Wish(
        kind=kind,
        model=body.model,
        asked=asked,
        seed=body.seed,
        user=body.user or None,
        streamed=bool(body.stream),
    )


def _options(body: schema.ChatRequest | schema.CompletionRequest) -> dict[str, Any]:
    return {
        "max_tokens": body.tokens,
        "temperature": 1.0 if body.temperature is None else body.temperature,
        "top_p": 1.0 if body.top_p is None else body.top_p,
        "stop": body.stops,
    }


def _shown(versions: list[Version]) -> list[schema.ModelShown]:
    """The name for whatever is live, then each version under its id."""
    live = next((version for version in versions if version.state == "live"), None)
    common = [] if live is None else [(MODEL, live)]
    return [
        schema.ModelShown(
            id=name, created=int(version.created_at.timestamp()), label=version.label, state=version.state
        )
        for name, version in [*common, *((version.id, version) for version in versions)]
    ]


async def _never() -> bool:
    """Of a stream, the server itself notices that its client has gone."""
    return False


def _json(value: BaseModel) -> JSONResponse:
    return JSONResponse(value.model_dump())


def _problems(*statuses: int) -> Described:
    return {status: {"model": schema.Problem, "description": _PROBLEMS[status]} for status in statuses}


def _allowed(described: dict[str, Any]) -> Callable[[str], list[str]]:
    verbs = {path: sorted(verb.upper() for verb in verbs) for path, verbs in described["paths"].items()}

    def allowed(path: str) -> list[str]:
        known = verbs.get(path)
        if known is None and path.startswith("/v1/models/") and path.count("/") == 3:  # noqa: PLR2004 - one name
            known = verbs["/v1/models/{model}"]
        return known or (["GET"] if path == "/v1/openapi.json" else [])

    return allowed


def _nothing(request: Request, allowed: Callable[[str], list[str]]) -> Response:
    path, verbs = request.url.path, allowed(request.url.path)
    if not verbs:
        return answer_to(
            NotFound(
                "gateway.no_path",
                "There is nothing at {path}. /v1/openapi.json describes what there is.",
                path=repr(path[:100]),
            )
        )
    error = BadInput(
        "gateway.bad_method",
        "{path} does not take {method}. It takes: {known}.",
        path=path,
        method=request.method,
        known=", ".join(verbs),
    )
    response = answer_to(error)
    response.headers["allow"] = ", ".join(verbs)
    return response
