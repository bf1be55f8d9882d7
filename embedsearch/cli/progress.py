"""Progress on stderr: bars on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from embedsearch.cli.terminal import counted, is_quiet, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from embedsearch.sync.report import Progress, Stage

    Listener = Callable[[Progress], None]

EVERY_SECONDS = 5.0
"""How often a line is written where there is no terminal: logs stay short."""

PATIENCE = 2.0
"""So many seconds of silence need no explanation."""

_DOING = {"walk": "looking", "read": "reading", "embed": "embedding"}


@contextmanager
def shown() -> Iterator[Listener]:
    """Give the listener that shows what a sync reports."""
    if is_quiet():
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield _Drawn(bars)
    else:
        yield _Written()


@contextmanager
def working(what: str) -> Iterator[Callable[[int, int], None]]:
    """Say what takes its time, and how much of it is done, as far as that is told.

    What is quick is not spoken of: a line is written from the second ``PATIENCE`` seconds on.
    """
    if is_quiet():
        yield lambda _done, _total: None
    elif sys.stderr.isatty():
        with _bars() as bars:
            task = bars.add_task(what, total=None, rate="")
            yield lambda done, total: bars.update(task, completed=done, total=total)
    else:
        yield from _told_in_lines(what)


def _told_in_lines(what: str) -> Iterator[Callable[[int, int], None]]:
    over, far = Event(), [""]
    started = time.monotonic()

    def tell() -> None:
        wait = PATIENCE
        while not over.wait(wait):
            write(f"{what}{far[0]}, {time.monotonic() - started:.0f} s")
            wait = EVERY_SECONDS

    def listen(done: int, total: int) -> None:
        far[0] = f": {done:,} of {total:,}" if done else ""

    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield listen
    finally:
        over.set()
        teller.join()


def _bars() -> Bars:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
        transient=True,
    )


class _Drawn:
    """Draws a bar a stage."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}

    def __call__(self, now: Progress) -> None:
        if now.stage not in self._tasks:
            for task in self._bars.tasks:
                self._bars.update(task.id, total=task.completed)  # a walk's end was not known
            self._started[now.stage] = time.monotonic()
            self._tasks[now.stage] = self._bars.add_task(_DOING[now.stage], total=None, rate="")
        seconds = time.monotonic() - self._started[now.stage]
        self._bars.update(
            self._tasks[now.stage],
            completed=now.done,
            total=now.total,
            rate=_amount(now.stage, now.done) if now.total is None else _rate(now, seconds),
        )


class _Written:
    """Writes a line every few seconds, and none for what takes less."""

    def __init__(self) -> None:
        self._started = self._last = time.monotonic()
        self._stage = ""

    def __call__(self, now: Progress) -> None:
        moment = time.monotonic()
        if now.stage != self._stage:
            self._stage, self._started = now.stage, moment
        elif moment - self._last >= EVERY_SECONDS:
            self._last = moment
            write(_line(now, moment - self._started))


def _line(now: Progress, seconds: float) -> str:
    if now.total is None:
        return f"{_DOING[now.stage]}: {_amount(now.stage, now.done)}, {_rate(now, seconds)}"
    share = now.done / max(now.total, 1)
    left = seconds / share - seconds if share else 0
    amount = f"{_amount(now.stage, now.done)} of {_amount(now.stage, now.total)}"
    return f"{_DOING[now.stage]}: {share:.0%}, {amount}, {_rate(now, seconds)}, {left:.0f} s left"


def _rate(now: Progress, seconds: float) -> str:
    return f"{_amount(now.stage, int(now.done / seconds))}/s" if seconds > 0 else ""


def _amount(stage: Stage, n: int) -> str:
    match stage:
        case "walk":
            return counted(n, "file")
        case "read":
            return f"{n / 1e6:,.1f} MB"
        case "embed":
            return tokens(n)


def tokens(n: int) -> str:
    """Return a number of tokens as people say it: ``301k tokens``, ``1 token``."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= size:
            return f"{n / size:,.{0 if n >= 10 * size else 1}f}{sign} tokens"
    return counted(n, "token")
