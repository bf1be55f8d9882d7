"""Methods that take several calls: written once, as generators that yield calls and waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from embedsearch.client.awaiting import Awaiting
from embedsearch.client.blocking import Blocking
from embedsearch.client.exchange import Sleep
from embedsearch.client.resource import Resource, bound, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from embedsearch.client.polling import Steps

P = ParamSpec("P")
T = TypeVar("T")


class procedure(Generic[P, T]):  # noqa: N801 - a decorator
    """Runs what a generator yields, sends it what calls answer, and gives its result."""

    def __init__(self, build: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self._build = build

    @overload
    def __get__(self, resource: Resource[Blocking], owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, resource: Resource[Awaiting], owner: Any
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        return bound(resource, self._build, lambda driver, steps, _: _run(driver, steps), whole)


def _run(driver: Any, steps: Steps[T]) -> T | Coroutine[Any, Any, T]:
    if isinstance(driver, Blocking):
        return _blocking(driver, steps)
    if isinstance(driver, Awaiting):
        return _awaiting(driver, steps)
    raise TypeError("several requests have no one answer that could be given raw")


def _blocking(driver: Blocking, steps: Steps[T]) -> T:
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        answer = driver.sleep(step.seconds) if isinstance(step, Sleep) else driver.run(step)


async def _awaiting(driver: Awaiting, steps: Steps[T]) -> T:
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        done = driver.sleep(step.seconds) if isinstance(step, Sleep) else driver.run(step)
        answer = await done
