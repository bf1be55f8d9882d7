"""How a method that only builds a call becomes one that runs it, in every client.

A resource is written once, as ``Resource[M]``. Its methods return a `Call`; the decorators turn
each into what its driver ``M`` makes of it, and the types follow:

===========  ================  ==============================  =========================
decorator    ``Client``        ``AsyncClient``                 ``with_raw_response``
===========  ================  ==============================  =========================
`endpoint`   ``T``             a coroutine                  ``RawResponse[T]``
`listing`    ``Page[T]``       ``AsyncPages[T]``               ``RawResponse[Page[T]]``
`streaming`  and ``Stream[E]`` and ``AsyncStream[E]``          ``RawResponse[Stream[E]]``
===========  ================  ==============================  =========================
"""

from __future__ import annotations

from collections.abc import Awaitable
from functools import wraps
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    overload,
)

from embedsearch.client.awaiting import Awaiting
from embedsearch.client.blocking import Blocking
from embedsearch.client.pages import AsyncPages, Page
from embedsearch.client.raw import RawAwaiting, RawBlocking
from embedsearch.client.settings import is_absent
from embedsearch.client.signatures import check, spelled_out
from embedsearch.client.streamed import StreamedAwaiting, StreamedBlocking
from embedsearch.client.streams import AsyncStream, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from embedsearch.client.calls import Call
    from embedsearch.client.pages import AsyncPage
    from embedsearch.client.raw import RawResponse
    from embedsearch.client.signatures import Gives
    from embedsearch.client.types.record import Event

Driver: TypeAlias = (
    Blocking | Awaiting | RawBlocking | RawAwaiting | StreamedBlocking | StreamedAwaiting
)

P = ParamSpec("P")
Q = ParamSpec("Q")
R = ParamSpec("R")
T = TypeVar("T")
E = TypeVar("E", bound="Event")
M = TypeVar("M", bound=Driver)
Whole_co = TypeVar("Whole_co", covariant=True)
Streamed_co = TypeVar("Streamed_co", covariant=True)
Either_co = TypeVar("Either_co", covariant=True)


class Resource(Generic[M]):
    """A family of endpoints, run by one driver."""

    def __init__(self, driver: M) -> None:
        self.driver = driver

    @property
    def with_raw_response(self) -> Any:
        """The same endpoints, giving `RawResponse`.

        Untyped, for want of types that take types; ``client.with_raw_response`` is typed.
        """
        return type(self)(raw(self.driver))

    @property
    def with_streaming_response(self) -> Any:
        """The same endpoints, giving a context with a `StreamedResponse`: for large files."""
        return type(self)(streamed(self.driver))


def raw(driver: Driver) -> Any:
    """Give the driver that does the same and gives the answer as HTTP has it."""
    if isinstance(driver, Blocking):
        return RawBlocking(driver)
    return RawAwaiting(driver) if isinstance(driver, Awaiting) else driver


def streamed(driver: Driver) -> Any:
    """Give the driver that does the same and gives the answer while it comes."""
    if isinstance(driver, Blocking):
        return StreamedBlocking(driver)
    return StreamedAwaiting(driver) if isinstance(driver, Awaiting) else driver


