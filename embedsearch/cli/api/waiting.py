"""Waiting for a job that runs elsewhere: it goes on, whether anybody looks or not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, TypeVar

import click

from embedsearch.cli import options
from embedsearch.cli.terminal import note, tell
from embedsearch.errors import APIError

if TYPE_CHECKING:
    from collections.abc import Callable, Container


class Job(Protocol):
    """What runs elsewhere and has a state."""

    @property
    def id(self) -> str:
        """What it is called."""

    @property
    def status(self) -> str:
        """A word for its state."""


J = TypeVar("J", bound=Job)

of_waiting = options.together(
    click.option("--wait", is_flag=True, help="Wait until it is done, and say how far it is."),
    click.option(
        "--every",
        metavar="SECONDS",
        type=options.Number(0, options.SECONDS),
        default=10.0,
        show_default=True,
        help="How often to look.",
    ),
)


def wait(
    fetch: Callable[[], J],
    *,
    over: Container[str],
    described: Callable[[J], str],
    again: str,
    every: float,
) -> J:
    """Look at a job until its state is ``over``; each change is said on stderr.

    Whoever interrupts, or loses the connection, is told the command that looks ``again``.
    """
    last = ""
    try:
        while True:
            job = fetch()
            if (now := described(job)) != last:
                note(now)
                last = now
            if job.status in over:
                return job
            time.sleep(every)
    except (KeyboardInterrupt, APIError):
        tell(f"\nthe job goes on; to look again: {again}{_elsewhere()}")
        raise


def _elsewhere() -> str:
    """Return how the server is named, without a login, which a log should not hold."""
    scheme, slashes, rest = options.said_of_a_client().get("base_url", "").partition("//")
    host, slash, path = rest.partition("/")
    url = f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"
    return f" --base-url {url}" if url else ""
