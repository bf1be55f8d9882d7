"""What a server says that it bills, as far as that can be true."""

from __future__ import annotations

MOST = 2**53
"""More than was ever billed; what is larger is no exact number in every program."""


def amount(said: object) -> float | None:
    """Return a number from 0 to ``MOST``, ``None`` for all else that may stand in its place."""
    if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 <= said <= MOST:
        return None
    return said


def count(said: object) -> int | None:
    """Return an amount of tokens."""
    billed = amount(said)
    return None if billed is None else int(billed)
