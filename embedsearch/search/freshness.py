"""Freshness: whether a file still is what the index read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from embedsearch.readers import changed_ns
from embedsearch.store import documents, sources

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from embedsearch.store.database import Database
    from embedsearch.store.documents import Origin


def stale(database: Database, ids: Iterable[str]) -> set[str]:
    """Return those of the documents whose file changed since it was read, or is gone."""
    with database.reading():
        origins = documents.origins(database, list(ids))
        roots = sources.roots(database)
    return {
        id for id, origin in origins.items() if _changed(roots[origin.source] / origin.path, origin)
    }


def _changed(path: Path, origin: Origin) -> bool:
    try:
        facts = path.stat()
        if (facts.st_size, changed_ns(facts)) == (origin.size, origin.changed_ns):
            return False
        if facts.st_size != origin.size:
            return True
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest() != origin.sha256
    except OSError:
        return True
