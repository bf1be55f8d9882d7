"""Labels: what people say that documents are, and how they came to say it.

A *labelling* is one act: at a time, from a source, of some documents. The labels of a document are
those of its latest labelling, so that taking one back brings back what was there before.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedsearch.store import documents
from embedsearch.store.clock import now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from embedsearch.store.database import Database

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label of a document; ``at`` is ISO 8601 UTC, ``source`` says where it came from."""

    document: str
    label: str
    at: str
    source: str


@dataclass(frozen=True, slots=True)
class Labelling:
    """One act of labelling, and how many documents it was about."""

    number: int
    at: str
    source: str
    documents: int


def has_control(label: str) -> bool:
    """Say whether a label has a line break in it or another control: an arrow key sends some."""
    return _CONTROL.search(label) is not None


def give(database: Database, given: Mapping[str, Sequence[str]], source: str) -> int:
    """Give documents, by id, their labels as ``put`` does, and return how many documents these are.

    Raises:
        DocumentNotFound: there is no such document; then none is labelled.
        ValueError: an id is that of a chunk.

    """
    if missing := given.keys() - documents.held(database, list(given)):
        documents.named(database, min(missing))  # raises, unless it is a chunk's
        raise ValueError(f"{min(missing)!r} is a chunk: labels are for documents")
    if given:
        put(database, given, source)
    return len(given)


def put(database: Database, given: Mapping[str, Sequence[str]], source: str) -> int:
    """Give documents, by id, their labels in place of those they had; return the act's number.

    No labels at all takes away what a document had.
    """
    with database.writing():
        number = int(
            database.value(
                "insert into labellings (at, source) values (?, ?) returning number",
                [now(), source],
            )
        )
        database.executemany(
            "insert into labels (labelling, document, label) values (?, ?, ?)",
            (
                (number, document, label)
                for document, labels in given.items()
                for label in (labels or (None,))
            ),
        )
    return number


def undo(database: Database) -> Labelling | None:
    """Take back the latest labelling and return it, ``None`` where there is none."""
    with database.writing():
        row = database.execute(
            """
            select g.number, g.at, g.source, count(distinct l.document)
            from labellings g join labels l on l.labelling = g.number
            where g.number = (select max(labelling) from labels)
            """
        ).fetchone()
        if row[0] is None:
            return None
        database.execute("delete from labels where labelling = ?", [row[0]])
        database.execute("delete from labellings where number = ?", [row[0]])
    return Labelling(*row)


def labelled(database: Database) -> list[Labelled]:
    """Return the labels of the documents that are there, by document and label."""
    with database.reading():
        rows = database.execute(
            "select document, label, at, source from current_labels order by document, label"
        )
        return [Labelled(*row) for row in rows]


def waiting(database: Database) -> list[Labelled]:
    """Return the labels of ids that no document has, by id and label."""
    with database.reading():
        rows = database.execute(
            """
            select l.document, l.label, g.at, g.source
            from labels l join labellings g on g.number = l.labelling
            where l.label is not null
            and not exists (select 1 from documents d where d.id = l.document)
            and l.labelling = (select max(labelling) from labels where document = l.document)
            order by l.document, l.label
            """
        )
        return [Labelled(*row) for row in rows]


def counts(database: Database) -> dict[str, int]:
    """Return how many documents of the index have each label, the most frequent first."""
    return dict(
        database.execute(
            """
            select label, count(*) from current_labels
            group by label order by count(*) desc, label
            """
        )
    )


def by_document(database: Database) -> dict[str, tuple[str, ...]]:
    """Return the labels of those documents that have any, by id."""
    found: dict[str, tuple[str, ...]] = {}
    for row in labelled(database):
        found[row.document] = (*found.get(row.document, ()), row.label)
    return found


def move(database: Database, ids: Mapping[str, str]) -> None:
    """Let labels and predictions follow documents that have a new id, by the old one."""
    moved = json.dumps(ids)
    with database.writing():
        for table in ("labels", "predictions"):
            # What a document that is gone was, says nothing of the one that has its id now.
            database.execute(
                f"""
                delete from {table} where document in (select value from json_each(?1))
                and document not in (select key from json_each(?1))
                """,
                [moved],
            )
            database.execute(
                f"""
                update {table} set document = j.value from json_each(?) j where document = j.key
                """,
                [moved],
            )
