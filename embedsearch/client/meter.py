"""The mirror of one bucket that a server keeps for us, and the headers that describe it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from embedsearch.client.retries import number

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind: TypeAlias = Literal["requests", "tokens"]
KINDS: tuple[Kind, ...] = ("requests", "tokens")

PERIODS = (1.0, 60.0, 3600.0, 86_400.0)
"""Seconds over which limits are given."""

SHARE = 0.99
"""The share of a rate that is counted on: of an account that others use too, who mirrors it best
would leave them nothing; and some servers count a little otherwise than they say."""

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a response says of one bucket: its size, what is left, the seconds until it is full."""

    limit: float | None
    remaining: float
    reset: float | None


def readings(headers: Mapping[str, str]) -> dict[Kind, Reading]:
    """Return what the headers of a response say of each bucket."""
    found = {kind: _reading(headers, kind) for kind in KINDS}
    return {kind: said for kind, said in found.items() if said}


def seconds(duration: str) -> float | None:
    """Read a duration as Go writes it (``6m0s``, ``12ms``), or plain seconds; else None."""
    if (plain := number(duration)) is not None:
        return plain
    parts = PART.findall(duration)
    if not parts or "".join(count + unit for count, unit in parts) != duration:
        return None
    return sum(float(count) * UNITS[unit] for count, unit in parts)


@dataclass(slots=True)
class Meter:
    """A bucket of ``limit`` that fills in ``period`` seconds and held ``level`` at time ``at``.

    Below zero it is in debt: a request larger than the bucket went alone.
    """

    limit: float
    period: float
    level: float
    at: float
    shortest: float = math.inf
    longest: float = 0.0
    spare: float = 0.0
    """What may be saved beyond the limit: a request that waits for a full bucket uses that up, so
    that one that goes late leaves the rest for the next."""

    @property
    def rate(self) -> float:
        """What comes in a second."""
        return self.limit / self.period

    def refill(self, now: float) -> None:
        """Add what has come in since the last time."""
        most = self.limit + self.spare
        self.level = min(most, self.level + SHARE * self.rate * (now - self.at))
        self.at = now

    def wait(self, amount: float, ahead: float) -> float:
        """Return the seconds until ``amount`` may go, after ``ahead`` has gone.

        What is larger than the bucket goes when the bucket is full.
        """
        return max(ahead + min(amount, self.limit) - self.level, 0) / (SHARE * self.rate)

    def sync(self, said: Reading, unseen: float, age: float) -> None:
        """Correct the mirror by what a server said at most ``age`` seconds ago.

        It has at least what it said less what it may not have ``unseen`` yet, and at most that
        and what came in since: inside these bounds the mirror knows better, outside it is wrong.
        """
        self.limit = max(self.limit, said.remaining) if said.limit is None else said.limit
        self._time(said)
        most = min(said.remaining + age * self.rate, self.limit)
        self.level = min(max(self.level, said.remaining - unseen), most)

    def _time(self, said: Reading) -> None:
        """Tell the period from the seconds until the bucket is full.

        A bucket that refills evenly tells it at any time. A window that ends at once as a whole
        looks slower than it is while little is used, and faster when it ends soon; its period
        is not longer than the one and not shorter than any reset.
        """
        used = self.limit - said.remaining
        if said.reset is not None and said.reset > 0 and used > 0:
            self.shortest = min(self.shortest, said.reset * self.limit / used)
            self.longest = max(self.longest, said.reset)
            self.period = near(max(self.shortest, self.longest))


def near(period: float) -> float:
    """Return the usual period that one comes close to, else itself: resets are rounded."""
    return next((usual for usual in PERIODS if abs(period / usual - 1) < 0.25), period)


def meter(said: Reading, now: float) -> Meter:
    """Return the mirror of a bucket heard of for the first time; limits are a minute's."""
    limit = max(said.remaining if said.limit is None else said.limit, 1)
    return Meter(limit, 60.0, -math.inf, now)


def _reading(headers: Mapping[str, str], kind: Kind) -> Reading | None:
    limit, remaining = (
        number(headers.get(f"x-ratelimit-{fact}-{kind}")) for fact in ("limit", "remaining")
    )
    # Servers without a limit are known to send 0 or -1, for either of the two.
    if remaining is None or (remaining if limit is None else limit) <= 0:
        return None
    reset = seconds(headers.get(f"x-ratelimit-reset-{kind}", ""))
    # Some send the time of day, in seconds since 1970.
    return Reading(limit, remaining, None if reset and reset > PERIODS[-1] else reset)
