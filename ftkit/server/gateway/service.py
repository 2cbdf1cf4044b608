"""The gateway's own work between the routes and the services: who asks, which version answers, what is kept of it.

Takes a caller's key with a request, gives turns: one request with its version, engine and numbers. It knows neither HTTP nor OpenAI's
forms.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from starlette.concurrency import run_in_threadpool

from ftkit.errors import Fault, FtkitError, NotFound, Refused
from ftkit.monitoring.traffic.exchange import Exchange, Feedback
from ftkit.records import Record
from ftkit.server.gateway.asking import Asking, ClientGone
from ftkit.server.gateway.metrics import Metrics
from ftkit.server.gateway.problems import CANCELLED, status_of
from ftkit.server.gateway.schema import MODEL
from ftkit.serving.engines.asking import Answer, Asked, Engine, EngineName, Source
from ftkit.serving.keys.service import KeyService, KeyView
from ftkit.serving.versions.service import ServingService
from ftkit.serving.versions.standing import Version

if TYPE_CHECKING:
    from ftkit.workspace import Workspace

Kind = Literal["chat", "completion"]
Gone = Callable[[], Awaitable[bool]]
_MOST_SEED = 2**31 - 1


class Limits(Record):
    """What one gateway bears."""

    seconds: float = 120.0
    running: int = 64


@dataclass(frozen=True)
class Services:
    """What a gateway works with."""

    keys: KeyService
    serving: ServingService
    engines: Callable[[], Mapping[EngineName, Engine]]
    record: Callable[[Exchange], None]
    feedback: Callable[[str, str, Feedback], bool]
    clock: Callable[[], datetime]


class Wish(Record):
    """A request to a model.

    Args:
        kind: chat or completion.
        model: the name that was asked for.
        asked: what the engine is asked, but for the seed.
        seed: None for another one each time.
        user: who asks, where the client says so.
        streamed: whether pieces are sent.
    """

    kind: Kind
    model: str
    asked: Asked
    seed: int | None
    user: str | None
    streamed: bool


@dataclass
class Turn:
    """One request with its version, from its begin to its record."""

    id: str
    key: KeyView
    wish: Wish
    at: datetime
    begun: float
    taken: int = 0
    version: Version | None = None
    last: Answer = field(default_factory=Answer)
    first_token_seconds: float | None = None
    asking: Asking | None = None
    ended: bool = False


class Gateway:
    """One gateway over the services of a workspace."""

    def __init__(self, services: Services, limits: Limits | None = None) -> None:
        self.services = services
        self.limits = limits or Limits()
        self.metrics = Metrics()
        self._running = 0

    @classmethod
    def of(cls, workspace: "Workspace") -> "Gateway":
        """The gateway of a workspace."""
        return cls(
            Services(
                keys=workspace.keys,
                serving=workspace.serving,
                engines=lambda: workspace.engines,
                record=workspace.traffic.record,
                feedback=workspace.traffic.feedback,
                clock=workspace.clock,
            )
        )

    async def begin(self, id_: str, key: KeyView, wish: Wish) -> Turn:
        """Count the request, choose its version and let the engine begin.

        Raises:
            Limited: the key has used up what it may.
            NotFound: there is no such model.
            Refused: nothing is live, or too many are answered at this moment.
        """
        turn = Turn(id=id_, key=key, wish=wish, at=self.services.clock(), begun=time.monotonic())
        try:
            if self._running >= self.limits.running:
                raise Refused(
                    "gateway.busy",
                    "{n} answers are under way, which is all at once. Try again in a moment.",
                    n=self._running,
                )
            self._running += 1
            self.metrics.running.set(self._running)
            engine, source = await run_in_threadpool(self._prepare, turn)
        except FtkitError as error:
            self.end(turn, error)
            raise
        except asyncio.CancelledError:
            self.end(turn)
            raise
        seed = secrets.randbelow(_MOST_SEED) if wish.seed is None else wish.seed
        asked = wish.asked.model_copy(update={"seed": seed})
        turn.asking = Asking(engine, source, asked, self.limits.seconds)
        return turn

    async def newest(self, turn: Turn, gone: Gone) -> Answer | None:
        """The newest answer of a turn; None after the last. Whatever ends it before, the turn is ended.

        Raises:
            FtkitError: the engine's, or that it took too long.
            ClientGone: the client went away.
        """
        if turn.asking is None:
            raise AssertionError(f"{turn.id} was not begun")
        try:
            answer = await turn.asking.newest(gone)
            if answer is None and not turn.last.finish:
                raise Fault("gateway.broke_off", "The answer broke off before its end. Ask again.")
        except FtkitError as error:
            self.end(turn, error)
            raise
        except (ClientGone, asyncio.CancelledError):
            self.end(turn)
            raise
        if answer is None:
            self.end(turn)
            return None
        if turn.first_token_seconds is None and (answer.tokens or answer.finish):
            turn.first_token_seconds = time.monotonic() - turn.begun
        turn.last = answer
        return answer

    async def first(self, turn: Turn, gone: Gone) -> Answer:
        """The first answer of a turn that says something, or the whole one.

        Raises:
            FtkitError: the engine's, or that it took too long.
            ClientGone: the client went away.
        """
        while turn.first_token_seconds is None and await self.newest(turn, gone) is not None:
            pass
        return turn.last

    async def whole(self, turn: Turn, gone: Gone) -> Answer:
        """The whole answer of a turn.

        Raises:
            FtkitError: the engine's, or that it took too long.
            ClientGone: the client went away.
        """
        while await self.newest(turn, gone) is not None:
            pass
        return turn.last

    def end(self, turn: Turn, error: FtkitError | None = None) -> None:
        """Let the engine go and keep what became of the turn; only the first call does."""
        if turn.ended:
            return
        turn.ended = True
        if turn.asking is not None:
            turn.asking.leave()
        if error is None or error.key != "gateway.busy":
            self._running -= 1
            self.metrics.running.set(self._running)
        last = turn.last
        used = last.prompt_tokens + last.tokens
        self.services.keys.settle(turn.key, turn.taken, used)
        finish = last.finish or ("" if error else "cancelled")
        exchange = Exchange(
            id=turn.id,
            at=turn.at,
            version=turn.version.id if turn.version else "",
            key=turn.key.id,
            kind=turn.wish.kind,
            status=status_of(error) if error else CANCELLED if finish == "cancelled" else 200,
            error=error.key if error else "",
            streamed=turn.wish.streamed,
            prompt_tokens=last.prompt_tokens or None,
            answer_tokens=last.tokens if turn.first_token_seconds is not None else None,
            first_token_seconds=turn.first_token_seconds,
            seconds=time.monotonic() - turn.begun,
            finish=finish,
            confidence=last.confidence,
            messages=_messages(turn.wish.asked),
            answer=last.text,
        )
        self.metrics.note(exchange)
        self.services.record(exchange)

    def named(self) -> list[Version]:
        """Versions that can be asked by their id: live, canary, and those that stand by."""
        state = self.services.serving.state()
        return [version for version in (state.live, state.canary, *state.standby) if version is not None]

    def _prepare(self, turn: Turn) -> tuple[Engine, Source]:
        """In a thread: the services ask the database."""
        services, wish = self.services, turn.wish
        services.keys.count_request(turn.key)
        turn.version = self._version(wish.model, wish.user or turn.id)
        services.keys.take(turn.key, wish.asked.max_tokens)
        turn.taken = wish.asked.max_tokens
        engine = services.engines().get(turn.version.engine)
        if engine is None:
            raise Refused(
                "gateway.no_engine",
                "The engine {engine} is not here. Serve the model with another one.",
                engine=turn.version.engine,
            )
        return engine, services.serving.source(turn.version)

    def _version(self, model: str, stickiness: str) -> Version:
        if model == MODEL:
            return self.services.serving.pick(stickiness)
        named = self.named()
        found = next((version for version in named if version.id == model), None)
        if found is None:
            raise NotFound(
                "gateway.no_model",
                "There is no model {model} here. Ask for {known}.",
                model=repr(model),
                known=", ".join([MODEL, *(version.id for version in named)]),
            )
        return found


def _messages(asked: Asked) -> tuple[dict[str, str], ...]:
    return asked.messages or ({"role": "user", "content": asked.prompt},)
