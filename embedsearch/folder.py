"""The folder of an index: what the files in it are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

DATABASE = "index.db"
CACHE = "vectors.faiss"
LOCK = "writer.lock"
DAMAGED = f"{DATABASE}.damaged"
"""How the names begin of what a salvage leaves, a log beside it too."""
OWN = (DATABASE, CACHE, LOCK)
"""How the names of an index's files begin: some have a log or a temporary file beside them."""


def own_names(names: Collection[str]) -> tuple[str, ...]:
    """Return how those names in a folder begin that are no user's: ``OWN`` where an index lies.

    It is known by names alone: to open a database would end the locks that SQLite has on it.
    """
    return OWN if DATABASE in names and LOCK in names else ()
