"""Drivers that give an answer while it comes, for what is too large to be held."""

from __future__ import annotations

from codecs import IncrementalDecoder, getincrementaldecoder
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from embedsearch.client.answers import Binary, decode, excessive, most_of, read
from embedsearch.client.pages import AsyncPage, Page
from embedsearch.client.raw import Received
from embedsearch.client.sse import Lines
from embedsearch.client.streams import AsyncStream, Stream
from embedsearch.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from os import PathLike

    from embedsearch.client.answers import Answer
    from embedsearch.client.awaiting import Awaiting
    from embedsearch.client.blocking import Blocking
    from embedsearch.client.calls import Call, Reply


class Coming(Received):
    """An answer whose content comes as it is asked for; ``reader`` reads it as its endpoint does.

    What reads all of it may be asked again, and holds as much as an answer may have.
    """

    def __init__(self, answer: Answer, reply: Reply[Any], reader: Callable[[Any], Any]) -> None:
        super().__init__(answer)
        self._reply = reply
        self._reader = reader
        self._content: bytes | None = None


class StreamedResponse(Coming):
    """One that is waited for."""

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the content as it comes, or in pieces of a size, of which the last may be smaller.

        Raises ConnectionFailed where it breaks off, InvalidAnswer where it is no file.
        """
        chunks = self.answer.chunks.of(chunk_size)
        first = next(chunks, b"")
        _check(self._reply, self.answer, first)
        if first:
            yield first
        yield from chunks

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Yield what is text."""
        decoder = _decoder()
        yield from filter(None, map(decoder.decode, self.iter_bytes(chunk_size)))
        if rest := decoder.decode(b"", final=True):
            yield rest

    def iter_lines(self) -> Iterator[str]:
        """Yield the lines of what is text."""
        lines = Lines()
        for chunk in self.iter_bytes():
            yield from lines.feed(chunk)
        if lines.rest:
            yield lines.rest

    def read(self) -> bytes:
        """Give the whole content."""
        if self._content is None:
            whole = bytearray()
            for chunk in self.iter_bytes():
                whole += _fitting(self._reply, self.answer, whole, chunk)
            self._content = bytes(whole)
        return self._content

    def text(self) -> str:
        """Give the whole content as text."""
        return self.whole().text

    def json(self) -> Any:
        """Give what it holds as JSON; raises InvalidAnswer for what is none."""
        return decode(self.whole())

    def parse(self) -> Any:
        """Read it as the endpoint does."""
        return self._reader(self)

    def whole(self) -> Answer:
        """Give the answer with its content."""
        return replace(self.answer, content=self.read())

    def stream_to_file(self, file: str | PathLike[str]) -> None:
        """Write the content to a path, which has all of it or is left as it was."""
        with replacing(file) as out:
            for chunk in self.iter_bytes():
                out.write(chunk)

    def close(self) -> None:
        """Hang up."""
        self.answer.chunks.close()


