"""Methods that take several calls: written once, as generators that yield calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from embedsearch.client.awaiting import Awaiting
from embedsearch.client.blocking import Blocking
from embedsearch.client.resource import Resource, bound, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from embedsearch.client.calls import Call

P = ParamSpec("P")
T = TypeVar("T")


class procedure(Generic[P, T]):  # noqa: N801 - a decorator
    """Runs the calls that a generator yields, sends it what they answer, and gives its result."""

    def __init__(self, build: Callable[Concatenate[Any, P], Generator[Call[Any], Any, T]]) -> None:
        self._build = build

    @overload
    def __get__(self, resource: Resource[Blocking], owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, resource: Resource[Awaiting], owner: Any
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        return bound(resource, self._build, lambda driver, calls, _: _run(driver, calls), whole)


def _run(driver: Any, calls: Generator[Call[Any], Any, T]) -> T | Coroutine[Any, Any, T]:
    if isinstance(driver, Blocking):
        return _blocking(driver, calls)
    if isinstance(driver, Awaiting):
        return _awaiting(driver, calls)
    raise TypeError("several requests have no one answer that could be given raw")


def _blocking(driver: Blocking, calls: Generator[Call[Any], Any, T]) -> T:
    answer = None
    while True:
        try:
            call = calls.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        answer = driver.run(call)


async def _awaiting(driver: Awaiting, calls: Generator[Call[Any], Any, T]) -> T:
    answer = None
    while True:
        try:
            call = calls.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        answer = await driver.run(call)
