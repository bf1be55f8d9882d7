"""How a run of many requests is stopped, by Ctrl-C too, without losing what is paid for."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

USUAL: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
"""What signals do that nobody has given another meaning."""


class Stopped(BaseException):
    """Ends a request that waits to be sent and is not wanted any more."""


class Stop:
    """Ends a run: nothing new is sent, and what is in flight still comes.

    Setting it takes no lock, so a signal's handler may.
    """

    def __init__(self) -> None:
        self.is_set = False
        self.signalled = False
        """Whether a signal set it; the next one has its usual effect."""
        self.wake: Callable[[], object] = bool
        """What wakes the run where it waits."""

    def set(self) -> None:
        """End the run."""
        self.is_set = True
        self.wake()


class Asleep:
    """Counts the requests of a run that wait to be sent, or to be sent again."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one for as long as it waits."""
        with self._lock:
            self.count += 1
        try:
            yield
        finally:
            with self._lock:
                self.count -= 1


def tell(stop: Stop, flying: int) -> None:
    """Say how many requests are waited for, if any, and how to drop them."""
    if not flying:
        return
    what = f"{flying} request{'s' if flying > 1 else ''} in flight"
    drop = "; Ctrl-C drops it" if stop.signalled else ""
    logger.warning("stopping: waiting for %s: what was sent is billed%s", what, drop)


@contextmanager
def finished() -> Iterator[None]:
    """Let a request come and be kept: the first Ctrl-C, or SIGTERM, has its effect after it."""
    with stopped_by_signals() as stop:
        stop.wake = lambda: tell(stop, 1)
        yield


@contextmanager
def stopped_by_signals() -> Iterator[Stop]:
    """Give what the first Ctrl-C, or SIGTERM, sets; the signal has its effect after the block.

    A second one has it at once. As with `asyncio.Runner`, signals are looked at in the main thread
    alone, and only those that nobody else looks at.
    """
    stop = Stop()
    came: list[int] = []
    ours: list[int] = []
    if threading.current_thread() is threading.main_thread():
        ours = [number for number, does in USUAL.items() if signal.getsignal(number) is does]

    def note(number: int, _: object) -> None:
        restore()
        came.append(number)
        stop.signalled = True
        stop.set()

    def restore() -> None:
        for number in ours:
            signal.signal(number, USUAL[number])

    for number in ours:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        restore()
    for number in came:
        signal.raise_signal(number)
