"""Which failures are tried again, and after how many seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def wait(
    status: int | None,
    headers: Mapping[str, str],
    attempt: int,
    *,
    now: float,
    luck: float,
    code: str | None = None,
) -> float | None:
    """Return the seconds to wait before sending again, or None where that is of no use."""
    if status is None or status in {408, 409, 429} or status >= 500:
        return min(0.5 * 2.0**attempt, 8.0) * (1 - 0.25 * luck)
    return None
