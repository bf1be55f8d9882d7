"""Garbage: what nothing in an index holds any more, though it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedsearch.store.database import Database


@dataclass(frozen=True, slots=True)
class Garbage:
    """What nothing in an index holds any more.

    ``vectors`` are those of passages that are in no document; to embed them again would take
    ``tokens``. ``transcripts`` are of recordings that are no document. ``freed`` is by how many
    bytes the files became smaller.
    """

    vectors: int
    tokens: int
    transcripts: int
    freed: int = 0


_RETIRED = "text in (select id from texts where text is null)"
_UNHEARD = """
    segments <> '[]' and sha256 not in (select sha256 from documents where sha256 is not null)
    and not exists (select 1 from documents where sha256 = x'')
"""
"""That nothing is said in a recording is worth remembering: such a one is never a document. And one
that was mended has no hash until it is read again: its transcript was paid for."""


def found(database: Database) -> Garbage:
    """Return what there is."""
    with database.reading():
        vectors, tokens = database.execute(f"""
            select count(*), coalesce(sum(t.tokens), 0)
            from vectors v join texts t on t.id = v.text where v.{_RETIRED}
        """).fetchone()
        return Garbage(
            vectors=vectors,
            tokens=tokens,
            transcripts=database.value(f"select count(*) from transcripts where {_UNHEARD}"),
        )


def drop(database: Database) -> Garbage:
    """Delete what there is, and return it; numbers may then be given anew, so caches are void."""
    with database.writing():
        garbage = found(database)
        database.execute(f"delete from vectors where {_RETIRED}")
        database.execute("delete from texts where text is null")
        database.execute(f"delete from transcripts where {_UNHEARD}")
        # FTS5 keeps what it is told to forget until it merges the parts of its index.
        database.execute("insert into texts_fts (texts_fts) values ('optimize')")
        database.new_epoch()
    return garbage
