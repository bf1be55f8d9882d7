"""One limiter for all requests of a client: it mirrors the server's buckets and paces by them.

Nothing here sleeps or sends. A driver takes a ticket, sleeps while ``wait`` says so, sends, and
settles the ticket by what came back:

    ticket = limiter.reserve(tokens, lane)
    while seconds := limiter.wait(ticket):
        sleep(seconds)
    ...
    limiter.settle(ticket, status, headers)

and releases it where the request is given up instead.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import TYPE_CHECKING

from embedsearch.client.lane import Lane, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from embedsearch.client.quirks import Quirks

logger = logging.getLogger(__name__)

LONGEST_NAP = 1.0
"""Seconds after which a waiting ticket is looked at again, as answers bring better news."""

LONG_WAIT = 3.0
"""Seconds of a wait that is spoken of, and between two lines about it."""

LANES = 1000
"""How many lanes are remembered; a program that names more models than that starts afresh."""


class Limiter:
    """Holds requests back until the server will take them; for any threads and tasks at once.

    Requests of one ``lane`` share a limit: a provider limits each model for itself. ``quirks``
    are other limits of servers, by server and model, kept for whoever learned them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._lanes: dict[str, Lane] = {}
        self._told_at = -math.inf
        self.quirks: dict[str, Quirks] = {}

    def reserve(self, tokens: int = 0, lane: str = "") -> Ticket:
        """Queue a request of so many tokens, by estimate, and return its ticket."""
        with self._lock:
            if lane not in self._lanes and len(self._lanes) >= LANES:
                self._lanes.clear()
            found = self._lanes.setdefault(lane, Lane(self._clock()))
            return found.queue(tokens, self._clock())

    def wait(self, ticket: Ticket) -> float:
        """Return the seconds to sleep before asking again; 0.0 says that it is sent now."""
        with self._lock:
            now = self._clock()
            seconds = ticket.lane.admit(ticket, now)
            is_news = seconds >= LONG_WAIT and now >= self._told_at + LONG_WAIT
            self._told_at = now if is_news else self._told_at
        if is_news:
            said = "the server's rate limit lets the next request through in %.0f s"
            logger.info(said, seconds, extra={"seconds": seconds})
        return min(seconds, LONGEST_NAP)

    def settle(self, ticket: Ticket, status: int | None, headers: Mapping[str, str]) -> None:
        """Learn from an answer, or from a failure (``status`` None)."""
        with self._lock:
            if ticket.lane.leave(ticket):
                ticket.lane.learn(ticket, status, headers, self._clock())

    def rate(self, lane: str) -> float | None:
        """Return the tokens a second that a lane may have, as told or as learned; None: unknown."""
        with self._lock:
            found = self._lanes.get(lane)
            return found.rate(self._clock()) if found else None

    def release(self, ticket: Ticket) -> None:
        """Give up a request, sent or not; a ticket that is settled stays as it is."""
        with self._lock:
            ticket.lane.leave(ticket)
