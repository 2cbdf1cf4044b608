"""Asking an endpoint for many verdicts: several at a time, patiently, and no more than was allowed.

Takes the calls that are to be made, writes each outcome on the desk. One that fails in a way that may pass is tried again after a
growing pause; when the other side asks for a pause, everybody keeps it.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

from ftkit.errors import Offline
from ftkit.evaluation.judge.counting import Call
from ftkit.evaluation.judge.options import JudgeOptions
from ftkit.workers.harness import Stopped
from ftkit.workers.judge.desk import Desk, Failed, Reply, tokens_about
from ftkit.workers.judge.endpoint import Endpoint

_FIRST_PAUSE = 0.5  # seconds, doubled each time
_LONGEST_PAUSE = 60.0  # an endpoint that asks for more has enough for today
_MOST_TOKENS_A_CALL = 32_000
_LOOK_SECONDS = 0.2
_UNREACHED = 5  # calls in a row, after which nobody seems to be there


class Asking:
    """The calls of one start.

    Args:
        options: how to ask.
        desk: knows what to ask and keeps what comes.
        stop_asked: looked at all the time; what is on the way is then given up.
    """

    def __init__(self, options: JudgeOptions, desk: Desk, stop_asked: Callable[[], bool]) -> None:
        self._options, self._desk, self._stop_asked = options, desk, stop_asked
        self._tokens_left = options.most_tokens
        self._not_before = 0.0
        self._unreached = 0

    async def run(self, calls: Sequence[Call], key: str) -> None:
        """Ask for all of them.

        Raises:
            Stopped: a stop was asked for.
            FtkitError: what would meet every call, such as a wrong key.
        """
        waiting = iter(calls)
        async with Endpoint(self._options, key) as endpoint:
            tasks = {asyncio.create_task(self._work(endpoint, waiting)) for _ in range(self._options.at_once)}
            try:
                await self._see_through(tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _see_through(self, tasks: set["asyncio.Task[None]"]) -> None:
        while tasks:
            done, tasks = await asyncio.wait(
                tasks, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
            if self._stop_asked():
                raise Stopped

    async def _work(self, endpoint: Endpoint, waiting: Iterator[Call]) -> None:
        for call in waiting:
            try:
                reply = await self._patiently(endpoint, call)
            except Failed as failed:
                self._desk.give_up(call, failed)
                self._notice(failed)
            else:
                self._unreached = 0
                self._desk.take(call, reply)

    async def _patiently(self, endpoint: Endpoint, call: Call) -> Reply:
        asked = self._desk.ask(call)
        size = tokens_about(asked)
        if size > _MOST_TOKENS_A_CALL:
            raise Failed(
                "too_long", f"about {size:,} tokens, of {_MOST_TOKENS_A_CALL:,} that are sent at most"
            )
        for attempt in range(1, self._options.attempts + 1):
            if size > self._tokens_left:
                raise Failed("over_cap", f"{self._options.most_tokens:,} tokens were to be sent at most")
            await asyncio.sleep(self._not_before - time.monotonic())
            self._tokens_left -= size
            try:
                return await endpoint.ask(asked)
            except Failed as failed:
                if (
                    not failed.again
                    or attempt == self._options.attempts
                    or (failed.wait or 0) > _LONGEST_PAUSE
                ):
                    raise
                await self._pause(failed, attempt)
        raise AssertionError("the last attempt returns or raises")

    async def _pause(self, failed: Failed, attempt: int) -> None:
        if failed.wait is not None:
            self._not_before = max(self._not_before, time.monotonic() + failed.wait)
            return
        await asyncio.sleep(_FIRST_PAUSE * 2 ** (attempt - 1))

    def _notice(self, failed: Failed) -> None:
        """Leave when nobody seems to be there.

        Raises:
            Offline: so many calls in a row could not even connect.
        """
        self._unreached = self._unreached + 1 if failed.kind == "unreachable" else 0
        if self._unreached >= _UNREACHED:
            raise Offline(
                "judge.unreachable",
                "{address} cannot be reached ({reason}). Check the address and whether it runs, then ask again.",
                address=self._options.endpoint,
                reason=failed.detail,
            )
