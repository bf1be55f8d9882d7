"""Documents and their chunks: put, take away, look up."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from embedsearch.errors import DocumentNotFound
from embedsearch.records import Chunk, Document
from embedsearch.store import fulltext, models
from embedsearch.store.clock import now
from embedsearch.store.metadata import decoded, encoded_metadata

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from embedsearch.records import Hit
    from embedsearch.store.database import Database
    from embedsearch.store.fulltext import Text


_CHUNK = re.compile(r"(?s)(.*)#(\d{1,18})")
"""A document's id and the position of a chunk; longer numbers are beyond SQLite's."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document's text came from: a file of a source, as it was when it was read."""

    source: int
    path: str
    size: int
    changed_ns: int
    sha256: bytes


Row: TypeAlias = "tuple[int, int, int, int, int, int | None, str | None, float | None]"
"""A chunk as a row: position, start, end, start_line, end_line, page, heading, seconds."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document as rows, ready to be put; cheap to send from one process to another."""

    id: str
    kind: str
    metadata: str
    characters: int
    origin: Origin | None
    texts: Sequence[Text]
    chunks: Sequence[Row]
    """A row a chunk, both."""
    partial: str | None = None


def prepare(document: Document, chunks: Sequence[Chunk], origin: Origin | None = None) -> Prepared:
    """Return a document and its chunks as the rows that ``put`` writes.

    Raises:
        ValueError: the metadata is no JSON that UTF-8 can hold.

    """
    texts = [fulltext.row(c.text, c.tokens, blank=not c.text.strip()) for c in chunks]
    rows = [
        (n, c.start, c.end, c.start_line, c.end_line, c.page, c.heading, c.seconds)
        for n, c in enumerate(chunks)
    ]
    return _prepared(document, origin, texts, rows)


def prepare_whole(document: Document, *, salt: bytes) -> Prepared:
    """Return a document as one chunk, its text set apart by ``salt`` from equal ones of others.

    Raises as ``prepare`` does.
    """
    text = document.text
    row = (0, 0, len(text), 1, 1 + text.count("\n", 0, -1), None, None, None)
    return _prepared(document, None, [fulltext.row(text, salt=salt)], [row])


def _prepared(
    document: Document, origin: Origin | None, texts: Sequence[Text], chunks: Sequence[Row]
) -> Prepared:
    return Prepared(
        document.id,
        document.kind,
        encoded_metadata(document),
        len(document.text),
        origin,
        texts,
        chunks,
        document.partial,
    )


def put(database: Database, batch: Sequence[Prepared]) -> dict[bytes, int]:
    """Put documents in place of those of the same id, each whole, in one transaction.

    What was predicted of these is dropped. Returns the ids of their texts by sha256.
    """
    ids = [document.id for document in batch]
    with database.writing():
        numbers = numbered(database, ids)
        models.forget(database, ids)
        known = [numbers[document.id] for document in batch if document.id in numbers]
        retired = _drop_chunks(database, known) if known else []
        _put_documents(database, batch, numbers)
        texts = fulltext.write(database, [text for document in batch for text in document.texts])
        _put_chunks(database, batch, numbers, texts)
        fulltext.retire(database, retired)
    return texts


def numbered(database: Database, ids: Sequence[str]) -> dict[str, int]:
    """Return the numbers of those among ``ids`` that are there; a newer document's is higher."""
    return dict(
        database.execute(
            "select d.id, d.number from json_each(?) j join documents d on d.id = j.value",
            [json.dumps(ids)],
        )
    )


def newest(database: Database) -> int:
    """Return the highest number of a document, 0 where there is none."""
    return int(database.value("select coalesce(max(number), 0) from documents"))


def held(database: Database, ids: Sequence[str]) -> set[str]:
    """Return those among ``ids`` that are there."""
    with database.reading():
        return set(numbered(database, ids))


