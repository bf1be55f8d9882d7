"""The tables of ``index.db`` and how older files become newer ones.

``docs/schema.md`` explains every table and column for whoever opens the file with other tools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.store import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database as Tables

APPLICATION_ID = 0x656D6273
"""``embs`` in ASCII: marks an SQLite file as ours (``PRAGMA application_id``)."""


def _first(tables: Tables) -> None:
    tables.table("settings").create({"key": str, "value": str}, pk="key", not_null=["value"])
    tables.table("sources").create(
        {"number": int, "root": str, "inside": int}, pk="number", not_null=["root", "inside"]
    )
    tables.table("sources").create_index(["root"], unique=True)
    tables.table("documents").create(
        {
            "number": int,
            "id": str,
            "source": int,
            "path": str,
            "size": int,
            "mtime_ns": int,
            "sha256": bytes,
            "kind": str,
            "characters": int,
            "metadata": str,
            "updated": str,
        },
        pk="number",
        not_null=["id", "kind", "characters", "metadata", "updated"],
        foreign_keys=[("source", "sources", "number")],
    )
    tables.table("documents").create_index(["id"], unique=True)
    tables.execute(
        "create unique index idx_documents_source_path on documents (source, path) "
        "where source is not null"
    )
    tables.table("unread").create(
        {
            "source": int,
            "path": str,
            "size": int,
            "mtime_ns": int,
            "binary": int,
            "why": str,
            "version": str,
        },
        pk=("source", "path"),
        not_null=["size", "mtime_ns", "binary", "why", "version"],
        foreign_keys=[("source", "sources", "number")],
    )
    tables.table("texts").create(
        {"id": int, "sha256": bytes, "tokens": int, "blank": int, "text": str},
        pk="id",
        not_null=["sha256", "blank"],
    )
    tables.table("texts").create_index(["sha256"], unique=True)
    tables.execute("create index idx_texts_retired on texts (id) where text is null")
    tables.execute("""
        create table chunks (
            document integer not null references documents (number),
            position integer not null,
            text integer not null references texts (id),
            start integer not null,
            "end" integer not null,
            start_line integer not null,
            end_line integer not null,
            page integer,
            heading text,
            primary key (text, document, position)
        ) without rowid
    """)
    tables.table("chunks").create_index(["document", "position"], unique=True)
    tables.table("spaces").create(
        {"number": int, "name": str, "embedder": str, "dimensions": int},
        pk="number",
        not_null=["name", "embedder", "dimensions"],
    )
    tables.table("spaces").create_index(["name"], unique=True)
    tables.table("vectors").create(
        {"number": int, "space": int, "text": int, "vector": bytes},
        pk="number",
        not_null=["space", "text", "vector"],
        foreign_keys=[("space", "spaces", "number"), ("text", "texts", "id")],
    )
    tables.table("vectors").create_index(["space", "text"], unique=True)
    tables.table("runs").create(
        {
            "number": int,
            "command": str,
            "started": str,
            "seconds": float,
            "added": int,
            "updated": int,
            "renamed": int,
            "removed": int,
            "unchanged": int,
            "failed": int,
            "texts": int,
            "tokens": int,
            "cost": float,
        },
        pk="number",
        not_null=["command", "started", "seconds"],
    )


def _full_text(tables: Tables) -> None:
    tables.create_view("live_texts", "select id, text from texts where text is not null")
    tables.execute("""
        create virtual table texts_fts using fts5 (
            text, content = 'live_texts', content_rowid = 'id',
            tokenize = 'porter unicode61 remove_diacritics 2'
        )
    """)
    tables.execute("""
        create view passages as
        select d.id as document, c.position, c.heading, c.start_line, c.end_line, c.page, t.text
        from chunks c
        join documents d on d.number = c.document
        join texts t on t.id = c.text
    """)


def _salt(tables: Tables) -> None:
    tables.execute("alter table texts add column salt blob")


def _sent(tables: Tables) -> None:
    tables.table("usage").create(
        {
            "number": int,
            "at": str,
            "command": str,
            "host": str,
            "model": str,
            "requests": int,
            "tokens": int,
            "cost": float,
        },
        pk="number",
        not_null=["at", "command", "host", "model", "requests", "tokens"],
    )
    tables.table("outbox").create(
        {
            "number": int,
            "at": str,
            "host": str,
            "model": str,
            "document": str,
            "sha256": bytes,
            "tokens": int,
        },
        pk="number",
        not_null=["at", "host", "model", "sha256", "tokens"],
    )


def _queries(tables: Tables) -> None:
    tables.execute("""
        create table queries (
            space integer not null references spaces (number),
            sha256 blob not null,
            vector blob not null,
            primary key (space, sha256)
        ) without rowid
    """)


def _recordings(tables: Tables) -> None:
    tables.execute("alter table chunks add column seconds real")
    tables.table("transcripts").create(
        {
            "number": int,
            "sha256": bytes,
            "model": str,
            "language": str,
            "seconds": float,
            "segments": str,
        },
        pk="number",
        not_null=["sha256", "model", "segments"],
    )
    tables.table("transcripts").create_index(["sha256", "model"], unique=True)


def _labels(tables: Tables) -> None:
    tables.table("labellings").create(
        {"number": int, "at": str, "source": str}, pk="number", not_null=["at", "source"]
    )
    tables.table("labels").create(
        {"number": int, "labelling": int, "document": str, "label": str},
        pk="number",
        not_null=["labelling", "document"],
        foreign_keys=[("labelling", "labellings", "number")],
    )
    tables.table("labels").create_index(["document", "labelling"])
    tables.execute("""
        create view current_labels as
        select l.document, l.label, g.at, g.source
        from (select document, max(labelling) as labelling from labels group by document) latest
        join labels l on l.document = latest.document and l.labelling = latest.labelling
        join labellings g on g.number = l.labelling
        join documents d on d.id = l.document
        where l.label is not null
    """)
    tables.table("models").create(
        {
            "version": int,
            "at": str,
            "space": str,
            "estimator": str,
            "labels": str,
            "state": bytes,
        },
        pk="version",
        not_null=["at", "space", "estimator", "labels", "state"],
    )
    tables.table("predictions").create(
        {
            "number": int,
            "version": int,
            "document": str,
            "label": str,
            "probability": float,
            "at": str,
        },
        pk="number",
        not_null=["version", "document", "probability", "at"],
        foreign_keys=[("version", "models", "version")],
    )
    tables.table("predictions").create_index(["version", "document"])


def _current_predictions(tables: Tables) -> None:
    tables.execute("""
        create view current_predictions as
        select p.version, p.document, p.label, p.probability, p.at
        from predictions p join documents d on d.id = p.document and d.updated <= p.at
    """)


def _partial(tables: Tables) -> None:
    tables.execute("alter table documents add column partial text")
    tables.execute(
        "create index idx_documents_partial on documents (number) where partial is not null"
    )


def _words(tables: Tables) -> None:
    tables.execute("alter table texts add column words text")
    tables.execute("drop view live_texts")
    tables.create_view(
        "live_texts",
        "select id, coalesce(words, text) as text from texts where text is not null",
    )
    words.renew(tables.conn)


def _marked_words(tables: Tables) -> None:
    if words.rewrite(tables.conn):
        words.rebuild(tables.conn)


def _no_outdated_predictions(tables: Tables) -> None:
    """Drop them: from here on each goes with the text that it is of."""
    tables.execute("""
        delete from predictions where not exists (
            select 1 from documents d
            where d.id = predictions.document and d.updated <= predictions.at
        )
    """)
    tables.execute("drop view if exists current_predictions")


MIGRATIONS: tuple[Callable[[Tables], None], ...] = (
    _first,
    _full_text,
    _salt,
    _sent,
    _queries,
    _recordings,
    _labels,
    _current_predictions,
    _partial,
    _words,
    _marked_words,
    _no_outdated_predictions,
)
"""Append only: ``PRAGMA user_version`` counts how many of these a file has been through."""
