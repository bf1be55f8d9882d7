"""Salvage: what can still be read of a damaged ``index.db``, into a new one."""

from __future__ import annotations

import math
import os
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from embedsearch.errors import IndexCorrupt
from embedsearch.folder import DAMAGED
from embedsearch.store import facts
from embedsearch.store.checks import Problem, mend, misfit
from embedsearch.store.database import Database, legible, open_database
from embedsearch.store.failures import ERRORS
from embedsearch.store.layout import (
    HEADER_BYTES,
    PAGE_COUNT,
    PAGE_SIZE,
    has_schema,
    is_older,
    lend_schema,
)
from embedsearch.store.tables import AFTER_LOSS
from embedsearch.store.vectors import space, space_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
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
    "labellings": "number",
    "labels": "number",
    "models": "version",
    "predictions": "number",
    "queries": "sha256",
}
"""The tables worth keeping, and the ascending key that parts what can be read from what can't."""

HASHES = 1 << 16
"""How many keys there are of hashes: the two bytes that they begin with."""

PAGE = 20_000
"""How many keys are asked for at once."""

MOST_FAILURES = 100_000
"""How often reading a table may fail before the rest of it is given up: a second or two."""

_BESIDE = ("-wal", "-shm")
"""How the names end of the files that SQLite has beside a database."""

_DAMAGED = re.compile(rf"{re.escape(DAMAGED)}(?:\.(\d+))?")
"""What a damaged file is called from then on; the second one and later ones are numbered."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How many rows were kept, by table, and what could not be read whole."""

    kept: dict[str, int]
    lost: list[Problem]


def salvage(path: Path, defaults: Mapping[str, str]) -> Salvaged:
    """Put a new database in a damaged one's place, and return what it holds and what it lost.

    The damaged file stays beside it: it is the last of ``damaged``. ``defaults`` are the
    settings of the new one where the old one's are lost.

    Raises:
        IndexCorrupt: the file is no SQLite database, or nothing in it says what index it was.
        StorageFailed: the disk refused; the damaged file is as it was.

    """
    fresh, kept_as = path.with_name("index.db.salvaged"), _next_name(path.parent)
    copy = path.with_name("index.db.copy")
    try:
        salvaged = _salvaged(path, copy, fresh, defaults)
    except BaseException:
        _remove(fresh)
        raise
    finally:
        _remove(copy)
    for ending in ("", *_BESIDE):
        if (part := path.with_name(path.name + ending)).exists():
            os.replace(part, kept_as.with_name(kept_as.name + ending))  # noqa: PTH105 -- the word for it
    fresh.replace(path)
    return salvaged


def damaged(folder: Path) -> list[Path]:
    """Return the damaged files that salvages left in an index's folder, in their order."""
    numbers = {
        int(match[1] or 1): file
        for file in folder.iterdir()
        if (match := _DAMAGED.fullmatch(file.name))
    }
    return [numbers[number] for number in sorted(numbers)]


def _next_name(folder: Path) -> Path:
    before = damaged(folder)
    if not before:
        return folder / DAMAGED
    (number,) = _DAMAGED.findall(before[-1].name)
    return folder / f"{DAMAGED}.{int(number or 1) + 1}"


def _salvaged(path: Path, copy: Path, fresh: Path, defaults: Mapping[str, str]) -> Salvaged:
    _remove(fresh)
    open_database(fresh, create=True).close()
    _copy_legibly(path, copy, fresh)
    with closing(open_database(fresh, create=True)) as database, database.writing():
        with closing(sqlite3.connect(copy, isolation_level=None)) as damaged:
            damaged.text_factory = legible
            # Keys are dense, and a row takes more than a byte.
            beyond = path.stat().st_size
            unknown = 0 if is_older(path) else math.inf
            held = {table: _held(damaged, table, unknown) for table in KEYS}
            for table in KEYS:
                _copy(damaged, database, table, beyond)
        held["settings"] = _settle(database, path, defaults)
        held["spaces"] = 1  # which settings and vectors tell, too
        database.execute(_OUTDATED)
        mend(database, space(database)[0])
        kept = {table: database.value(f"select count(*) from {table}") for table in KEYS}
    lost = [table for table in KEYS if kept[table] < held[table]]
    return Salvaged(kept, [*_told(lost)])


_OUTDATED = """
    delete from predictions where not exists (
        select 1 from documents d where d.id = predictions.document and d.updated <= predictions.at
    )
"""
"""What is said of texts that are lost, or were replaced: an older version kept it."""


def _held(damaged: sqlite3.Connection, table: str, unknown: float) -> float:
    """Return how many rows a table has, infinity if that can't be read, ``unknown`` without it."""
    if not _columns(damaged, table):
        return unknown
    with suppress(*ERRORS):
        (count,) = damaged.execute(f"select count(*) from {table} not indexed").fetchone()
        return int(count)
    return math.inf