class Streaming(Protocol[P, Q, R, Whole_co, Streamed_co, Either_co]):
    """An endpoint that answers whole, or with ``stream=True`` event by event."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Whole_co: ...
    @overload
    def __call__(self, *args: Q.args, **kwargs: Q.kwargs) -> Streamed_co: ...
    @overload
    def __call__(self, *args: R.args, **kwargs: R.kwargs) -> Either_co: ...


class endpoint(Generic[P, T]):  # noqa: N801 - a decorator
    """Runs the call that a method builds."""

    def __init__(self, build: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self._build = build

    @overload
    def __get__(self, resource: Resource[Blocking], owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, resource: Resource[Awaiting], owner: Any
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(
        self, resource: Resource[RawBlocking], owner: Any
    ) -> Callable[P, RawResponse[T]]: ...
    @overload
    def __get__(
        self, resource: Resource[RawAwaiting], owner: Any
    ) -> Callable[P, Coroutine[Any, Any, RawResponse[T]]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        return bound(resource, self._build, lambda driver, call, _: driver.run(call), whole)


class listing(Generic[P, T]):  # noqa: N801 - a decorator
    """Runs the call that a method builds, for pages of what it reads."""

    def __init__(self, build: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self._build = build

    @overload
    def __get__(self, resource: Resource[Blocking], owner: Any) -> Callable[P, Page[T]]: ...
    @overload
    def __get__(self, resource: Resource[Awaiting], owner: Any) -> Callable[P, AsyncPages[T]]: ...
    @overload
    def __get__(
        self, resource: Resource[RawBlocking], owner: Any
    ) -> Callable[P, RawResponse[Page[T]]]: ...
    @overload
    def __get__(
        self, resource: Resource[RawAwaiting], owner: Any
    ) -> Callable[P, Coroutine[Any, Any, RawResponse[AsyncPage[T]]]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        return bound(resource, self._build, lambda driver, call, _: driver.pages(call), _paged)


class streaming(Generic[Q, R, E]):  # noqa: N801 - a decorator
    """Runs the call that a method builds; with ``stream=True`` for events of a kind.

    ``streamed`` is what takes the arguments that it then has, as ``Params[Streamed]`` does, and
    ``either`` what takes those where a bool decides: they are never called, and type them.
    """

    def __init__(
        self, kind: type[E], streamed: Callable[Q, object], either: Callable[R, object]
    ) -> None:
        self._kind = kind
        self._typed = streamed, either

    def __call__(self, build: Callable[Concatenate[Any, P], Call[T]]) -> _Streams[P, Q, R, T, E]:
        """Decorate a method."""
        return _Streams(build, self._kind, *self._typed)


class _Streams(Generic[P, Q, R, T, E]):
    def __init__(
        self,
        build: Callable[Concatenate[Any, P], Call[T]],
        kind: type[E],
        _streamed: Callable[Q, object],
        _either: Callable[R, object],
    ) -> None:
        self._build = build
        self._kind = kind

    @overload
    def __get__(
        self, resource: Resource[Blocking], owner: Any
    ) -> Streaming[P, Q, R, T, Stream[E], T | Stream[E]]: ...
    @overload
    def __get__(
        self, resource: Resource[Awaiting], owner: Any
    ) -> Streaming[
        P,
        Q,
        R,
        Coroutine[Any, Any, T],
        Coroutine[Any, Any, AsyncStream[E]],
        Coroutine[Any, Any, T | AsyncStream[E]],
    ]: ...
    @overload
    def __get__(
        self, resource: Resource[RawBlocking], owner: Any
    ) -> Streaming[P, Q, R, RawResponse[T], RawResponse[Stream[E]], RawResponse[T | Stream[E]]]: ...
    @overload
    def __get__(
        self, resource: Resource[RawAwaiting], owner: Any
    ) -> Streaming[
        P,
        Q,
        R,
        Coroutine[Any, Any, RawResponse[T]],
        Coroutine[Any, Any, RawResponse[AsyncStream[E]]],
        Coroutine[Any, Any, RawResponse[T | AsyncStream[E]]],
    ]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        def run(driver: Any, call: Call[Any], arguments: dict[str, Any]) -> Any:
            return driver.stream(call, self._kind) if arguments.get("stream") else driver.run(call)

        return bound(resource, self._build, run, self._gives)

    def _gives(self, kind: Any, awaits: bool) -> Any:  # noqa: FBT001 - as `Gives`
        events = AsyncStream if awaits else Stream
        return whole(kind | events[self._kind], awaits)


def bound(
    resource: Resource[Any],
    build: Callable[..., Any],
    run: Callable[[Any, Any, dict[str, Any]], Any],
    gives: Gives | None = None,
) -> Callable[..., Any]:
    """Bind a method that builds to a resource whose driver runs what it builds."""
    driver = resource.driver

    @wraps(build)
    def method(*args: Any, **kwargs: Any) -> Any:
        given = {name: value for name, value in kwargs.items() if not is_absent(value)}
        check(build, args, given)
        return run(driver, build(resource, *args, **given), given)

    plain = isinstance(driver, (Blocking, Awaiting))
    awaits = isinstance(driver, Awaiting)
    vars(method)["__signature__"] = spelled_out(build, gives if plain else None, awaits=awaits)
    return method


def whole(kind: Any, awaits: bool) -> Any:  # noqa: FBT001 - as `Gives`
    """Give the type of an answer."""
    return Awaitable[kind] if awaits else kind


def _paged(kind: Any, awaits: bool) -> Any:  # noqa: FBT001 - as `Gives`
    return AsyncPages[kind] if awaits else Page[kind]
