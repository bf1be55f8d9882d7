"""Waiting for what a server works on: asking again until it says that it is done."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from embedsearch.client.answers import read
from embedsearch.client.calls import OPTIONS, Call, Options
from embedsearch.client.exchange import Sleep
from embedsearch.client.retries import number
from embedsearch.errors import TimedOut

if TYPE_CHECKING:
    from embedsearch.client.answers import Answer

T = TypeVar("T")
Steps: TypeAlias = Generator[Call[Any] | Sleep, Any, T]
"""What a method does that takes several calls: it is sent what each answers."""

EVERY = 1.0
"""Seconds until it is asked again, where neither the caller nor the server says so."""


class PollParams(Options, total=False):
    """What all take that wait; without ``max_wait_seconds`` they wait for as long as it takes."""

    poll_interval_ms: float | None
    max_wait_seconds: float | None


_WAITING = PollParams.__optional_keys__ - OPTIONS


def own(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the first call: all but those of the waiting."""
    return {name: value for name, value in params.items() if name not in _WAITING}


def options(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every call takes, but for what is added to the first one's body."""
    shared = OPTIONS - {"extra_body"}
    return {name: value for name, value in params.items() if name in shared}


def poll(call: Call[T], params: Mapping[str, Any], busy: frozenset[str]) -> Steps[T]:
    """Ask until the status is none of ``busy``; raises TimedOut where that takes too long."""
    reply: Any = lambda answer: (read(call.reply, answer), _told(answer))  # noqa: E731
    asked: Call[Any] = replace(call, reply=reply)
    longest, interval = params.get("max_wait_seconds"), params.get("poll_interval_ms")
    began = time.monotonic()
    while True:
        found, told = yield asked
        if found.status not in busy:
            done: T = found
            return done
        every = told if interval is None else interval / 1000
        if longest is not None and time.monotonic() - began + every > longest:
            raise TimedOut(f"{call.path} is {found.status!r} after {longest:,g} seconds")
        yield Sleep(every)


def _told(answer: Answer) -> float:
    """Return the seconds until the server wants to be asked again."""
    milliseconds = number(answer.headers.get("openai-poll-after-ms"))
    return EVERY if milliseconds is None else milliseconds / 1000