def _told(lost: Sequence[str]) -> Iterator[Problem]:
    for remedy, tables in groupby(lost, AFTER_LOSS.__getitem__):
        what = f"could not be read whole: {', '.join(tables)}"
        yield Problem(what, remedy, by_repair=False)


def _copy_legibly(path: Path, copy: Path, fresh: Path) -> None:
    """Copy a damaged file under the header of a whole one, with as many pages as there are.

    SQLite reads nothing of a file that is shorter than its header says. The copy has the log,
    too, which the damaged file then keeps as it was.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
    shutil.copyfile(path, copy)
    with fresh.open("rb") as whole, copy.open("r+b") as file:
        header = bytearray(whole.read(HEADER_BYTES))
        pages = path.stat().st_size // int.from_bytes(header[PAGE_SIZE])
        header[PAGE_COUNT] = pages.to_bytes(4)
        file.write(header)
    if not has_schema(copy):
        lend_schema(copy)


def _settle(database: Database, path: Path, defaults: Mapping[str, str]) -> float:
    """Bring back the settings that an index is never without; its space is in a table, too.

    Returns infinity if one is not what it was.
    """
    said = database.setting("space"), database.setting("embedder")
    listed = database.execute("select name, embedder from spaces order by number desc").fetchone()
    name, embedder = listed if listed and None in said else said
    if name is None or embedder is None:
        raise IndexCorrupt(
            f"{path} can't be salvaged: its settings can't be read",
            hint=f"move {path.parent} away, keeping it, and run: embedsearch index FOLDER"
            "; in Python: index.sync(FOLDER)",
        )
    space_found(database, name, embedder)
    lost = []
    for key, value in defaults.items():
        facts.drop(database, facts.damaged(database))
        if database.setting(key) is None:
            lost.append(key)
            database.set(key, value)
    if "chunk_overlap" in facts.damaged(database):  # The default is too much for small chunks.
        database.set("chunk_overlap", str(facts.needed(database, "chunk_tokens") // 2))
    return math.inf if lost else 0


def _remove(path: Path) -> None:
    for ending in ("", *_BESIDE):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _copy(damaged: sqlite3.Connection, database: Database, table: str, beyond: int) -> None:
    known = _columns(database.connection, table)
    columns = {name: type_ for name, type_ in _columns(damaged, table).items() if name in known}
    if not columns:
        return
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    fits = f"not ({misfit(columns)})"
    if table == "queries":
        fits, beyond = f"{fits} and space in ({_spaces(database)})", HASHES
    query = f"select {names} from {table} where {KEYS[table]} between ? and ? and {fits}"
    for rows in _readable(damaged, query, beyond, _hashes if table == "queries" else _numbers):
        database.executemany(f"insert or ignore into {table} ({names}) values ({marks})", rows)


def _spaces(database: Database) -> str:
    """Return the numbers of the spaces that were salvaged: queries are listed by these first."""
    rows = database.execute("select number from spaces union select space from vectors")
    return ", ".join(str(number) for (number,) in rows) or "1"


def _columns(damaged: sqlite3.Connection, table: str) -> dict[str, str]:
    """Return the columns that a table has there, by type: in an older schema they are fewer."""
    with suppress(*ERRORS):
        return dict(damaged.execute("select name, type from pragma_table_info(?)", [table]))
    return {}


def _numbers(low: int, high: int) -> list[object]:
    return [low, high]


def _hashes(low: int, high: int) -> list[object]:
    return [low.to_bytes(2), high.to_bytes(2) + b"\xff" * 30]


def _readable(
    damaged: sqlite3.Connection,
    query: str,
    beyond: int,
    bounds: Callable[[int, int], list[object]],
) -> Iterator[list[tuple[object, ...]]]:
    """Yield the rows that can be read, by halving the range of keys around damage.

    A table of which nothing is found, wherever one looks, has lost its first page: what can be read
    of it can't be found.
    """

    def rows(low: int, high: int) -> list[tuple[object, ...]] | None:
        with suppress(*ERRORS):
            return damaged.execute(query, bounds(low, high)).fetchall()
        return None

    if all(rows(key, key) is None for key in (0, *_doubling(beyond))):
        return
    ranges = [(low, min(low + PAGE, beyond) - 1) for low in range(0, beyond, PAGE)][::-1]
    failures = 0
    while ranges and failures < MOST_FAILURES:
        low, high = ranges.pop()
        if (found := rows(low, high)) is not None:
            yield found
            continue
        failures += 1
        if low < high:
            middle = (low + high) // 2
            ranges += [(middle + 1, high), (low, middle)]


def _doubling(beyond: int) -> Iterator[int]:
    """Yield 1, 2, 4 and so on below a limit: wherever the keys of a table end, some are among."""
    return (1 << n for n in range((beyond - 1).bit_length()))
