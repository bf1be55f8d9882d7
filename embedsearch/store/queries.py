"""Vectors of queries that a provider was paid for, so that asking again costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.store.fulltext import text_hash
from embedsearch.store.vectors import is_sound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from embedsearch.store.database import Database

STORED = np.dtype("<f4")
"""Whole, as there are few of them."""


def vector(database: Database, space: int, query: str) -> NDArray[np.float32] | None:
    """Return the unit vector (d,) of a query that was asked before, and is sound."""
    with database.reading():
        row = database.execute(
            """
            select q.vector, s.dimensions from queries q join spaces s on s.number = q.space
            where q.space = ? and q.sha256 = ?
            """,
            [space, text_hash(query)],
        ).fetchone()
    if row is None or not _is_sound(*row):
        return None
    return np.frombuffer(row[0], STORED).astype(np.float32)


def _is_sound(stored: object, dimensions: int) -> bool:
    if not isinstance(stored, bytes):  # damage made it a number or a text
        return False
    # Dimensions are 0 until the first vector of a passage tells.
    return is_sound(stored, STORED, dimensions or len(stored) // STORED.itemsize)


def damaged(database: Database) -> list[tuple[int, bytes]]:
    """Return the keys (space, hash) of vectors that can't be those of a query."""
    rows = database.execute("""
        select q.space, q.sha256, q.vector, s.dimensions
        from queries q join spaces s on s.number = q.space
    """)
    return [(space, sha256) for space, sha256, *row in rows if not _is_sound(*row)]


def drop(database: Database, keys: Iterable[tuple[int, bytes]]) -> None:
    """Let queries be asked again."""
    database.executemany("delete from queries where space = ? and sha256 = ?", keys)


def keep(database: Database, space: int, query: str, vector: NDArray[np.float32]) -> None:
    """Keep the vector (d,) of a query; no generation is made, as nothing that is found changes."""
    with database.writing(generation=False):
        database.execute(
            "insert or replace into queries (space, sha256, vector) values (?, ?, ?)",
            [space, text_hash(query), vector.astype(STORED).tobytes()],
        )
