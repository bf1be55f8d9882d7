"""Tables, views and indexes that an index is to have: which are lost, and how they come back."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from embedsearch.store.database import open_database

if TYPE_CHECKING:
    from embedsearch.store.database import Database

FULL_TEXT = "texts_fts"
"""The table that FTS5 makes, with others of its own whose names begin so."""


class Part(NamedTuple):
    """A table, a view or an index, which is of a table; ``sql`` makes it."""

    kind: str
    name: str
    table: str
    sql: str

    @property
    def is_full_text(self) -> bool:
        """Whether FTS5 made it: all of that is made anew at once."""
        return self.name.startswith(FULL_TEXT)

    @property
    def holds(self) -> bool:
        """Whether what it held is nowhere else."""
        return self.kind == "table" and not self.is_full_text


def missing(database: Database) -> list[Part]:
    """Return what a new index has in its schema and this one has not."""
    with closing(open_database(None, create=True)) as new:
        wanted = _parts(new)
    there = {part.name for part in _parts(database)}
    return [part for part in wanted if part.name not in there]


def restore(database: Database) -> None:
    """Make what is missing anew, tables empty; the full text is then to be filled."""
    if any(part.is_full_text for part in missing(database)):
        for part in _parts(database):
            if part.is_full_text:
                database.execute(f"drop table if exists {part.name}")
    for part in missing(database):
        if part.name == FULL_TEXT or not part.is_full_text:
            database.execute(part.sql)


def _parts(database: Database) -> list[Part]:
    rows = database.execute(
        """
        select type, name, tbl_name, sql from sqlite_master
        where name not glob 'sqlite_*' order by rowid
        """
    )
    return [Part(*row) for row in rows]
