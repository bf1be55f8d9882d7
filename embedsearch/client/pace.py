"""A rate that only refusals tell: measured by what got through, found again after each."""

from __future__ import annotations

from embedsearch.client.meter import SHARE, Meter

DROP = 0.05
"""The share of the rate that a refusal takes off."""

STEEPEST = 0.85
"""The share of the rate that is left at least where much less than it got through."""

SHORTEST = 1.0
"""Seconds over which is measured at least, as a full bucket lets a burst through at once."""

SOON = 5.0
"""Seconds after a refusal in which another one says that the rate was far too high."""

PLATEAU = 15.0
"""Seconds until the rate is again what was refused; it rises as TCP's CUBIC does (RFC 9438): soon
near that rate, long close to it, then above it to find out whether the limit was raised."""

FORGET = 60.0
"""Seconds without a refusal after which the rate is dropped."""

SLACK = 0.05
"""Seconds of the rate that small requests may use at once."""

LATE = 1 - SHARE
"""Seconds of the rate that a sender that wakes late makes up for: with what `SHARE` leaves of a
second, no second gets more than the rate even so, wherever it begins."""

FAR_MORE = 2.0
"""How many times the rate has to get through to show that it was measured while little was sent."""

IDLE = 10.0
"""Seconds without requests after which what got through is counted anew."""


class Pace:
    """Nothing until the first refusal, then a meter of tokens that lets them through evenly."""

    def __init__(self, now: float) -> None:
        self._meter: Meter | None = None
        self._peak = 0.0
        self._slowed_at = now
        self._counting_since = now
        self._through = 0.0
        self._refused = 0.0

    def idle(self, seconds: float, now: float) -> None:
        """Note that nothing was sent for so long: what got through then tells no limit."""
        if seconds > IDLE:
            self._counting_since, self._through = now, 0.0

    def count(self, tokens: float) -> None:
        """Count what was sent, or (negative) what was refused after all."""
        self._through += tokens

    def prove(self, flying: float, now: float) -> None:
        """Drop the rate where far more gets through, all but what is ``flying`` still.

        What was refused last may have been nearly there: so much may pass at any rate.
        """
        through = self._through - flying - self._refused
        seconds = max(now - self._counting_since, SHORTEST)
        if self._meter and through > FAR_MORE * self._peak * seconds:
            self._meter = None

    def meter(self, known: float | None, now: float) -> Meter | None:
        """Return the meter as it stands now, None where no limit is known.

        ``known`` is the rate that the headers tell, in tokens a second.
        """
        if self._meter and now > self._slowed_at + FORGET:
            self._meter = None
        if self._meter:
            missing = 1 - (now - self._slowed_at) / PLATEAU
            rate = self._peak * (1 - DROP * missing**3)
            rate = min(rate, known or rate)
            self._meter.limit, self._meter.spare = SLACK * rate, LATE * rate
            self._meter.refill(now)
        return self._meter

    def slow(self, tokens: float, known: float | None, now: float) -> bool:
        """Send more slowly after a refusal; False where nothing got through since the last.

        Then not the rate is to blame but the time, and the rate stays.
        """
        some = self._through > 0
        if some:
            self._peak = self._tried(known, now)
            self._meter = Meter(SLACK * (1 - DROP) * self._peak, SLACK, 0.0, now)
        self._counting_since, self._through, self._slowed_at = now, 0.0, now
        self._refused = tokens
        return some

    def _tried(self, known: float | None, now: float) -> float:
        """Return the rate that was too high."""
        meter = self.meter(known, now)
        if known and not (meter and now < self._slowed_at + SOON):
            return meter.rate if meter else known
        through = self._through / max(now - self._counting_since, SHORTEST)
        return min(max(through, STEEPEST * meter.rate), meter.rate) if meter else through
