"""Layout: where SQLite's format puts things, for what lends a damaged file its schema again."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from embedsearch.store.database import open_database
from embedsearch.store.failures import ERRORS
from embedsearch.store.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER_BYTES = 100
PAGE_SIZE, PAGE_COUNT = slice(16, 18), slice(28, 32)
"""Where the file's header says how large its pages are, and how many."""

_VERSION = slice(60, 64)
"""Where it says what ``PRAGMA user_version`` does."""

_KIND, _POINTERS = HEADER_BYTES, 5
"""Where the first page says what it is, and that of one that holds pointers to others only."""

_CELLS, _LAST, _PLACES = slice(103, 105), slice(108, 112), 112
"""How many pointers it holds, the last of them, and where the places of the others are listed."""


def has_schema(path: Path) -> bool:
    """Tell whether SQLite can read the schema of a file."""
    with closing(sqlite3.connect(path)) as database, suppress(*ERRORS):
        return bool(database.execute("select name, sql from sqlite_master").fetchall())
    return False


def is_older(path: Path) -> bool:
    """Tell whether a file says that its schema is an older one, which has fewer tables."""
    with path.open("rb") as file:
        return int.from_bytes(file.read(HEADER_BYTES)[_VERSION]) < len(MIGRATIONS)


def lend_schema(path: Path) -> None:
    """Put the pages that hold the schema of a new index into a file that has lost its own.

    Tables begin at the same pages in every index of this version, and at others in every one that
    ``gc`` wrote anew.
    """
    with closing(open_database(None, create=True)) as new:
        made = new.connection.serialize()
        new.connection.execute("vacuum")
        donors = made, new.connection.serialize()
    size = int.from_bytes(made[PAGE_SIZE])
    with path.open("r+b") as file:
        data = bytearray(file.read(len(made)))
        donor = max(donors, key=lambda donor: _likeness(donor, data, size))
        # SQLite asks for the first page of every table, even where the file was cut before it.
        data += bytes(len(made) - len(data))
        data[PAGE_COUNT] = (max(path.stat().st_size, len(made)) // size).to_bytes(4)
        data[HEADER_BYTES:size] = donor[HEADER_BYTES:size]
        for number in _pointers(donor):
            page = slice((number - 1) * size, number * size)
            data[page] = donor[page]
        file.seek(0)
        file.write(data)


def _likeness(donor: bytes, data: bytes | bytearray, size: int) -> int:
    """Return of how many pages both have the same kind, of a table or of an index."""
    either = 8  # the bit that parts what holds rows from what holds pointers
    starts = range(size, min(len(donor), len(data)) - size + 1, size)
    return sum(donor[start] | either == data[start] | either for start in starts)


def _pointers(pages: bytes) -> Iterator[int]:
    """Yield the numbers of the pages that the first one points to."""
    if pages[_KIND] != _POINTERS:
        return
    for cell in range(int.from_bytes(pages[_CELLS])):
        place = _PLACES + 2 * cell
        start = int.from_bytes(pages[place : place + 2])
        yield int.from_bytes(pages[start : start + 4])
    yield int.from_bytes(pages[_LAST])