class AsyncStreamedResponse(Coming):
    """One that is awaited."""

    async def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Yield the content, and raise as the blocking one does."""
        chunks = self.answer.chunks.of(chunk_size)
        first = await anext(chunks, b"")
        _check(self._reply, self.answer, first)
        if first:
            yield first
        async for chunk in chunks:
            yield chunk

    async def iter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """Yield what is text."""
        decoder = _decoder()
        async for chunk in self.iter_bytes(chunk_size):
            if text := decoder.decode(chunk):
                yield text
        if rest := decoder.decode(b"", final=True):
            yield rest

    async def iter_lines(self) -> AsyncIterator[str]:
        """Yield the lines of what is text."""
        lines = Lines()
        async for chunk in self.iter_bytes():
            for line in lines.feed(chunk):
                yield line
        if lines.rest:
            yield lines.rest

    async def read(self) -> bytes:
        """Give the whole content."""
        if self._content is None:
            whole = bytearray()
            async for chunk in self.iter_bytes():
                whole += _fitting(self._reply, self.answer, whole, chunk)
            self._content = bytes(whole)
        return self._content

    async def text(self) -> str:
        """Give the whole content as text."""
        return (await self.whole()).text

    async def json(self) -> Any:
        """Give what it holds as JSON; raises InvalidAnswer for what is none."""
        return decode(await self.whole())

    async def parse(self) -> Any:
        """Read it as the endpoint does."""
        return await self._reader(self)

    async def whole(self) -> Answer:
        """Give the answer with its content."""
        return replace(self.answer, content=await self.read())

    async def stream_to_file(self, file: str | PathLike[str]) -> None:
        """Write the content to a path, which has all of it or is left as it was."""
        import asyncio

        with replacing(file) as out:
            async for chunk in self.iter_bytes():
                await asyncio.to_thread(out.write, chunk)  # a slow disk must not hold up the loop

    async def close(self) -> None:
        """Hang up."""
        await self.answer.chunks.close()


class StreamedBlocking:
    """Runs calls to the beginning of their answers."""

    def __init__(self, driver: Blocking) -> None:
        self._driver = driver

    def run(self, call: Call[Any]) -> AbstractContextManager[StreamedResponse]:
        """Give the answer to a call; leaving hangs up."""
        return self._opened(call, lambda came: read(call.reply, came.whole()))

    def pages(self, call: Call[Any]) -> AbstractContextManager[StreamedResponse]:
        """Give the answer that holds a page."""
        return self._opened(call, lambda came: Page(self._driver, call, came.whole()))

    def stream(self, call: Call[Any], kind: type[Any]) -> AbstractContextManager[StreamedResponse]:
        """Give the answer that streams; its events come as bytes, or by ``parse``."""
        return self._opened(call, lambda came: Stream(came.answer, kind))

    @contextmanager
    def _opened(self, call: Call[Any], reader: Callable[[Any], Any]) -> Iterator[StreamedResponse]:
        response = StreamedResponse(self._driver.send(call, stream=True), call.reply, reader)
        try:
            yield response
        finally:
            response.close()


class StreamedAwaiting:
    """The same, awaiting."""

    def __init__(self, driver: Awaiting) -> None:
        self._driver = driver

    def run(self, call: Call[Any]) -> AbstractAsyncContextManager[AsyncStreamedResponse]:
        """Give the answer to a call; leaving hangs up."""

        async def reader(came: AsyncStreamedResponse) -> Any:
            return read(call.reply, await came.whole())

        return self._opened(call, reader)

    def pages(self, call: Call[Any]) -> AbstractAsyncContextManager[AsyncStreamedResponse]:
        """Give the answer that holds a page."""

        async def reader(came: AsyncStreamedResponse) -> Any:
            return AsyncPage(self._driver, call, await came.whole())

        return self._opened(call, reader)

    def stream(
        self, call: Call[Any], kind: type[Any]
    ) -> AbstractAsyncContextManager[AsyncStreamedResponse]:
        """Give the answer that streams; its events come as bytes, or by ``parse``."""

        async def reader(came: AsyncStreamedResponse) -> Any:
            return AsyncStream(came.answer, kind)

        return self._opened(call, reader)

    @asynccontextmanager
    async def _opened(
        self, call: Call[Any], reader: Callable[[Any], Any]
    ) -> AsyncIterator[AsyncStreamedResponse]:
        answer = await self._driver.send(call, stream=True)
        response = AsyncStreamedResponse(answer, call.reply, reader)
        try:
            yield response
        finally:
            await response.close()


def _decoder() -> IncrementalDecoder:
    return getincrementaldecoder("utf-8")(errors="replace")


def _fitting(reply: Reply[Any], answer: Answer, before: bytes | bytearray, chunk: bytes) -> bytes:
    """Return a chunk; raises InvalidAnswer where it makes an answer larger than any can be."""
    if len(before) + len(chunk) > (most := most_of(reply)):
        raise excessive(answer, most)
    return chunk


def _check(reply: Reply[Any], answer: Answer, first: bytes) -> None:
    if isinstance(reply, type) and issubclass(reply, Binary):
        reply.check(answer, first)
