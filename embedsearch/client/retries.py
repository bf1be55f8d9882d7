"""Which failures are tried again, and after how many seconds: pure functions of what came back."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSING = frozenset({408, 409, 429})
"""Refusals that may be different in a moment, as is every status from 500 on."""

FINAL = frozenset({"insufficient_quota"})
"""Codes of a 429 that waiting does not cure: the account is out of credit."""

LONGEST = 120.0
"""Seconds that a server may ask for; who asks for more is not waited for, and not asked again."""

UNHEARD = 2
"""Attempts to reach a server where nothing listens: 1.5 seconds for one that is starting up."""

FIRST, MOST = 0.5, 8.0
"""Seconds of the first wait and of the longest, where the server names none."""

JITTER = 0.25
"""The share of a wait that luck may take off, so that refused callers do not return as one."""


def wait(
    status: int | None,
    headers: Mapping[str, str],
    attempt: int,
    *,
    now: float,
    luck: float,
    code: str | None = None,
) -> float | None:
    """Return the seconds to wait before sending again, or None where that is of no use.

    ``status`` is None where no answer came: a timeout, a broken connection. ``attempt`` counts
    from 0, ``now`` is the time of day in seconds since 1970, ``luck`` a random number from 0
    to 1, ``code`` the error's code. ``headers`` are looked up in lower case.
    """
    if not _passes(status, headers, code):
        return None
    asked = asked_for(headers, now=now)
    if not asked:  # Who says "now" each time would use up all attempts at once.
        return backoff(attempt) * (1 - JITTER * luck)
    return asked if asked <= LONGEST else None


def asked_for(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds that the server asks to wait, None if it does not, or asks nonsense."""
    seconds = _milliseconds(headers.get("retry-after-ms"))
    if seconds is None:
        seconds = _seconds(headers.get("retry-after"), _date(headers.get("date")) or now)
    return seconds if seconds is not None and seconds >= 0 else None


def backoff(attempt: int) -> float:
    """Return the seconds to wait after a failure: twice as long each time, 8 at most."""
    return min(FIRST * 2.0 ** min(attempt, 10), MOST)


def _passes(status: int | None, headers: Mapping[str, str], code: str | None) -> bool:
    match headers.get("x-should-retry"):
        case "true":
            return True
        case "false":
            return False
    return status is None or ((status in PASSING or status >= 500) and code not in FINAL)


def _milliseconds(value: str | None) -> float | None:
    seconds = number(value)
    return None if seconds is None else seconds / 1000


def _seconds(value: str | None, now: float) -> float | None:
    """Read ``Retry-After``: seconds, or the date until which to wait.

    ``now`` is what the server's clock says where it tells, as ours may be wrong.
    """
    seconds = number(value)
    until = _date(value) if seconds is None else None
    return seconds if until is None else max(until - now, 0)


def _date(value: str | None) -> float | None:
    """Read a date in any of HTTP's three forms, of which C's names no zone and means UTC."""
    try:
        read = parsedate_to_datetime(value or "")
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def number(value: str | None) -> float | None:
    """Read a header's number, None where there is none."""
    try:
        read = float(value or "")
    except ValueError:
        return None
    return read if isfinite(read) else None
