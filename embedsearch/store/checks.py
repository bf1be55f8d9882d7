"""Checks: what can go wrong in ``index.db``, how it is found, and how it is mended."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
from collections import Counter
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from embedsearch.errors import IndexCorrupt, IndexDamaged, IndexLocked, StorageFailed
from embedsearch.store import facts, metadata, models, queries, tables, transcripts, words
from embedsearch.store.fulltext import text_hash
from embedsearch.store.sources import roots
from embedsearch.store.tables import FOUND_AGAIN
from embedsearch.store.vectors import STORED, is_sound, other_dimensions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from embedsearch.store.database import Database

logger = logging.getLogger(__name__)


_TYPES = {"BLOB": "blob", "FLOAT": "real", "INTEGER": "integer", "REAL": "real", "TEXT": "text"}
"""What SQLite's ``typeof`` says of a value, by the type of its column."""


_BY_SALVAGE = "what can be read of it goes into a new one by salvage"

TO_BE_READ = -1
"""The size of a document whose file the next sync is to read, whatever it finds."""

NO_HASH = bytes(24)
"""How the hash of a text begins that is not what was stored: no text has such a one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in an index that is not as it should be, and what becomes of it.

    ``by_repair``: whether ``repair`` has anything to do; if not, the rest is the user's.
    """

    what: str
    remedy: str
    by_repair: bool = True


def missing(database: Database) -> Iterator[Problem]:
    """Yield what the database lacks altogether; of the rest little can be said then."""
    with database.reading():
        lost = tables.missing(database)
        names = {part.name for part in lost}
        for part in lost:
            whole = tables.FULL_TEXT if part.is_full_text else part.table
            if part.name != whole and whole in names:
                continue
            empty = f", empty; {part.after_loss}" if part.after_loss else ""
            yield Problem(
                f"index.db is damaged: its {part.kind} {part.name} is missing",
                f"it is made anew{empty}",
            )


def problems(database: Database, space: int) -> Iterator[Problem]:
    """Yield what is wrong in the database, of which nothing is ``missing``."""
    yield from _full_text(database)
    with database.reading():
        yield from _damage(database)
        if any(_mistyped(database)):
            return  # nothing can be said of what its rows mean
        yield from _dangling(database)
        yield from _lost(database)
        for version in _broken_models(database):
            yield Problem(
                f"classifier {version} is damaged", "it is dropped; another: embedsearch train"
            )
        for number in transcripts.damaged(database):
            yield Problem(
                f"{transcripts.name(database, number)} can't be read",
                "it is lost; documents keep its text, and its recording is heard again if need be",
            )
        for key in facts.damaged_notes(database):
            yield Problem(f"the note {key!r} can't be read", "it is dropped, and made anew")
        if other := other_dimensions(database, space):
            yield Problem(_told_of_dimensions(other), "that is noted")
            return  # nothing can be said of single vectors
        if wrong := _wrong_vectors(database, space):
            yield Problem(
                f"damaged vectors: {len(wrong):,}",
                "their texts are embedded again by the next: embedsearch index",
            )
        if lost := queries.damaged(database):
            yield Problem(
                f"damaged vectors of queries: {len(lost):,}",
                "they are dropped; a provider is asked again for those that are needed",
            )


def _lost(database: Database) -> Iterator[Problem]:
    """Yield the documents that are not whole, and how each comes back."""
    altered = _altered(database)
    unnoted = {*_holders(database, [text for text in altered if not altered[text]])}
    found = [
        *((id, f"the chunks of {id!r} do not cover it") for id in _torn(database)),
        *((id, f"the text of {id!r} is not what was stored") for id in _holders(database, altered)),
    ]
    bare = [*metadata.damaged(database.connection)]
    files = _files(database, [*dict(found), *bare])
    for id, what in found:
        dashes = "-- " if id.startswith("-") else ""
        by_hand = f"add it again, or: embedsearch rm {dashes}{quote(id)}"
        remedy, noted = files.get(id, (by_hand, True))
        yield Problem(what, remedy, by_repair=id in unnoted or not noted)
    for id in bare:
        remedy, _ = files.get(id, ("it is dropped; to have it, add the document again", False))
        yield Problem(f"the metadata of {id!r} can't be read", remedy)
    named = {*dict(found), *bare}
    for id, (remedy, noted) in files.items():
        if noted and id not in named:
            yield Problem(f"the metadata of {id!r} is lost", remedy, by_repair=False)


