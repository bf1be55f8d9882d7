"""Salvage: what can still be read of a damaged ``index.db``, into a new one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from embedsearch.errors import IndexCorrupt
from embedsearch.store.checks import mend
from embedsearch.store.database import Database, open_database
from embedsearch.store.vectors import space

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = {
    "settings": "rowid",
    "sources": "number",
    "spaces": "number",
    "documents": "number",
    "texts": "id",
    "chunks": "text",
    "vectors": "number",
    "runs": "number",
    "usage": "number",
    "outbox": "number",
    "transcripts": "number",
}
"""The tables worth keeping, and the ascending key that parts what can be read from what can't."""

PAGE = 20_000
"""How many keys are asked for at once."""

MOST_FAILURES = 100_000
"""How often reading a table may fail before the rest of it is given up: a second or two."""


def salvage(path: Path) -> dict[str, int]:
    """Put a new database in a damaged one's place, and return how many rows were kept a table.

    The damaged file stays beside it as ``index.db.damaged``.

    Raises:
        IndexCorrupt: the file is no SQLite database, or nothing in it says what index it was.
        StorageFailed: the disk refused; the damaged file is as it was.

    """
    fresh, kept_as = path.with_name("index.db.salvaged"), path.with_name("index.db.damaged")
    _remove(fresh)
    with closing(sqlite3.connect(path, isolation_level=None)) as damaged:
        database = open_database(fresh, create=True)
        try:
            with database.writing():
                # Keys are dense, and a row takes more than a byte.
                beyond = path.stat().st_size
                counts = {table: _copy(damaged, database, table, beyond) for table in KEYS}
                _reconcile(database)
                _require_space(database, path)
                mend(database, space(database)[0])
        except BaseException:
            database.close()
            _remove(fresh)
            raise
        database.close()
    for ending in ("", "-wal", "-shm"):
        if (part := path.with_name(path.name + ending)).exists():
            os.replace(part, kept_as.with_name(kept_as.name + ending))  # noqa: PTH105 -- the word for it
    fresh.replace(path)
    return counts


def _require_space(database: Database, path: Path) -> None:
    if database.setting("space") is None:
        raise IndexCorrupt(
            f"{path} can't be salvaged: its settings can't be read",
            hint=f"delete {path.parent} and run: embedsearch index FOLDER",
        )


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _copy(damaged: sqlite3.Connection, database: Database, table: str, beyond: int) -> int:
    if not _holds(damaged, table):
        return 0
    columns = [row[1] for row in database.execute(f"pragma table_info({table})")]
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    query = f"select {names} from {table} where {KEYS[table]} between ? and ?"
    count = 0
    for rows in _readable(damaged, query, beyond):
        database.executemany(f"insert or ignore into {table} ({names}) values ({marks})", rows)
        count += len(rows)
    return count


def _holds(damaged: sqlite3.Connection, table: str) -> bool:
    """Say whether there is such a table: older versions have fewer, a broken file none."""
    query = "select count(*) from sqlite_master where name = ?"
    try:
        return bool(damaged.execute(query, [table]).fetchone()[0])
    except sqlite3.DatabaseError:
        return False


def _readable(
    damaged: sqlite3.Connection, query: str, beyond: int
) -> Iterator[list[tuple[object, ...]]]:
    """Yield the rows that can be read, by halving the range of keys around damage."""
    ranges = [(low, low + PAGE - 1) for low in range(0, beyond, PAGE)][::-1]
    failures = 0
    while ranges and failures < MOST_FAILURES:
        low, high = ranges.pop()
        try:
            yield damaged.execute(query, [low, high]).fetchall()
        except sqlite3.DatabaseError:
            failures += 1
            if low < high:
                middle = (low + high) // 2
                ranges += [(middle + 1, high), (low, middle)]


def _reconcile(database: Database) -> None:
    """Drop what points to rows that are lost; documents then show as torn, and are read again."""
    database.execute("delete from chunks where text not in (select id from texts)")
    database.execute("delete from chunks where document not in (select number from documents)")
    database.execute("delete from vectors where text not in (select id from texts)")
    database.execute(
        "update documents set source = null where source not in (select number from sources)"
    )
