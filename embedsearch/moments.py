"""Moments as text: one spelling, so that equal ones are equal and later ones sort after."""

from __future__ import annotations

from datetime import UTC, date, datetime, time


def spelled(moment: date | time) -> str:
    """Return a date or a time as ISO 8601: with a time zone in UTC, as ``2026-01-31T06:00:00Z``.

    That is to the second, as a fraction would sort before none. One without a zone has none in its
    text either.
    """
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        return moment.isoformat()
    try:
        return f"{moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z"
    except OverflowError:  # the first or the last day there is, and in UTC it is another
        return moment.isoformat()


def respelled(text: str) -> str:
    """Return a text that says a moment in a time zone as ``spelled`` does, any other as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return spelled(moment) if moment.tzinfo else text
