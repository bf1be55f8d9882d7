"""Search by words: SQLite's FTS5 and its BM25, over texts stemmed by Porter's algorithm."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from embedsearch.store.documents import text_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.store.database import Database
    from embedsearch.store.filters import Filter

STOP_WORDS = frozenset(
    """
    a an and are as at be but by for from had has have how i if in into is it its me my no not of on
    or our shall so such that the their then there these they this to was we were what when where
    which who whom why will with would you your do does did can could should about
    """.split()
)
"""English words that say nothing about what is sought; dropped when others are left."""

MOST_TERMS = 64
"""How many distinct words of a query are looked up; BM25 gains nothing from more."""

_WORD = re.compile(r"[^\W_]+")


def expression(query: str) -> str | None:
    """Return an FTS5 expression that finds any word of a query, ``None`` where it has none.

    Every word is quoted, so that nothing a user types is taken for FTS5's own syntax.
    """
    words = dict.fromkeys(word.lower() for word in _WORD.findall(query))
    telling = [word for word in words if word not in STOP_WORDS] or list(words)
    return " OR ".join(f'"{word}"' for word in telling[:MOST_TERMS]) or None


def candidates(
    database: Database, query: str, depth: int, condition: Filter
) -> list[tuple[int, float]]:
    """Return (text id, BM25 score) of the best ``depth`` texts, higher is better.

    BM25 as FTS5 has it: k1 = 1.2, b = 0.75 (https://sqlite.org/fts5.html#the_bm25_function).
    """
    terms = expression(query)
    if terms is None:
        return []
    allowed = (
        f"""
        and exists (
            select 1 from chunks c join documents d on d.number = c.document
            where c.text = texts_fts.rowid and {condition.sql}
        )
        """
        if condition
        else ""
    )
    rows = database.execute(
        f"""
        select rowid, -rank from texts_fts
        where texts_fts match ? {allowed} order by rank limit ?
        """,
        [terms, *(condition.values if condition else ()), min(depth, 2**62)],
    )
    return rows.fetchall()


def highlighted(
    database: Database, query: str, texts: Sequence[str], *, marks: tuple[str, str]
) -> list[str]:
    """Return stored texts with each word that the query matches put between ``marks``."""
    terms = expression(query)
    keys = [text_hash(text) for text in texts]
    with database.reading():
        found = [terms and database.value(_HIGHLIGHT, [*marks, terms, key]) for key in keys]
    return [marked or text for marked, text in zip(found, texts, strict=True)]


_HIGHLIGHT = """
    select highlight(texts_fts, 0, ?, ?) from texts_fts
    where texts_fts match ? and rowid = (select id from texts where sha256 = ?)
"""
