"""Reading files in several processes, this one too, where there is enough to read."""

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

from embedsearch import readers
from embedsearch.heap import hand_back
from embedsearch.sync.reading import LOG as READING
from embedsearch.sync.reading import read
from embedsearch.sync.report import Failure
from embedsearch.tokens.protocol import RememberingTokenizer

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

PACKED_SHARE = 0.1
"""Up to this share of bytes in groups that are left to workers, this process takes one's place."""

GROUP_BYTES = 1_000_000
GROUP_FILES = 2_000
"""How much is read before anything is stored; little enough for many small files to be found soon,
and enough for sending it to a worker to cost little."""

HELD_BY_A_WORKER = 3
SPARE_GROUPS = 5
"""How many groups are on their way: a worker has one to read and two to go on with, and what is
left may be read here."""

ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
"""A worker's: numpy need not start threads for a linear algebra that reading has none of."""

OWNER_CHECK_SECONDS = 1.0
"""How often a worker looks whether its owner is still alive."""


def read_all(
    files: Sequence[File], ids: Mapping[File, str], chunking: Chunking
) -> Iterator[tuple[File, Outcome]]:
    """Yield each file with what reading it came to, in order."""
    groups = _groups((file, ids[file]) for file in files)
    count = _processors()
    worth = count > 1 and sum(file.size for file in files) >= WORTH_WORKERS_BYTES
    if not worth or not _can_be_sent(chunking):
        return (one for group in groups for one in read(group, chunking))
    return _read_elsewhere(groups, chunking, _workers(groups, count))


def _workers(groups: Iterable[Group], processors: int) -> int:
    """Return how many processes to start: one less where this one can read most of the files."""
    sizes = [(sum(file.size for file, _ in group), _may_crash(group)) for group in groups]
    left = sum(size for size, may_crash in sizes if may_crash)
    few = left <= PACKED_SHARE * sum(size for size, _ in sizes)
    return processors - 1 if few else processors


def _may_crash(group: Group) -> bool:
    """Whether a group holds what a parser of a binary format may read, and crash on."""
    return not all(readers.is_text(file.path) for file, _ in group)


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
    """Read groups of files in ``count`` processes and this one.

    What may crash its reader is read in those: a file that kills one is reported as failed.
    """
    from loky.process_executor import BrokenProcessPool

    held = HELD_BY_A_WORKER * count
    while groups:
        try:
            with _pool(chunking, count) as pool:
                yield from _in_order(groups, pool, chunking, held)
        except BrokenProcessPool:
            yield from _read_apart(groups.popleft(), chunking)
    _let_go(chunking)


def _let_go(chunking: Chunking) -> None:
    """Give back the memory that reading took here: embedding what was read needs much."""
    if isinstance(chunking.tokenizer, RememberingTokenizer):
        chunking.tokenizer.forget()
    hand_back()


def _in_order(
    groups: deque[Group], pool: ProcessPoolExecutor, chunking: Chunking, held: int
) -> Iterator[tuple[File, Outcome]]:
    """Yield the outcomes of groups; one leaves the queue when all of it is read.

    Workers have up to ``held`` of them. While the next one is not ready, the first that no worker
    has is read here.
    """
    upcoming = iter(list(groups))
    flying = deque(_Reading(group) for group in islice(upcoming, held + SPARE_GROUPS))
    while flying:
        _send(flying, pool, held)
        mine = next((reading for reading in flying if reading.is_for_here()), None)
        if mine and not flying[0].is_done():
            mine.read_here(chunking)
            continue
        outcomes = flying[0].outcomes()
        flying.popleft()
        flying.extend(map(_Reading, islice(upcoming, 1)))
        groups.popleft()
        yield from outcomes


def _send(flying: Iterable[_Reading], pool: ProcessPoolExecutor, held: int) -> None:
    """Give workers what they have room for: what only they read, then what is due last."""
    room = held - sum(reading.is_there() for reading in flying)
    unsent = [reading for reading in flying if reading.is_unread()]
    theirs = [reading for reading in unsent if reading.may_crash]
    others = [reading for reading in reversed(unsent) if not reading.may_crash]
    for reading in (theirs + others)[: max(room, 0)]:
        reading.send(pool)


class _Reading:
    """A group that is to be read, by a worker or here."""

    def __init__(self, group: Group) -> None:
        self.may_crash = _may_crash(group)
        self._group = group
        self._sent: Future[tuple[Outcomes, Logged]] | None = None
        self._here: Outcomes | None = None

    def send(self, pool: ProcessPoolExecutor) -> None:
        self._sent = pool.submit(_read_group, self._group)

    def read_here(self, chunking: Chunking) -> None:
        self._here = list(read(self._group, chunking))

    def is_unread(self) -> bool:
        return self._sent is None and self._here is None

    def is_for_here(self) -> bool:
        return self.is_unread() and not self.may_crash

    def is_there(self) -> bool:
        return self._sent is not None and not self._sent.done()

    def is_done(self) -> bool:
        return not self.is_unread() and not self.is_there()

    def outcomes(self) -> Outcomes:
        """Return what was read; waits for a worker."""
        return _received(self._sent) if self._sent else self._here or []


def _read_apart(group: Group, chunking: Chunking) -> Iterator[tuple[File, Outcome]]:
    """Read a group of which a file may have killed a worker."""
    for work in group:
        if readers.is_text(work[0].path):
            yield from read([work], chunking)
        else:
            yield _read_alone(work, chunking)


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

    begin = (chunking, READING.getEffectiveLevel(), os.getpid())
    pool = ProcessPoolExecutor(count, initializer=_begin, initargs=begin, env=ENVIRONMENT)
    try:
        yield pool
    finally:
        pool.shutdown(kill_workers=True)


_chunking: list[Chunking] = []
"""In a worker: how it is to cut what it reads."""

_logged: SimpleQueue[logging.LogRecord] = SimpleQueue()
"""In a worker: what the owner's handlers have still to be told."""


def _begin(chunking: Chunking, level: int, owner: int) -> None:
    READING.setLevel(level)
    READING.addHandler(QueueHandler(_logged))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner is told, and ends its workers
    Thread(target=_leave_with, args=(owner,), daemon=True).start()
    _chunking[:] = [chunking]


def _leave_with(owner: int) -> None:
    """End this process when its owner is gone: one that was killed ends nobody."""
    while os.getppid() == owner:
        time.sleep(OWNER_CHECK_SECONDS)
    os._exit(1)


def _read_group(group: Group) -> tuple[Outcomes, Logged]:
    outcomes = list(read(group, _chunking[0]))
    return outcomes, [_logged.get() for _ in range(_logged.qsize())]
