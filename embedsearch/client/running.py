"""The two drivers of embedding work: batches in flight on threads, or as tasks."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, overload

from embedsearch.client.awaiting import Awaiting
from embedsearch.client.blocking import Blocking
from embedsearch.client.resource import Resource, bound
from embedsearch.client.stopping import Asleep, Stopped, tell

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable, Coroutine, Generator

    from embedsearch.client.arrays import Read, Vectors
    from embedsearch.client.embedding import Piece, Work
    from embedsearch.client.job import Embedded, Job
    from embedsearch.client.stopping import Stop

P = ParamSpec("P")


class embedding_stream(Generic[P]):  # noqa: N801 - a decorator
    """Runs the job that a method builds; gives vectors as requests finish."""

    def __init__(self, build: Callable[Concatenate[Any, P], Job]) -> None:
        self._build = build

    @overload
    def __get__(
        self, resource: Resource[Blocking], owner: Any
    ) -> Callable[P, Generator[Embedded, None, None]]: ...
    @overload
    def __get__(
        self, resource: Resource[Awaiting], owner: Any
    ) -> Callable[P, AsyncGenerator[Embedded, None]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        return bound(resource, self._build, lambda driver, job, _: stream(driver, job))


class embedding_array(Generic[P]):  # noqa: N801 - a decorator
    """Runs the job that a method builds; gives all vectors as one array."""

    def __init__(self, build: Callable[Concatenate[Any, P], Job]) -> None:
        self._build = build

    @overload
    def __get__(self, resource: Resource[Blocking], owner: Any) -> Callable[P, Vectors]: ...
    @overload
    def __get__(
        self, resource: Resource[Awaiting], owner: Any
    ) -> Callable[P, Coroutine[Any, Any, Vectors]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        return bound(resource, self._build, lambda driver, job, _: array(driver, job))


def stream(
    driver: Any, job: Job
) -> Generator[Embedded, None, None] | AsyncGenerator[Embedded, None]:
    """Run a job by the driver that there is."""
    if isinstance(driver, Blocking):
        return _blocking(driver, _work(driver, job), job)
    if isinstance(driver, Awaiting):
        return _awaiting(driver, _work(driver, job), job)
    raise TypeError("many requests have no one answer that could be given raw")


def array(driver: Any, job: Job) -> Vectors | Coroutine[Any, Any, Vectors]:
    """Run a job to its end."""
    parts = stream(driver, job)
    if isinstance(parts, AsyncGenerator):
        return _awaited(parts, job.dimensions)
    return _joined([part for part in parts if part.positions], job.dimensions)


def _work(driver: Blocking | Awaiting, job: Job) -> Work:
    from embedsearch.client.embedding import Work
    from embedsearch.client.quirks import Quirks

    where = f"{driver.settings.lane(job.model)} {job.dimensions}"
    return Work(job, driver.limiter.quirks.setdefault(where, Quirks()))


async def _awaited(parts: AsyncIterator[Embedded], dimensions: int | None) -> Vectors:
    return _joined([part async for part in parts if part.positions], dimensions)


def _joined(parts: list[Embedded], dimensions: int | None) -> Vectors:
    """Put the vectors where their texts stood."""
    import numpy as np

    if len(parts) == 1:  # in order already
        return parts[0].vectors
    d = parts[0].vectors.shape[1] if parts else dimensions or 0
    joined = np.empty((sum(len(part.positions) for part in parts), d), dtype=np.float32)
    while parts:
        part = parts.pop()
        joined[part.positions] = part.vectors
    return joined


def _blocking(driver: Blocking, work: Work, job: Job) -> Generator[Embedded, None, None]:
    stopped = threading.Event()
    landed: SimpleQueue[tuple[Piece, Read | BaseException] | None] = SimpleQueue()
    asleep = Asleep()
    patient = driver.sleeping(partial(_sleep, stopped, asleep))
    job.stop.wake = partial(landed.put, None)
    flying = 0
    try:
        while True:
            while _may_fly(job, flying) and (piece := work.next(flying)):
                # A daemon, so that a slow server does not hold up the end of the program.
                fly = partial(_fly, patient, work, piece, landed)
                threading.Thread(target=fly, name="embedding", daemon=True).start()
                flying += 1
            if not flying:
                work.finish()
                return
            _heed(job.stop, work, flying - asleep.count)
            if work.ended:
                stopped.set()
            if (came := landed.get()) is None:
                continue
            piece, outcome = came
            flying -= 1
            if isinstance(outcome, BaseException):
                yield from work.fail(piece, outcome)
            else:
                yield from work.take(piece, outcome)
    finally:
        job.stop.wake = bool
        stopped.set()


def _may_fly(job: Job, flying: int) -> bool:
    return flying < job.concurrency and not job.stop.is_set


def _heed(stop: Stop, work: Work, flying: int) -> None:
    """End the work where it is to stop, and say what is waited for."""
    if stop.is_set and not work.ended:
        work.end(Stopped())
        tell(stop, flying)


def _fly(driver: Blocking, work: Work, piece: Piece, landed: SimpleQueue[Any]) -> None:
    try:
        landed.put((piece, driver.run(work.call(piece))))
    except BaseException as error:  # noqa: BLE001 - raised by the thread that waits
        landed.put((piece, error))


def _sleep(stopped: threading.Event, asleep: Asleep, seconds: float) -> None:
    with asleep.one_more():
        if stopped.wait(seconds):
            raise Stopped


async def _awaiting(driver: Awaiting, work: Work, job: Job) -> AsyncGenerator[Embedded, None]:
    import asyncio  # costs a blocking program 20 ms

    stopped = asyncio.Event()
    asleep = Asleep()
    patient = driver.sleeping(partial(_pause, stopped, asleep))
    flying: dict[asyncio.Task[Read], Piece] = {}

    def heed() -> None:
        _heed(job.stop, work, len(flying) - asleep.count)
        if work.ended:
            stopped.set()

    job.stop.wake = partial(asyncio.get_running_loop().call_soon_threadsafe, heed)
    try:
        while True:
            while _may_fly(job, len(flying)) and (piece := work.next(len(flying))):
                flying[asyncio.create_task(patient.run(work.call(piece)))] = piece
            if not flying:
                work.finish()
                return
            heed()
            done, _ = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                piece = flying.pop(task)
                error = task.exception()
                found = work.fail(piece, error) if error else work.take(piece, task.result())
                for embedded in found:
                    yield embedded
    finally:
        job.stop.wake = bool
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)


async def _pause(stopped: asyncio.Event, asleep: Asleep, seconds: float) -> None:
    import asyncio

    with asleep.one_more(), suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), seconds)
        raise Stopped
