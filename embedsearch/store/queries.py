"""Vectors of queries that a provider was paid for, so that asking again costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.store.fulltext import text_hash

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.store.database import Database

STORED = np.dtype("<f4")
"""Whole, as there are few of them."""


def vector(database: Database, space: int, query: str) -> NDArray[np.float32] | None:
    """Return the unit vector (d,) of a query that was asked before."""
    with database.reading():
        blob = database.value(
            "select vector from queries where space = ? and sha256 = ?", [space, text_hash(query)]
        )
    return None if blob is None else np.frombuffer(blob, STORED).astype(np.float32)


def keep(database: Database, space: int, query: str, vector: NDArray[np.float32]) -> None:
    """Keep the vector (d,) of a query; no generation is made, as nothing that is found changes."""
    with database.writing(generation=False):
        database.execute(
            "insert or replace into queries (space, sha256, vector) values (?, ?, ?)",
            [space, text_hash(query), vector.astype(STORED).tobytes()],
        )
