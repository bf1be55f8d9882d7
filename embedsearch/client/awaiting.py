"""The driver that awaits: does what an exchange asks for, and lets others work meanwhile."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from embedsearch.client import transport
from embedsearch.client.answers import read
from embedsearch.client.exchange import Exchange, Sleep, exchange
from embedsearch.client.pages import AsyncPages
from embedsearch.client.requests import prepare
from embedsearch.client.streams import AsyncStream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from embedsearch.client.answers import Answer
    from embedsearch.client.calls import Call
    from embedsearch.client.limiter import Limiter
    from embedsearch.client.settings import Settings
    from embedsearch.client.types.record import Event

T = TypeVar("T")
E = TypeVar("E", bound="Event")


class Awaiting:
    """Runs calls to their end; cancelling the task cancels the call."""

    def __init__(
        self,
        settings: Settings,
        http: httpx.AsyncClient,
        limiter: Limiter,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self.settings = settings
        self.http = http
        self.limiter = limiter
        self._key = transport.Key(settings)
        self.sleep = sleep or _sleep

    async def run(self, call: Call[T]) -> T:
        """Give what a call answers."""
        return read(call.reply, await self.send(call))

    def sleeping(self, sleep: Callable[[float], Awaitable[None]]) -> Awaiting:
        """Give a driver that waits in another way; raising from it cancels a call that waits."""
        return Awaiting(self.settings, self.http, self.limiter, sleep)

    def pages(self, call: Call[T]) -> AsyncPages[T]:
        """Give the list that a call answers: to be awaited or iterated."""
        return AsyncPages(self, call)

    async def stream(self, call: Call[Any], kind: type[E]) -> AsyncStream[E]:
        """Give the events of a call as they come."""
        return AsyncStream(await self.send(call, stream=True), kind)

    async def send(self, call: Call[Any], *, stream: bool = False) -> Answer:
        """Give the answer to a call; raises APIError or ConnectionFailed without one."""
        request = prepare(call, self.settings, stream=stream)
        steps = exchange(request, self.limiter, max_retries=self.settings.max_retries)
        with closing(steps):
            return await self._drive(steps)

    async def _drive(self, steps: Exchange) -> Answer:
        step = next(steps)
        while True:
            outcome = None
            if isinstance(step, Sleep):
                await self.sleep(step.seconds)
            else:
                outcome = await transport.send_async(self.http, step.request, self._key)
            try:
                step = steps.send(outcome)
            except StopIteration as stop:
                answer: Answer = stop.value
                return answer


async def _sleep(seconds: float) -> None:
    import asyncio  # costs a blocking program 20 ms

    await asyncio.sleep(seconds)