def require(database: Database, ids: Sequence[str]) -> None:
    """Raise DocumentNotFound unless all ``ids`` are there."""
    _refuse_missing(ids, held(database, ids))


def _refuse_missing(ids: Sequence[str], there: Container[str]) -> None:
    for id in ids:
        if id not in there:
            raise _not_found(id)


def _put_documents(database: Database, batch: Sequence[Prepared], numbers: dict[str, int]) -> None:
    number = newest(database)
    updated = now()
    rows = []
    for document in batch:
        if document.id not in numbers:
            number += 1
            numbers[document.id] = number
        o = document.origin
        origin = (o.source, o.path, o.size, o.changed_ns, o.sha256) if o else (None,) * 5
        rows.append(
            (
                numbers[document.id],
                document.id,
                *origin,
                document.kind,
                document.characters,
                document.metadata,
                updated,
                document.partial,
            )
        )
    database.executemany(
        """
        insert into documents
            (number, id, source, path, size, mtime_ns, sha256, kind, characters, metadata, updated,
             partial)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        on conflict (number) do update set
            source = excluded.source, path = excluded.path, size = excluded.size,
            mtime_ns = excluded.mtime_ns, sha256 = excluded.sha256, kind = excluded.kind,
            characters = excluded.characters, metadata = excluded.metadata,
            updated = excluded.updated, partial = excluded.partial
        """,
        rows,
    )


