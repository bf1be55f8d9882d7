"""Reading files in several processes, where there is enough to read."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import deque
from contextlib import contextmanager
from itertools import islice
from logging.handlers import QueueHandler
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias

from embedsearch.sync.reading import LOG as READING
from embedsearch.sync.reading import read
from embedsearch.sync.report import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from loky import ProcessPoolExecutor

    from embedsearch.sync.plan import File
    from embedsearch.sync.reading import Chunking, Outcome

    Group: TypeAlias = list[tuple[File, str]]
    Outcomes: TypeAlias = list[tuple[File, Outcome]]
    Logged: TypeAlias = list[logging.LogRecord]

WORTH_WORKERS_BYTES = 8_000_000
"""Below this, starting workers takes longer than they save: they load for half a second."""

GROUP_BYTES = 1_000_000
GROUP_FILES = 2_000
"""How much is read before anything is stored; little enough for many small files to be found soon,
and enough for sending it to a worker to cost little."""

ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
"""A worker's: numpy need not start threads for a linear algebra that reading has none of."""

OWNER_CHECK_SECONDS = 1.0
"""How often a worker looks whether its owner is still alive."""


def read_all(
    files: Sequence[File], ids: Mapping[File, str], chunking: Chunking
) -> Iterator[tuple[File, Outcome]]:
    """Yield each file with what reading it came to, in order."""
    work = [(file, ids[file]) for file in files]
    count = _processors()
    worth = count > 1 and sum(file.size for file in files) >= WORTH_WORKERS_BYTES
    if not worth or not _can_be_sent(chunking):
        return (one for group in _groups(work) for one in read(group, chunking))
    return _read_elsewhere(_groups(work), chunking, count)


def _processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _can_be_sent(chunking: Chunking) -> bool:
    from loky.backend.reduction import dumps
    from loky.process_executor import PicklingError

    try:
        dumps(chunking)
    except (PicklingError, TypeError, AttributeError):
        return False  # a tokenizer of the caller's own, which may hold a lock or a file
    return True


def _groups(work: Iterable[tuple[File, str]]) -> deque[Group]:
    groups: deque[Group] = deque()
    room = 0
    for file, id in work:
        if room <= 0 or len(groups[-1]) >= GROUP_FILES:
            groups.append([])
            room = GROUP_BYTES
        groups[-1].append((file, id))
        room -= file.size
    return groups


def _read_elsewhere(
    groups: deque[Group], chunking: Chunking, count: int
) -> Iterator[tuple[File, Outcome]]:
    """Read groups of files in ``count`` processes; a file that kills one is reported as failed."""
    from loky.process_executor import BrokenProcessPool

    while groups:
        try:
            with _pool(chunking, count) as pool:
                yield from _in_order(groups, pool, 3 * count)
        except BrokenProcessPool:
            for work in groups.popleft():
                yield _read_alone(work, chunking)


def _in_order(
    groups: deque[Group], pool: ProcessPoolExecutor, ahead: int
) -> Iterator[tuple[File, Outcome]]:
    """Yield the outcomes of groups; one leaves the queue when all of it is read."""
    upcoming = iter(list(groups))
    flying = deque(pool.submit(_read_group, group) for group in islice(upcoming, ahead))
    while flying:
        outcomes = _received(flying[0])
        flying.popleft()
        flying.extend(pool.submit(_read_group, group) for group in islice(upcoming, 1))
        groups.popleft()
        yield from outcomes


def _read_alone(work: tuple[File, str], chunking: Chunking) -> tuple[File, Outcome]:
    from loky.process_executor import BrokenProcessPool

    try:
        with _pool(chunking, 1) as pool:
            return _received(pool.submit(_read_group, [work]))[0]
    except BrokenProcessPool:
        return work[0], Failure(str(work[0].absolute), "crashed its reader")


def _received(sent: Future[tuple[Outcomes, Logged]]) -> Outcomes:
    """Return what a worker read, and hand what it logged to the handlers here."""
    outcomes, logged = sent.result()
    for record in logged:
        logging.getLogger(record.name).handle(record)
    return outcomes


@contextmanager
def _pool(chunking: Chunking, count: int) -> Iterator[ProcessPoolExecutor]:
    """Start processes; those of loky don't run the user's script again, as Python's own would."""
    from loky import ProcessPoolExecutor

    begin = (chunking, READING.getEffectiveLevel())
    pool = ProcessPoolExecutor(count, initializer=_begin, initargs=begin, env=ENVIRONMENT)
    try:
        yield pool
    finally:
        pool.shutdown(kill_workers=True)


_chunking: list[Chunking] = []
"""In a worker: how it is to cut what it reads."""

_logged: SimpleQueue[logging.LogRecord] = SimpleQueue()
"""In a worker: what the owner's handlers have still to be told."""


def _begin(chunking: Chunking, level: int) -> None:
    READING.setLevel(level)
    READING.addHandler(QueueHandler(_logged))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner is told, and ends its workers
    Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    _chunking[:] = [chunking]


def _leave_with(owner: int) -> None:
    """End this process when its owner is gone: one that was killed ends nobody."""
    while os.getppid() == owner:
        time.sleep(OWNER_CHECK_SECONDS)
    os._exit(1)


def _read_group(group: Group) -> tuple[Outcomes, Logged]:
    outcomes = list(read(group, _chunking[0]))
    return outcomes, [_logged.get() for _ in range(_logged.qsize())]
