"""Drivers that give an answer while it comes, for what is too large to be held."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from embedsearch.client.answers import Binary
from embedsearch.client.sse import Lines
from embedsearch.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from os import PathLike

    from embedsearch.client.answers import Answer
    from embedsearch.client.awaiting import Awaiting
    from embedsearch.client.blocking import Blocking
    from embedsearch.client.calls import Call, Reply


class StreamedResponse:
    """An answer whose content comes as it is asked for."""

    def __init__(self, answer: Answer, reply: Reply[Any]) -> None:
        self.status_code = answer.status_code
        self.headers = answer.headers
        self._answer = answer
        self._reply = reply

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the content as it comes, or in pieces of a size, of which the last may be smaller.

        Raises ConnectionFailed where it breaks off, InvalidAnswer where it is no file.
        """
        chunks = self._answer.chunks.of(chunk_size)
        first = next(chunks, b"")
        _check(self._reply, self._answer, first)
        if first:
            yield first
        yield from chunks

    def iter_lines(self) -> Iterator[str]:
        """Yield the lines of what is text."""
        lines = Lines()
        for chunk in self.iter_bytes():
            yield from lines.feed(chunk)
        if lines.rest:
            yield lines.rest

    def stream_to_file(self, file: str | PathLike[str]) -> None:
        """Write the content to a path, which has all of it or is left as it was."""
        with replacing(file) as out:
            for chunk in self.iter_bytes():
                out.write(chunk)


class AsyncStreamedResponse:
    """The same, awaiting."""

    def __init__(self, answer: Answer, reply: Reply[Any]) -> None:
        self.status_code = answer.status_code
        self.headers = answer.headers
        self._answer = answer
        self._reply = reply

    async def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Yield the content, and raise as the blocking one does."""
        chunks = self._answer.chunks.of(chunk_size)
        first = await anext(chunks, b"")
        _check(self._reply, self._answer, first)
        if first:
            yield first
        async for chunk in chunks:
            yield chunk

    async def iter_lines(self) -> AsyncIterator[str]:
        """Yield the lines of what is text."""
        lines = Lines()
        async for chunk in self.iter_bytes():
            for line in lines.feed(chunk):
                yield line
        if lines.rest:
            yield lines.rest

    async def stream_to_file(self, file: str | PathLike[str]) -> None:
        """Write the content to a path, which has all of it or is left as it was."""
        import asyncio

        with replacing(file) as out:
            async for chunk in self.iter_bytes():
                await asyncio.to_thread(out.write, chunk)  # a slow disk must not hold up the loop


class StreamedBlocking:
    """Runs calls to the beginning of their answers."""

    def __init__(self, driver: Blocking) -> None:
        self._driver = driver

    @contextmanager
    def run(self, call: Call[Any]) -> Iterator[StreamedResponse]:
        """Give the answer to a call; leaving hangs up."""
        answer = self._driver.send(call, stream=True)
        try:
            yield StreamedResponse(answer, call.reply)
        finally:
            answer.chunks.close()

    pages = run

    def stream(self, call: Call[Any], kind: type[Any]) -> AbstractContextManager[StreamedResponse]:
        """Give the answer to a call; its events come as bytes."""
        del kind
        return self.run(call)


class StreamedAwaiting:
    """The same, awaiting."""

    def __init__(self, driver: Awaiting) -> None:
        self._driver = driver

    @asynccontextmanager
    async def run(self, call: Call[Any]) -> AsyncIterator[AsyncStreamedResponse]:
        """Give the answer to a call; leaving hangs up."""
        answer = await self._driver.send(call, stream=True)
        try:
            yield AsyncStreamedResponse(answer, call.reply)
        finally:
            await answer.chunks.close()

    pages = run

    def stream(
        self, call: Call[Any], kind: type[Any]
    ) -> AbstractAsyncContextManager[AsyncStreamedResponse]:
        """Give the answer to a call; its events come as bytes."""
        del kind
        return self.run(call)


def _check(reply: Reply[Any], answer: Answer, first: bytes) -> None:
    if isinstance(reply, type) and issubclass(reply, Binary):
        reply.check(answer, first)