def _files(database: Database, ids: Sequence[str]) -> dict[str, tuple[str, bool]]:
    """Return how documents are read again from their files, and whether the next sync does so.

    Of those among ``ids``, and of all that it does read again; by id.
    """
    remedies = {
        number: f"it is read again by: embedsearch index {quote(str(root))}"
        for number, root in roots(database).items()
    }
    rows = database.execute(
        """
        select id, source, size from documents
        where source is not null and (size = ? or id in (select value from json_each(?)))
        order by number
        """,
        [TO_BE_READ, json.dumps(ids)],
    )
    return {
        id: (remedies[source], size == TO_BE_READ)
        for id, source, size in rows
        if source in remedies
    }


def _damage(database: Database) -> Iterator[Problem]:
    for (finding,) in database.execute("pragma integrity_check(10)"):
        if finding != "ok":
            what = f"index.db is damaged: {' '.join(finding.split())}"
            yield Problem(what, "its indexes are built again")
    for table in _mistyped(database):
        yield Problem(f"index.db is damaged: {table} holds rows of wrong types", "they are dropped")


def _mistyped(database: Database) -> Iterator[str]:
    """Yield the tables with a value of another type than its column's."""
    own = database.execute(
        "select name from sqlite_master where type = 'table' and name not glob '*_*'"
    ).fetchall()
    for (table,) in own:
        columns = dict(
            database.execute("select name, type from pragma_table_info(?)", [table]).fetchall()
        )
        unknown = any(type_.upper() not in _TYPES for type_ in columns.values())
        if unknown or database.value(f"select 1 from {table} where {misfit(columns)} limit 1"):
            yield table


def misfit(columns: Mapping[str, str]) -> str:
    """Return the condition for rows with a value of another type than its column's.

    SQLite takes any value in any column, so only damage makes one. A type that is damaged itself
    says nothing.
    """
    fits = (
        f"typeof(\"{name}\") not in ('{_TYPES[type_.upper()]}', 'null')"
        for name, type_ in columns.items()
        if type_.upper() in _TYPES
    )
    return " or ".join(fits) or "false"


def _full_text(database: Database) -> Iterator[Problem]:
    """Ask FTS5, whose word for it is an insert: it changes nothing, but takes a writer's turn."""
    try:
        with database.writing(generation=False):
            database.execute(
                "insert into texts_fts (texts_fts, rank) values ('integrity-check', 1)"
            )
    except (StorageFailed, IndexLocked) as error:
        logger.info("the full text was not checked: %s", error)
    except IndexCorrupt:
        yield Problem("the full text is not that of the documents", "it is built again")


def _dangling(database: Database) -> Iterator[Problem]:
    """Yield how many rows of a table point to rows that are not there."""
    found = Counter(
        (table, parent) for table, _, parent, _ in database.execute("pragma foreign_key_check")
    )
    for (table, parent), count in found.items():
        remedy = FOUND_AGAIN if table == "documents" else "they are dropped"
        yield Problem(f"{table} without their {parent}: {count:,}", remedy)


def _torn(database: Database) -> Iterator[str]:
    """Yield the ids of documents with characters in no chunk, or chunks out of order."""
    rows = database.execute("""
        select d.id, d.characters, c.start, c."end", t.text
        from documents d
        left join chunks c on c.document = d.number
        left join texts t on t.id = c.text
        order by d.number, c.position
    """)
    document, characters, done, whole = "", 0, 0, True
    for id, length, start, end, text in rows:
        if id != document:
            if not whole or done != characters:
                yield document
            document, characters, done, whole = id, length, 0, True
        if start is not None:
            whole = whole and text is not None and start <= done and end - start == len(text)
            done = end
    if not whole or done != characters:
        yield document


def _altered(database: Database) -> dict[int, bool]:
    """Return the ids of texts that do not have their hash, and whether ``mend`` took it away."""
    rows = database.execute("select id, sha256, text, salt from texts where text is not null")
    return {
        id: key.startswith(NO_HASH) for id, key, text, salt in rows if text_hash(text, salt) != key
    }


