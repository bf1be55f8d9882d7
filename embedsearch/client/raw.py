"""Drivers that give an answer with its status and headers, to be read later."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from embedsearch.client.answers import read
from embedsearch.client.pages import AsyncPage, Page
from embedsearch.client.streams import AsyncStream, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from embedsearch.client.answers import Answer
    from embedsearch.client.awaiting import Awaiting
    from embedsearch.client.blocking import Blocking
    from embedsearch.client.calls import Call
    from embedsearch.client.types.record import Event

T = TypeVar("T")
E = TypeVar("E", bound="Event")


class Received:
    """What is known of an answer before its body; ``url`` is without a login."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status_code
        self.headers: Mapping[str, str] = answer.headers
        self.request_id = answer.request_id
        self.method = answer.method
        self.url = answer.url
        self.retries_taken = answer.retries
        self.answer = answer


class RawResponse(Received, Generic[T]):
    """An answer as HTTP has it; ``parse`` reads it as the endpoint does, once."""

    def __init__(self, answer: Answer, reader: Callable[[Answer], T]) -> None:
        super().__init__(answer)
        self._reader = reader

    @property
    def content(self) -> bytes:
        """The body."""
        return bytes(self.answer.content)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.answer.text

    def parse(self) -> T:
        """Read the answer."""
        return self._parsed

    @cached_property
    def _parsed(self) -> T:
        return self._reader(self.answer)


class RawBlocking:
    """Runs calls to their answers."""

    def __init__(self, runner: Blocking) -> None:
        self._runner = runner

    def run(self, call: Call[T]) -> RawResponse[T]:
        """Give the answer to a call."""
        return RawResponse(self._runner.send(call), lambda answer: read(call.reply, answer))

    def pages(self, call: Call[T]) -> RawResponse[Page[T]]:
        """Give the answer that holds a page."""
        send = self._runner.send
        return RawResponse(send(call), lambda answer: Page(self._runner, call, answer))

    def stream(self, call: Call[Any], kind: type[E]) -> RawResponse[Stream[E]]:
        """Give the answer that streams."""
        send = self._runner.send
        return RawResponse(send(call, stream=True), lambda answer: Stream(answer, kind))


class RawAwaiting:
    """The same, awaiting."""

    def __init__(self, runner: Awaiting) -> None:
        self._runner = runner

    async def run(self, call: Call[T]) -> RawResponse[T]:
        """Give the answer to a call."""
        return RawResponse(await self._runner.send(call), lambda answer: read(call.reply, answer))

    async def pages(self, call: Call[T]) -> RawResponse[AsyncPage[T]]:
        """Give the answer that holds a page."""
        send = self._runner.send
        return RawResponse(await send(call), lambda answer: AsyncPage(self._runner, call, answer))

    async def stream(self, call: Call[Any], kind: type[E]) -> RawResponse[AsyncStream[E]]:
        """Give the answer that streams."""
        send = self._runner.send
        return RawResponse(await send(call, stream=True), lambda answer: AsyncStream(answer, kind))
