"""The ledger of API use: what was asked of whom, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from embedsearch.store.database import Database

    By = Literal["day", "command", "host", "model"]

KEYS = {"day": "date(at)", "command": "command", "host": "host", "model": "model"}
"""What totals can be told by; days are those of UTC."""


@dataclass(frozen=True, slots=True)
class Use:
    """Requests that a command made to a model, and their tokens as the provider billed them.

    Where it told none, they are as counted here. ``at`` is ISO 8601 UTC, ``cost`` in US dollars;
    ``None`` where the price is not known.
    """

    at: str
    command: str
    host: str
    model: str
    requests: int
    tokens: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class Total:
    """Use summed; ``cost`` is that of what has a price, ``unpriced`` the tokens that have none."""

    key: str
    requests: int
    tokens: int
    cost: float
    unpriced: int


def note(database: Database, uses: Iterable[Use]) -> None:
    """Add lines to the ledger."""
    with database.writing(generation=False):
        database.insert("usage", Use, uses)


def totals(database: Database, *, by: By, since: str = "") -> list[Total]:
    """Return what was used, summed by a key, in its order; ``since`` is a UTC date or time."""
    if by not in KEYS:
        raise ValueError(f"unknown key {by!r}: choose from {sorted(KEYS)}")
    rows = database.execute(
        f"""
        select {KEYS[by]} as key, sum(requests), cast(total(tokens) as integer),
               coalesce(sum(cost), 0.0),
               cast(total(tokens) filter (where cost is null) as integer)
        from usage where at >= ? group by key order by key
        """,
        [since],
    )
    return [Total(*row) for row in rows]