def _holders(database: Database, texts: Iterable[int]) -> list[str]:
    """Return the ids of the documents that hold one of ``texts``."""
    rows = database.execute(
        """
        select distinct d.id from json_each(?) j
        join chunks c on c.text = j.value join documents d on d.number = c.document
        """,
        [json.dumps([*texts])],
    )
    return [id for (id,) in rows]


def _wrong_vectors(database: Database, space: int) -> list[int]:
    """Return the numbers of vectors of other dimensions, or that are no unit vectors."""
    dimensions = database.value("select dimensions from spaces where number = ?", [space])
    rows = database.execute("select number, vector from vectors where space = ?", [space])
    return [number for number, blob in rows if not is_sound(blob, STORED, dimensions)]


def _told_of_dimensions(found: int) -> str:
    return f"index.db is damaged: its vectors have {found:,} dimensions, which is not what it says"


def _broken_models(database: Database) -> list[int]:
    """Return the versions of classifiers that can't be used, or told what they learned from.

    A sound one is an npz, which is a zip with checksums.
    """
    broken = [*models.damaged(database)]
    for version, state in database.execute("select version, state from models"):
        try:
            with ZipFile(io.BytesIO(state)) as file:
                sound = file.testzip() is None
        except (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError):
            sound = False
        if not sound and version not in broken:
            broken.append(int(version))
    return broken


_LET_GO = (
    "update documents set source = null where source not in (select number from sources)",
    "delete from unread where source not in (select number from sources)",
    "delete from chunks where text not in (select id from texts)",
    "delete from chunks where document not in (select number from documents)",
    "delete from vectors where text not in (select id from texts)",
    "delete from vectors where space not in (select number from spaces)",
    "delete from queries where space not in (select number from spaces)",
    "delete from labels where labelling not in (select number from labellings)",
    "delete from predictions where version not in (select version from models)",
)
"""What becomes of rows that point to rows that are not there."""


def mend(database: Database, space: int) -> None:
    """Build again what can be, and leave the rest to be read or embedded again by a sync.

    A document that came from no file and is torn stays as it is. ``problems`` then still names
    the documents to be read or added again.

    Raises:
        IndexDamaged: it takes more than that; nothing is changed.

    """
    with database.writing():
        _reindex(database)
        if other := other_dimensions(database, space):
            raise IndexDamaged(_told_of_dimensions(other), hint=_BY_SALVAGE)
        _drop(database, "models where version = ?", _broken_models(database))
        for statement in _LET_GO:
            database.execute(statement)
        _have_read_again(database)
        _drop(database, "transcripts where number = ?", [*transcripts.damaged(database)])
        _drop(database, "vectors where number = ?", _wrong_vectors(database, space))
        queries.drop(database, queries.damaged(database))
        # What was noted to be left says nothing of what was dropped, or salvaged.
        facts.drop(database, [facts.PENDING, *facts.damaged_notes(database)])
        database.execute("""
            update texts set text = null, words = null
            where text is not null and id not in (select text from chunks)
        """)
        # After the texts are settled: the words are made from them.
        words.renew(database.connection)
        database.new_epoch()


def _drop(database: Database, which: str, numbers: Iterable[int]) -> None:
    database.executemany(f"delete from {which}", ((number,) for number in numbers))


def _have_read_again(database: Database) -> None:
    """Let the next sync read the files of documents that are torn, altered, or lost metadata."""
    altered = _altered(database)
    bare = [*metadata.damaged(database.connection)]
    again = {*_torn(database), *_holders(database, altered), *bare}
    database.executemany(
        "update documents set metadata = '{}' where id = ?", ((id,) for id in bare)
    )
    database.executemany(
        "update documents set size = ?, sha256 = x'' where id = ? and source is not null",
        ((TO_BE_READ, id) for id in again),
    )
    # The text that had this hash is stored anew when it comes back.
    database.executemany(
        "update texts set sha256 = ? where id = ?",
        ((NO_HASH + text.to_bytes(8), text) for text in altered),
    )


def _reindex(database: Database) -> None:
    try:
        tables.restore(database)
        database.execute("reindex")
        left = [problem.what for problem in _damage(database)]
    except sqlite3.IntegrityError as error:
        left = [f"{database.path} is damaged: {error}"]
    if left:
        raise IndexDamaged(left[0], hint=_BY_SALVAGE)
