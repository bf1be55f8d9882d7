"""The requests that share one limit: who waits, who is in flight, and what refusals teach."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embedsearch.client import retries
from embedsearch.client.meter import KINDS, Kind, Meter, Reading, meter, readings
from embedsearch.client.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Mapping

SCOUT = 1.0
"""Seconds for which the first request of a lane goes alone: its answer tells the limits."""

PATIENCE = 120.0
"""Seconds after which the next in line goes whatever the mirror says: it may mirror a day."""

POLL = 0.02
"""Seconds between looks of the next in line where an answer is waited for and not a time."""


@dataclass(eq=False, slots=True)
class Ticket:
    """A request that waits, flies or is done, and what its lane had seen by then."""

    lane: Lane
    amounts: Counter[Kind]
    queued_before: Counter[Kind]
    queued_at: float
    sent_at: float | None = None
    sent_before: Counter[Kind] = field(default_factory=Counter)
    done: bool = False


class Lane:
    """One limit, mirrored: pure state, without a lock or a clock of its own."""

    def __init__(self, now: float) -> None:
        self._meters: dict[Kind, Meter] = {}
        # Totals since the lane began, so that a place in the queue is one subtraction.
        self._queued: Counter[Kind] = Counter()
        self._left: Counter[Kind] = Counter()
        self._sent: Counter[Kind] = Counter()
        self._flying: Counter[Kind] = Counter()
        self._scouting = True
        self._last_sent = -math.inf
        self._paused_until = -math.inf
        self._window = math.inf
        self._pace = Pace(now)
        self._held_at = -math.inf
        self._refusals = 0

    def queue(self, tokens: int, now: float) -> Ticket:
        """Add a request to the end of the queue."""
        busy = self._flying["requests"] or self._queued["requests"] > self._left["requests"]
        if not busy:
            self._pace.idle(now - max(self._last_sent, self._paused_until), now)
        amounts: Counter[Kind] = Counter({"requests": 1, "tokens": tokens})
        ticket = Ticket(self, amounts, self._queued.copy(), now)
        self._queued.update(ticket.amounts)
        return ticket

    def admit(self, ticket: Ticket, now: float) -> float:
        """Return the seconds that a ticket should wait; at 0.0 it is counted as sent."""
        if ticket.done or ticket.sent_at is not None:
            return 0.0
        seconds = self._seconds(ticket, now)
        if seconds <= 0:
            self._send(ticket, now)
        return max(seconds, 0.0)

    def leave(self, ticket: Ticket) -> bool:
        """Take a ticket out of the queue or the flight; False if it had left already."""
        if ticket.done:
            return False
        ticket.done = True
        (self._left.update if ticket.sent_at is None else self._flying.subtract)(ticket.amounts)
        return True

    def learn(
        self, ticket: Ticket, status: int | None, headers: Mapping[str, str], now: float
    ) -> None:
        """Correct the mirror by an answer, or by a failure (``status`` None)."""
        self._scouting = False
        said = readings(headers)
        self._read(ticket, said, now)
        if status is not None and status < 400:
            self._refusals = 0
            self._window += 1
            self._pace.prove(self._flying["tokens"], now)
        elif status is None or status == 429 or status >= 500:
            self._pace.count(-ticket.amounts["tokens"])
            asked = retries.asked_for(headers, now=time.time())
            if asked and asked > retries.LONGEST:
                asked = None  # It is not asked again, and others may find out for themselves.
            self._paused_until = max(self._paused_until, now + (asked or 0))
            # Those that were sent before the last one came back tell nothing new.
            if ticket.sent_at is not None and ticket.sent_at > self._held_at:
                self._held_at = now
                self._refuse(ticket, asked, said, now) if status == 429 else self._fail()

    def rate(self, now: float) -> float | None:
        """Return the tokens a second that may be sent, None where nothing is known of a limit."""
        rates = [meter.rate for kind, meter in self._refilled(now) if kind == "tokens"]
        return min(rates, default=None)

    def _seconds(self, ticket: Ticket, now: float) -> float:
        if now < self._paused_until:
            return self._paused_until - now
        # Who gave up behind this one has left as well: the difference may be too small.
        ahead = {kind: max(ticket.queued_before[kind] - self._left[kind], 0) for kind in KINDS}
        if self._flying["requests"] >= self._most(now):
            return POLL * (1 + ahead["requests"] / 8)
        if not ahead["requests"] and now >= max(ticket.queued_at, self._last_sent) + PATIENCE:
            return 0.0
        waits = [m.wait(ticket.amounts[kind], ahead[kind]) for kind, m in self._refilled(now)]
        return max(waits, default=0.0)

    def _most(self, now: float) -> float:
        """Return how many requests may be in flight."""
        return 1 if self._scouting and now < self._last_sent + SCOUT else self._window

    def _refilled(self, now: float) -> list[tuple[Kind, Meter]]:
        """Return the meters as they stand now, what was learned among them."""
        for each in self._meters.values():
            each.refill(now)
        meters = list(self._meters.items())
        if learned := self._pace.meter(self._told_rate(), now):
            meters.append(("tokens", learned))
        return meters

    def _told_rate(self) -> float | None:
        """Return the tokens a second that the headers tell, None if they don't."""
        return self._meters["tokens"].rate if "tokens" in self._meters else None

    def _send(self, ticket: Ticket, now: float) -> None:
        for kind, each in self._refilled(now):
            each.level -= ticket.amounts[kind]
        for total in (self._left, self._sent, self._flying):
            total.update(ticket.amounts)
        self._pace.count(ticket.amounts["tokens"])
        ticket.sent_at = self._last_sent = now
        ticket.sent_before = self._sent.copy()

    def _read(self, ticket: Ticket, said: Mapping[Kind, Reading], now: float) -> None:
        """Bring the meters in line with what the server says is left.

        It may not have seen what flies, nor, where it answers late what it counted early, what
        was sent since this ticket was.
        """
        age = 0.0 if ticket.sent_at is None else now - ticket.sent_at
        for kind, facts in said.items():
            each = self._meters.setdefault(kind, meter(facts, now))
            each.refill(now)
            unseen = self._flying[kind] + self._sent[kind] - ticket.sent_before[kind]
            each.sync(facts, unseen, age)

    def _refuse(
        self, ticket: Ticket, asked: float | None, said: Mapping[Kind, Reading], now: float
    ) -> None:
        if not self._pace.slow(ticket.amounts["tokens"], self._told_rate(), now):
            self._fail()
        # Who asks for too little is not believed twice: others may share the limit.
        if asked is None or self._refusals:
            full_in = min((facts.reset for facts in said.values() if facts.reset), default=math.inf)
            # Some are open again long before they are full, as a window that slides.
            soon = min(max(full_in / 2, retries.FIRST), full_in)
            pause = min(retries.backoff(self._refusals), soon)
            self._paused_until = max(self._paused_until, now + pause)
        self._refusals += 1

    def _fail(self) -> None:
        """Let half as many fly: a server that breaks down gets less to do."""
        self._window = max(min(self._window, self._flying["requests"] + 1) / 2, 1)
