"""How servers limit rates, as pure models: ``take`` says whether a request may pass, and what the
headers of its answer are. The limiter's own model is only the first of them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

Verdict = tuple[bool, dict[str, str]]


def told(limit: float, remaining: float, reset: float) -> dict[str, str]:
    return {
        "x-ratelimit-limit-tokens": f"{limit:.0f}",
        "x-ratelimit-remaining-tokens": f"{max(remaining, 0):.0f}",
        "x-ratelimit-reset-tokens": f"{1000 * reset:.0f}ms",
    }


@dataclass
class Bucket:
    """Refills evenly; ``charges_failures`` takes tokens for what it refuses, too."""

    rate: float
    size: float
    charges_failures: bool = False
    silent: bool = False
    level: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.level = self.size

    def take(self, now: float, tokens: int) -> Verdict:
        self.level = min(self.size, self.level + self.rate * (now - self.at))
        self.at = now
        # What is larger than the bucket passes when the bucket is full.
        passes = self.level >= min(tokens, self.size)
        if passes or self.charges_failures:
            self.level = max(self.level - tokens, -self.size)
        headers = told(self.size, self.level, (self.size - self.level) / self.rate)
        if self.silent:
            headers = {}
        return passes, headers if passes else headers | self._come_back(tokens)

    def _come_back(self, tokens: int) -> dict[str, str]:
        seconds = max(min(tokens, self.size) - self.level, 0) / self.rate
        return {"retry-after-ms": f"{1000 * seconds + 1:.0f}"}


@dataclass
class SlidingWindow:
    """At most ``limit`` tokens in any ``period`` seconds; tells no reset and no time to return."""

    limit: float
    period: float
    passed: deque[tuple[float, int]] = field(default_factory=deque)
    used: int = 0

    def take(self, now: float, tokens: int) -> Verdict:
        while self.passed and self.passed[0][0] <= now - self.period:
            self.used -= self.passed.popleft()[1]
        passes = self.used + tokens <= self.limit
        if passes:
            self.passed.append((now, tokens))
            self.used += tokens
        reset = self.passed[-1][0] + self.period - now if self.passed else 0
        return passes, told(self.limit, self.limit - self.used, reset)


@dataclass
class Slices:
    """A minute's limit that is enforced a second at a time, as OpenAI says it may be."""

    per_second: float
    second: int = -1
    used: float = 0
    minute: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.minute = 60 * self.per_second

    def take(self, now: float, tokens: int) -> Verdict:
        limit = 60 * self.per_second
        self.minute = min(limit, self.minute + self.per_second * (now - self.at))
        self.at = now
        if int(now) != self.second:
            self.second, self.used = int(now), 0
        passes = self.used + tokens <= self.per_second
        if passes:
            self.used += tokens
            self.minute -= tokens
        headers = told(limit, self.minute, (limit - self.minute) / self.per_second)
        return passes, headers if passes else headers | {"retry-after": "1"}
