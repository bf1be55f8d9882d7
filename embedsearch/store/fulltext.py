"""Search by words: SQLite's FTS5 and its BM25, over texts stemmed by Porter's algorithm."""

from __future__ import annotations

import hashlib
import json
import math
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from embedsearch.store import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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

K1 = 1.2
LEAST_IDF = 1e-6
"""FTS5's own constants: https://sqlite.org/fts5.html#the_bm25_function."""

MOST_TERMS = 64
"""How many distinct words of a query are looked up; BM25 gains nothing from more."""

_INSERTED = range(0x10F000, 0x10FFFE)
"""Where what is put into a text, and taken out again, is chosen: private, and not in the text."""

TOKENIZER = "porter unicode61 remove_diacritics 2"
"""As in the schema's ``texts_fts``."""

Text: TypeAlias = tuple[bytes, "int | None", bool, str, "bytes | None", "str | None"]
"""A passage as it is stored: sha256, tokens, whether it is blank, text, salt, words."""


def text_hash(text: str, salt: bytes | None = None) -> bytes:
    """Return the sha256 that a text is known by, whatever documents hold it.

    The salt tells equal texts apart that came with vectors of their own.
    """
    return hashlib.sha256(text.encode() + (salt or b"")).digest()


def row(
    text: str, tokens: int | None = None, *, blank: bool = False, salt: bytes | None = None
) -> Text:
    """Return a passage as ``write`` takes it."""
    return text_hash(text, salt), tokens, blank, text, salt, words.words(text)


def write(database: Database, texts: Sequence[Text]) -> dict[bytes, int]:
    """Store those texts that are new, and their words; return the id of each text by its sha256.

    The words go in by one statement: FTS5 gathers them in memory, which triggers would undo
    row by row.
    """
    newest = database.value("select coalesce(max(id), 0) from texts")
    if database.value("select 1 from texts where text is null limit 1"):
        _revive(database, texts)
    database.executemany(
        """
        insert or ignore into texts (sha256, tokens, blank, text, salt, words)
        values (?, ?, ?, ?, ?, ?)
        """,
        texts,
    )
    database.execute(
        "insert into texts_fts (rowid, text) select id, text from live_texts where id > ?", [newest]
    )
    ids = dict(database.execute("select sha256, id from texts where id > ?", [newest]))
    for key in {key for key, *_ in texts} - ids.keys():
        ids[key] = database.value("select id from texts where sha256 = ?", [key])
    return ids


def _revive(database: Database, texts: Sequence[Text]) -> None:
    """Give retired texts their words again, and their vectors a new number: caches look there."""
    retired = "select id from texts where sha256 = ? and text is null"
    found = ((database.value(retired, [text[0]]), text) for text in texts)
    again = {id: text for id, text in found if id is not None}
    database.executemany(
        "update texts set text = ?, tokens = ?, words = ? where id = ?",
        ((text, tokens, seen, id) for id, (_, tokens, _, text, _, seen) in again.items()),
    )
    database.executemany(
        "insert into texts_fts (rowid, text) values (?, ?)",
        ((id, seen or text) for id, (*_, text, _, seen) in again.items()),
    )
    database.executemany(
        """
        update vectors set number = (select max(number) + 1 from vectors)
        where text = ? and space in (select number from spaces)
        """,
        ((id,) for id in again),
    )


def retire(database: Database, ids: Sequence[int]) -> None:
    """Forget the words of those texts that no chunk holds any more; their vectors stay."""
    unheld = """
        from texts t join json_each(?) j on t.id = j.value
        where t.text is not null and not exists (select 1 from chunks c where c.text = t.id)
    """
    listed = [json.dumps(ids)]
    database.execute(
        f"""
        insert into texts_fts (texts_fts, rowid, text)
        select 'delete', t.id, coalesce(t.words, t.text) {unheld}
        """,
        listed,
    )
    database.execute(
        f"update texts set text = null, words = null where id in (select t.id {unheld})", listed
    )


def blank(database: Database, ids: Sequence[int]) -> bool:
    """Say whether all of those texts hold white space only."""
    return not database.value(
        "select 1 from json_each(?) j join texts t on t.id = j.value where not t.blank limit 1",
        [json.dumps(ids)],
    )


