"""Tables, views and indexes that an index is to have: which are lost, and how they come back."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from embedsearch.store.database import open_database

if TYPE_CHECKING:
    from embedsearch.store.database import Database

FULL_TEXT = "texts_fts"
"""The table that FTS5 makes, with others of its own whose names begin so."""

_READ_AGAIN = "what files hold comes back by: embedsearch index"

FOUND_AGAIN = "they stay, and those whose files are as they were are found by: embedsearch index"
"""What becomes of documents that lost their source."""

AFTER_LOSS = {
    "settings": "the default of each that was lost is taken",
    "sources": f"which folders are indexed is lost; of the documents: {FOUND_AGAIN}",
    "spaces": "its vectors tell what it was",
    "documents": _READ_AGAIN,
    "texts": _READ_AGAIN,
    "chunks": _READ_AGAIN,
    "unread": "what files can't be read is told again by: embedsearch index",
    "vectors": "texts are embedded again by: embedsearch index",
    "queries": "a provider is asked again for the vectors of those that are needed",
    "transcripts": "documents keep its text, and recordings are heard again if need be",
    "runs": "when the index was brought up to date, and what that took, is lost",
    "usage": "what providers were asked and paid is lost",
    "outbox": "what was sent to providers is lost",
    "labellings": "labels are lost, and set again by: embedsearch label",
    "labels": "labels are lost, and set again by: embedsearch label",
    "models": "classifiers are lost; another: embedsearch train",
    "predictions": "what classifiers said is lost, and said again by: embedsearch classify",
}
"""What becomes of an index without what was in a table, or some of it."""


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
    def after_loss(self) -> str:
        """What becomes of what it held, nothing where all of that is elsewhere."""
        return AFTER_LOSS.get(self.name, "")


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
