"""From the texts that a search found to the chunks that hold them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from embedsearch.store.vectors import ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.store.database import Database
    from embedsearch.store.filters import Filter


def allowed_texts(database: Database, condition: Filter) -> NDArray[np.int64]:
    """Return the ids of the texts in documents that meet a condition."""
    listed = database.value(
        f"""
        select group_concat(c.text) from documents d join chunks c on c.document = d.number
        where {condition.sql}
        """,
        condition.values,
    )
    return np.unique(ids(listed))


class Row(NamedTuple):
    """A chunk that holds a text, and what is known of its document."""

    text_id: int
    document: str
    position: int
    text: str
    start: int
    end: int
    start_line: int
    end_line: int
    page: int | None
    heading: str | None
    metadata: str
    source: int | None
    path: str | None
    seconds: float | None


def chunks_of(database: Database, texts: Sequence[int], condition: Filter) -> list[Row]:
    """Return the chunks that hold one of ``texts`` in documents that meet a condition.

    They come in the order of ``texts``, then by document and position.
    """
    found = database.execute(
        f"""
        select t.id, d.id, c.position, t.text, c.start, c."end", c.start_line, c.end_line,
               c.page, c.heading, d.metadata, d.source, d.path, c.seconds
        from json_each(?) j
        cross join texts t on t.id = j.value
        cross join chunks c on c.text = t.id
        cross join documents d on d.number = c.document
        where {condition.sql}
        """,
        [json.dumps(texts), *condition.values],
    )
    rows = [Row._make(row) for row in found]
    place = {text: n for n, text in enumerate(texts)}
    rows.sort(key=lambda row: (place[row.text_id], row.document, row.position))
    return rows


@dataclass(frozen=True, slots=True)
class Counts:
    """How much an index holds."""

    documents: int
    chunks: int
    texts: int
    """Distinct passages, blank ones among them."""


def counts(database: Database, condition: Filter) -> Counts:
    """Return how many documents meet a condition, and their chunks and distinct texts."""
    with database.reading():
        if not condition:
            return Counts(*database.execute(_ALL).fetchone())
        row = database.execute(
            f"""
            select count(distinct d.number), count(c.text), count(distinct c.text)
            from documents d left join chunks c on c.document = d.number where {condition.sql}
            """,
            condition.values,
        ).fetchone()
    return Counts(*row)


_ALL = """
    select (select count(*) from documents), (select count(*) from chunks),
           (select count(*) from texts) - (select count(*) from texts where text is null)
"""
