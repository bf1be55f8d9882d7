"""The driver that waits: does what an exchange asks for, on this thread."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from embedsearch.client import transport
from embedsearch.client.answers import read
from embedsearch.client.exchange import Exchange, Sleep, exchange
from embedsearch.client.pages import Page
from embedsearch.client.requests import prepare
from embedsearch.client.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from embedsearch.client.answers import Answer
    from embedsearch.client.calls import Call
    from embedsearch.client.limiter import Limiter
    from embedsearch.client.settings import Settings
    from embedsearch.client.types.record import Event

T = TypeVar("T")
E = TypeVar("E", bound="Event")


class Blocking:
    """Runs calls to their end."""

    def __init__(
        self,
        settings: Settings,
        http: httpx.Client,
        limiter: Limiter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.http = http
        self.limiter = limiter
        self._key = transport.Key(settings)
        self.sleep = sleep

    def run(self, call: Call[T]) -> T:
        """Give what a call answers."""
        return read(call.reply, self.send(call))

    def sleeping(self, sleep: Callable[[float], None]) -> Blocking:
        """Give a driver that waits in another way; raising from it cancels a call that waits."""
        return Blocking(self.settings, self.http, self.limiter, sleep)

    def pages(self, call: Call[T]) -> Page[T]:
        """Give the page that a call answers."""
        return Page(self, call, self.send(call))

    def stream(self, call: Call[Any], kind: type[E]) -> Stream[E]:
        """Give the events of a call as they come."""
        return Stream(self.send(call, stream=True), kind)

    def send(self, call: Call[Any], *, stream: bool = False) -> Answer:
        """Give the answer to a call; raises APIError or ConnectionFailed without one."""
        request = prepare(call, self.settings, stream=stream)
        steps = exchange(request, self.limiter, max_retries=self.settings.max_retries)
        with closing(steps):
            return self._drive(steps)

    def _drive(self, steps: Exchange) -> Answer:
        step = next(steps)
        while True:
            outcome = None
            if isinstance(step, Sleep):
                self.sleep(step.seconds)
            else:
                outcome = transport.send(self.http, step.request, self._key)
            try:
                step = steps.send(outcome)
            except StopIteration as stop:
                answer: Answer = stop.value
                return answer
