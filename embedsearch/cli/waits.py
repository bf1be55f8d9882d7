"""What is said while a server makes a command wait."""

from __future__ import annotations

import logging
import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from embedsearch.cli.terminal import is_quiet, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

LONG_WAIT = 3.0
"""Seconds of a wait for a server that is spoken of, and between two lines about it."""


class _Waits(logging.Handler):
    """Says what a command waits for: now and then where a server asks to, always at its end."""

    def __init__(self, ctx: click.Context) -> None:
        super().__init__(logging.INFO)
        self._ctx = ctx  # requests are sent by other threads, which have none
        self._said_at = -math.inf

    def emit(self, record: logging.LogRecord) -> None:
        if is_quiet(self._ctx):
            return
        now = time.monotonic()
        long = getattr(record, "seconds", 0.0) >= LONG_WAIT
        if record.levelno >= logging.WARNING:
            tell(record.getMessage())
        elif long and now >= self._said_at + LONG_WAIT:
            self._said_at = now
            tell(f"waiting: {record.getMessage()}")


@contextmanager
def told(ctx: click.Context) -> Iterator[None]:
    """Say when the client waits for a server that refused, or for its rate limit."""
    client, waits = logging.getLogger("embedsearch.client"), _Waits(ctx)
    level = client.level
    client.addHandler(waits)
    client.setLevel(min(client.getEffectiveLevel(), logging.INFO))
    try:
        yield
    finally:
        client.setLevel(level)
        client.removeHandler(waits)
