"""Lists that come a page at a time; iterating one fetches the next pages as they are needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from embedsearch.client.answers import Answer, decode, garbled, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from embedsearch.client.awaiting import Awaiting
    from embedsearch.client.blocking import Blocking
    from embedsearch.client.calls import Call

T = TypeVar("T")

_MISSING = object()


class Contents(Generic[T]):
    """What a page holds: ``data``, and whether there is more."""

    def __init__(self, call: Call[T], answer: Answer) -> None:
        self._call = call
        self._came: dict[str, Any] = decode(answer)
        self._request_id = answer.request_id
        items = self._came.get("data", _MISSING) if isinstance(self._came, dict) else _MISSING
        items = [] if items is None else items  # Some servers answer null for an empty list.
        if not isinstance(items, list):
            raise garbled(answer, "expected an object with a list as data", answer.text)
        kind = cast("type[T]", call.reply)
        self.data: list[T] = [record(kind, item, answer) for item in items]
        if self.has_more and self._last and self._last == call.query.get("after"):
            why = f"expected what follows {self._last!r}, got it again"
            raise garbled(answer, why, answer.text)

    @property
    def has_more(self) -> bool:
        """Whether the server has more of the list."""
        return bool(self._came.get("has_more"))

    @property
    def object(self) -> str | None:
        """What the server calls it: ``list``."""
        return cast("str | None", self._came.get("object"))

    @property
    def first_id(self) -> str | None:
        """The id of the first item, where the server tells."""
        return cast("str | None", self._came.get("first_id"))

    @property
    def last_id(self) -> str | None:
        """The id of the last item, where the server tells."""
        return cast("str | None", self._came.get("last_id"))

    def to_dict(self) -> dict[str, Any]:
        """Give the page as it came."""
        return dict(self._came)

    def has_next_page(self) -> bool:
        """Tell whether there is a page to be fetched."""
        return self._next() is not None

    @property
    def _last(self) -> str | None:
        """The id of the last item."""
        last = self._came.get("last_id")
        return last or (getattr(self.data[-1], "id", None) if self.data else None)

    def _next(self) -> Call[T] | None:
        # A list that was asked for by a body, as a search is, has one page; none follows an empty.
        if not (self.has_more and self.data and self._call.method == "GET"):
            return None
        if not self._last:
            return None
        return replace(self._call, query={**self._call.query, "after": self._last})

    def _must_next(self) -> Call[T]:
        call = self._next()
        if call is None:
            raise LookupError("this is the last page: ask has_next_page() first")
        return call


class Page(Contents[T]):
    """One page of a list; iterating it goes through all that follow."""

    def __init__(self, runner: Blocking, call: Call[T], answer: Answer) -> None:
        super().__init__(call, answer)
        self._runner = runner

    def __iter__(self) -> Iterator[T]:
        for page in self.iter_pages():
            yield from page.data

    def iter_pages(self) -> Iterator[Page[T]]:
        """Yield this page and all that follow."""
        page = self
        yield page
        while page.has_next_page():
            page = page.get_next_page()
            yield page

    def get_next_page(self) -> Page[T]:
        """Fetch the next page; raises LookupError after the last."""
        return self._runner.pages(self._must_next())


class AsyncPage(Contents[T]):
    """The same, awaiting."""

    def __init__(self, runner: Awaiting, call: Call[T], answer: Answer) -> None:
        super().__init__(call, answer)
        self._runner = runner

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.iter_pages():
            for item in page.data:
                yield item

    async def iter_pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Yield this page and all that follow."""
        page = self
        yield page
        while page.has_next_page():
            page = await page.get_next_page()
            yield page

    async def get_next_page(self) -> AsyncPage[T]:
        """Fetch the next page; raises LookupError after the last."""
        return await AsyncPages(self._runner, self._must_next())


class AsyncPages(Generic[T]):
    """A list that was asked for: await it for its first page, or iterate all of it."""

    def __init__(self, runner: Awaiting, call: Call[T]) -> None:
        self._runner = runner
        self._call = call

    def __await__(self) -> Generator[Any, None, AsyncPage[T]]:
        return self._first().__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for item in await self._first():
            yield item

    async def _first(self) -> AsyncPage[T]:
        return AsyncPage(self._runner, self._call, await self._runner.send(self._call))