def expression(query: str) -> str | None:
    """Return an FTS5 expression that finds any word of a query, ``None`` where it has none.

    Every word is quoted, so that nothing a user types is taken for FTS5's own syntax.
    """
    return " OR ".join(terms(query).values()) or None


def terms(query: str) -> dict[str, str]:
    """Return the words of a query that are looked up, in lower case, and FTS5's term for each.

    That is as it was typed: FTS5 folds case itself, and not all of what Python does.
    """
    asked = {word.lower(): f'"{words.parted(word)}"' for word in words.terms(query)}
    telling = [word for word in asked if word not in STOP_WORDS] or list(asked)
    return {word: asked[word] for word in telling[:MOST_TERMS]}


def held_texts(database: Database) -> int:
    """Return how many distinct texts chunks hold: what BM25 counts."""
    return int(
        database.value(
            "select (select count(*) from texts) - (select count(*) from texts where text is null)"
        )
    )


def best_score(database: Database, query: str, texts: int) -> float:
    """Return the BM25 score that none of so many texts can exceed.

    It is that of each word of the query, endlessly repeated.
    """
    best = 0.0
    for wanted in terms(query).values():
        held = database.value("select count(*) from texts_fts where texts_fts match ?", [wanted])
        best += (K1 + 1) * max(math.log((texts - held + 0.5) / (held + 0.5)), LEAST_IDF)
    return max(best, LEAST_IDF)


def candidates(
    database: Database, query: str, depth: int, condition: Filter
) -> list[tuple[int, float]]:
    """Return (text id, BM25 score) of the best ``depth`` texts, higher is better.

    BM25 as FTS5 has it, with k1 = 1.2 and b = 0.75.
    """
    wanted = expression(query)
    if wanted is None:
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
        [wanted, *(condition.values if condition else ()), min(depth, 2**62)],
    )
    return rows.fetchall()


def scores_by_term(
    database: Database, query: str, texts: Sequence[int]
) -> dict[int, dict[str, float]]:
    """Return, by text id, what each word of a query adds to the text's BM25 score.

    The sum is the score that ``candidates`` gives; a word that a text lacks is left out.
    """
    found: dict[int, dict[str, float]] = {text: {} for text in texts}
    for term, wanted in terms(query).items():
        # The plus keeps FTS5 from looking for each text anew, counting all that match each time.
        rows = database.execute(
            """
            select rowid, -rank from texts_fts
            where texts_fts match ? and +rowid in (select value from json_each(?))
            """,
            [wanted, json.dumps(list(texts))],
        )
        for text, score in rows:
            found[text][term] = score
    return found


def highlighted(
    database: Database, query: str, texts: Sequence[str], *, marks: tuple[str, str]
) -> list[str]:
    """Return texts with each word that the query matches put between ``marks``."""
    wanted = expression(query)
    if wanted is None:
        return list(texts)
    apart, *own = _absent(texts)
    with database.reading():
        # A table of its own, gone with the transaction: what is stored may have changed since.
        # In a snapshot, that of the call before is still there.
        database.execute("drop table if exists temp.marked")
        database.execute(
            f"""
            create virtual table temp.marked
            using fts5 (text, tokenize = "{TOKENIZER} separators '{apart}'")
            """
        )
        database.executemany(
            "insert into temp.marked (rowid, text) values (?, ?)",
            ((number, words.parted(text, by=apart)) for number, text in enumerate(texts)),
        )
        rows = database.execute(
            "select rowid, highlight(marked, 0, ?, ?) from temp.marked where marked match ?",
            [*own, wanted],
        )
        found = dict(rows)
    put = dict(zip(own, marks, strict=True))
    return [
        _restored(text, found[number].replace(apart, ""), put) if number in found else text
        for number, text in enumerate(texts)
    ]


def _absent(texts: Sequence[str]) -> list[str]:
    """Return three characters that stand in none of the texts."""
    used = set().union(*texts)
    return list(islice((sign for sign in map(chr, _INSERTED) if sign not in used), 3))


def _restored(text: str, seen: str, put: Mapping[str, str]) -> str:
    """Return a text with marks where FTS5 put its own into what it saw of the text."""
    if words.is_special(text):
        signs = words.signs(text)
        return "".join(put[sign] if sign in put else next(signs) for sign in seen)
    for own, mark in put.items():
        seen = seen.replace(own, mark)
    return seen
