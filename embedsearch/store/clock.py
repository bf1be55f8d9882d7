"""The time as it is stored."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Return the time in UTC, to the second, as ISO 8601."""
    return stamp(datetime.now(UTC))


def stamp(time: datetime) -> str:
    """Return a time, to the second, as ISO 8601."""
    return time.isoformat(timespec="seconds")
