"""Answers that come event by event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import msgspec

from embedsearch.client.answers import Answer, garbled, is_error, record, refusal
from embedsearch.client.sse import Decoder
from embedsearch.client.types.record import Event
from embedsearch.errors import APIError, ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from embedsearch.client.sse import ServerSentEvent

E = TypeVar("E", bound=Event)

_DONE = "[DONE]"
_EVENTS = "text/event-stream"
_WHOLE = (
    "a server that can't stream may give it whole: --no-stream, or no --stream"
    "; in Python: stream=False"
)


class Events(Generic[E]):
    """Reads the chunks of a stream as records, until the server says that it is done."""

    def __init__(self, answer: Answer, kind: type[E]) -> None:
        self.done = False
        self._came = False
        self._ended = False
        self._answer = answer
        self._kind = kind
        self._decoder = Decoder()

    def feed(self, chunk: bytes) -> Iterator[E]:
        """Yield the records that a chunk completes; raises APIError for one that is an error."""
        for event in self._decoded(chunk):
            if event.data.startswith(_DONE):
                self.done = True
                return
            self._came = True
            read = self._read(event)
            self._ended = self._ended or read.ends
            yield read

    def _decoded(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        try:
            yield from self._decoder.feed(chunk)
        except ValueError as error:
            shown = chunk.decode("utf-8", errors="replace")
            raise garbled(self._answer, str(error), shown) from error

    def end(self) -> None:
        """Take the end of the stream.

        Raises ConnectionFailed where an event or the answer was cut, and APIError for what is no
        stream: an error, a page of HTML, or the whole answer, which is then its ``body``.
        """
        if self._decoder.rest == _DONE:  # Some servers end without an empty line.
            self.done = True
        elif not (self._came or _EVENTS in self._type):
            raise self._foreign(self._decoder.rest)
        elif self._decoder.rest:
            raise ConnectionFailed("the stream broke off in the middle of an event")
        elif not self._ended:
            raise ConnectionFailed("the answer broke off: the server did not say that it ended")

    @property
    def _type(self) -> str:
        return self._answer.headers.get("content-type", "")

    def _foreign(self, came: str) -> APIError:
        """Make the error of an answer that is no stream: its own, or one that holds what came."""
        if is_error(came.encode()):
            return refusal(self._answer, came)
        why = f"no events, but {self._type or 'nothing that says what it is'}"
        error = garbled(self._answer, why, came)
        error.body = self._answer.shown(came)
        if "json" in self._type:
            error.hint = _WHOLE
        return error

    def _read(self, event: ServerSentEvent) -> E:
        try:
            came = msgspec.json.decode(event.data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise garbled(self._answer, f"{error} in an event", event.data) from error
        if isinstance(came, dict) and _is_failure(event.event, came):
            raise refusal(self._answer, event.data)
        return record(self._kind, came, self._answer)


def _is_failure(name: str, came: dict[str, Any]) -> bool:
    """Tell whether an event ends all; that of a response says so by its type, and is read."""
    return bool(came.get("error")) or (name == "error" and came.get("type") != name)


class Stream(Generic[E]):
    """Events as they come; a context manager, so that leaving early hangs up."""

    def __init__(self, answer: Answer, kind: type[E]) -> None:
        self.answer = answer
        self._reader = Events(answer, kind)
        self._events = self._iterate(self._reader)

    @property
    def done(self) -> bool:
        """Whether the server said ``[DONE]``."""
        return self._reader.done

    def __iter__(self) -> Iterator[E]:
        return self._events

    def __next__(self) -> E:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.answer.chunks.close()

    def _iterate(self, events: Events[E]) -> Iterator[E]:
        try:
            for chunk in self.answer.chunks:
                yield from events.feed(chunk)
                if events.done:
                    self.answer.chunks.finish()
                    return
            events.end()
        finally:
            self.close()


class AsyncStream(Generic[E]):
    """The same, awaiting."""

    def __init__(self, answer: Answer, kind: type[E]) -> None:
        self.answer = answer
        self._reader = Events(answer, kind)
        self._events = self._iterate(self._reader)

    @property
    def done(self) -> bool:
        """Whether the server said ``[DONE]``."""
        return self._reader.done

    def __aiter__(self) -> AsyncIterator[E]:
        return self._events

    async def __anext__(self) -> E:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up."""
        await self.answer.chunks.close()

    async def _iterate(self, events: Events[E]) -> AsyncIterator[E]:
        try:
            async for chunk in self.answer.chunks:
                for event in events.feed(chunk):
                    yield event
                if events.done:
                    await self.answer.chunks.finish()
                    return
            events.end()
        finally:
            await self.close()