def _put_chunks(
    database: Database,
    batch: Sequence[Prepared],
    numbers: dict[str, int],
    texts: dict[bytes, int],
) -> None:
    database.executemany(
        """
        insert into chunks
            (document, text, position, start, "end", start_line, end_line, page, heading,
             seconds)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            (numbers[document.id], texts[text[0]], *chunk)
            for document in batch
            for text, chunk in zip(document.texts, document.chunks, strict=True)
        ),
    )


def _drop_chunks(database: Database, numbers: Iterable[int]) -> list[int]:
    """Delete the chunks of documents and return the ids of the texts they held."""
    listed = json.dumps(list(numbers))
    held = database.execute(
        "select distinct c.text from json_each(?) j join chunks c on c.document = j.value",
        [listed],
    )
    texts = [text for (text,) in held]
    database.execute(
        "delete from chunks where document in (select value from json_each(?))", [listed]
    )
    return texts


def remove(database: Database, ids: Sequence[str]) -> int:
    """Remove the documents among ``ids`` that are there, and return how many they were.

    What was predicted of them goes, too.
    """
    with database.writing():
        numbers = list(numbered(database, ids).values())
        models.forget(database, ids)
        retired = _drop_chunks(database, numbers)
        fulltext.retire(database, retired)
        database.executemany("delete from documents where number = ?", ((n,) for n in numbers))
    return len(numbers)


def get(database: Database, id: str) -> Document:
    """Return a document with its whole text, put together from its chunks.

    Raises:
        DocumentNotFound: the index holds no such id.

    """
    with database.reading():
        row = database.execute(
            "select kind, metadata, partial from documents where id = ?", [id]
        ).fetchone()
        if row is None:
            raise _not_found(id)
        kind, metadata, partial = row
        parts, done = [], 0
        for chunk in chunks(database, id):
            parts.append(chunk.text[done - chunk.start :])
            done = chunk.end
    (known,) = decoded(database.path, [id], [metadata])
    return Document(id, "".join(parts), known, kind, partial=partial)


def texts(database: Database, ids: Sequence[str]) -> list[str]:
    """Return the whole texts of documents, in the order of their ids.

    Raises:
        DocumentNotFound: the index holds no such id.

    """
    parts: dict[str, list[str]] = {}
    done: dict[str, int] = {}
    with database.reading():
        rows = database.execute(
            """
            select d.id, c.start, c."end", t.text
            from documents d left join chunks c on c.document = d.number
            left join texts t on t.id = c.text
            where d.id in (select value from json_each(?)) order by d.number, c.position
            """,
            [json.dumps(list(ids))],
        )
        for id, start, end, text in rows:
            held = parts.setdefault(id, [])
            if text is not None:
                held.append(text[done.get(id, 0) - start :])
                done[id] = end
    _refuse_missing(ids, parts)
    return ["".join(parts[id]) for id in ids]


def chunks(database: Database, id: str) -> list[Chunk]:
    """Return the chunks of a document in order.

    Raises:
        DocumentNotFound: the index holds no such id.

    """
    with database.reading():
        rows = database.execute(
            """
            select t.text, c.start, c."end", t.tokens, c.start_line, c.end_line, c.page,
                   c.heading, c.seconds
            from documents d
            join chunks c on c.document = d.number
            join texts t on t.id = c.text
            where d.id = ? order by c.position
            """,
            [id],
        )
        found = [Chunk(*row) for row in rows]
        if not found and id not in held(database, [id]):
            raise _not_found(id)
    return found


def _not_found(id: str) -> DocumentNotFound:
    return DocumentNotFound(
        f"no document {id!r} in the index", hint="see: embedsearch ls; in Python: index.documents()"
    )


def named(database: Database, id: str) -> tuple[str, int | None]:
    """Return the document that an id names, and the position of its chunk for ``DOCUMENT#N``.

    Raises:
        DocumentNotFound: the index holds no such document or chunk.

    """
    if held(database, [id]):
        return id, None
    chunk = _CHUNK.fullmatch(id)
    if chunk and text_ids(database, chunk[1], int(chunk[2])):
        return chunk[1], int(chunk[2])
    raise _not_found(id)


def text_ids(database: Database, id: str, position: int | None = None) -> list[int]:
    """Return the ids of the texts of a document's chunks, or of the one at ``position``."""
    with database.reading():
        rows = database.execute(
            """
            select c.text from documents d join chunks c on c.document = d.number
            where d.id = ? and (? is null or c.position = ?) order by c.position
            """,
            [id, position, position],
        )
        return [text for (text,) in rows]


def text_of(database: Database, hit: Hit) -> int:
    """Return the id of a hit's text.

    Raises:
        DocumentNotFound: its document has no such chunk any more.

    """
    text = database.value(
        """
        select t.id from documents d
        join chunks c on c.document = d.number
        join texts t on t.id = c.text
        where d.id = ? and c.start = ? and t.text = ?
        """,
        [hit.document_id, hit.start, hit.text],
    )
    if text is None:
        raise _not_found(hit.chunk_id)
    return int(text)


def holding(database: Database, texts: Sequence[int]) -> dict[int, str]:
    """Return the id of the oldest document that holds each text; what none holds is left out."""
    with database.reading():
        rows = database.execute(
            """
            select c.text, d.id, min(d.number)
            from json_each(?) j
            cross join chunks c on c.text = j.value
            cross join documents d on d.number = c.document
            group by c.text
            """,
            [json.dumps(texts)],
        ).fetchall()
    return {text: id for text, id, _ in rows}


def place(database: Database, text: int) -> tuple[str, int]:
    """Return the id of the oldest document that holds a text, and the line it starts on there.

    ``("", 1)`` where none holds it any more.
    """
    with database.reading():
        row: tuple[str, int] | None = database.execute(
            """
            select d.id, c.start_line from chunks c join documents d on d.number = c.document
            where c.text = ? order by d.number limit 1
            """,
            [text],
        ).fetchone()
    return row or ("", 1)


def origins(database: Database, ids: Sequence[str]) -> dict[str, Origin]:
    """Return the files that documents came from, by id; those added without a file are left out."""
    with database.reading():
        rows = database.execute(
            """
            select d.id, d.source, d.path, d.size, d.mtime_ns, d.sha256
            from json_each(?) j
            join documents d on d.id = j.value
            join sources s on s.number = d.source
            """,
            [json.dumps(ids)],
        )
        return {id: Origin(*origin) for id, *origin in rows}
