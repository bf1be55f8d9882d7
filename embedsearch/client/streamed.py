"""Drivers that give an answer while it comes, for what is too large to be held."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from embedsearch.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from os import PathLike

    from embedsearch.client.answers import Answer
    from embedsearch.client.awaiting import Awaiting
    from embedsearch.client.blocking import Blocking
    from embedsearch.client.calls import Call


class StreamedResponse:
    """An answer whose content comes as it is asked for."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status_code
        self.headers = answer.headers
        self._chunks = answer.chunks

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the content; raises ConnectionFailed where it breaks off."""
        yield from self._chunks

    def stream_to_file(self, file: str | PathLike[str]) -> None:
        """Write the content to a path, which has all of it or is left as it was."""
        with replacing(file) as out:
            for chunk in self._chunks:
                out.write(chunk)


class AsyncStreamedResponse:
    """The same, awaiting."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status_code
        self.headers = answer.headers
        self._chunks = answer.chunks

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the content; raises ConnectionFailed where it breaks off."""
        async for chunk in self._chunks:
            yield chunk

    async def stream_to_file(self, file: str | PathLike[str]) -> None:
        """Write the content to a path, which has all of it or is left as it was."""
        import asyncio

        with replacing(file) as out:
            async for chunk in self._chunks:
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
            yield StreamedResponse(answer)
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
            yield AsyncStreamedResponse(answer)
        finally:
            await answer.chunks.close()

    pages = run

    def stream(
        self, call: Call[Any], kind: type[Any]
    ) -> AbstractAsyncContextManager[AsyncStreamedResponse]:
        """Give the answer to a call; its events come as bytes."""
        del kind
        return self.run(call)
