"""Documents without their texts: what a list of them shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embedsearch.store.metadata import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from embedsearch.store.database import Database
    from embedsearch.store.filters import Filter


@dataclass(frozen=True, slots=True)
class Summary:
    """A document without its text."""

    id: str
    chunks: int
    characters: int
    updated: str
    metadata: dict[str, Any]


def under(metadata: Mapping[str, Any], key: str) -> Any:
    """Return what is under a key, by itself or inside of objects, ``None`` for nothing."""
    if key in metadata:
        return metadata[key]
    found: Any = metadata
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


FIRST, MOST = 1_000, 32_000
"""How many summaries are read at first, and at most; each time twice as many as the last, as a
condition on labels looks at all labels for each page."""


def summaries(database: Database, condition: Filter) -> Iterator[Summary]:
    """Yield every document that meets a condition without its text, by id.

    No transaction is open while the caller has its turn, so it may write between two of them.
    """
    last, size = "", FIRST  # no id is empty
    while page := _page(database, condition, last, size):
        ids, *facts, stored = zip(*page, strict=True)
        for row in zip(ids, *facts, decoded(database.path, ids, stored), strict=True):
            yield Summary(*row)
        last = page[-1][0]
        size = min(2 * size, MOST)


def _page(
    database: Database, condition: Filter, last: str, size: int
) -> list[tuple[str, int, int, str, str]]:
    with database.reading():
        return database.execute(
            f"""
            select d.id, (select count(*) from chunks c where c.document = d.number),
                   d.characters, d.updated, d.metadata
            from documents d where d.id > ? and {condition.sql} order by d.id limit ?
            """,
            [last, *condition.values, size],
        ).fetchall()


def blank(database: Database, condition: Filter) -> list[str]:
    """Return the ids of those documents that meet a condition and have no words, in order."""
    with database.reading():
        rows = database.execute(
            f"""
            select d.id from documents d where {condition.sql} and not exists (
                select 1 from chunks c join texts t on t.id = c.text
                where c.document = d.number and not t.blank
            )
            order by d.id
            """,
            condition.values,
        )
        return [id for (id,) in rows]
