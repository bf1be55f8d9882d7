"""What SQLite's errors mean to a user."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from embedsearch.errors import EmbedsearchError, IndexDamaged, IndexLocked, StorageFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

REPAIR = "try: embedsearch repair; in Python: index.repair(), or files.salvage(path)"
"""What to do about a damaged database."""

ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What a statement on a damaged file raises: the latter where SQLite's message quotes what is no
UTF-8 any more, as a table's name."""

LIMITS = ("Expression tree is too large", "too many SQL variables", "parser stack overflow")
"""What SQLite says, without a code of its own, to a condition beyond its limits."""

LOST = (
    "no such table",
    "no such column",
    "has no column named",
    "foreign key mismatch",
    "tokenizer constructor",
    "unrecognized column option",
    "vtable constructor failed",
    "SQL logic error",
)
"""What it says, without a code of its own, where a part of the schema is missing or damaged."""


@contextmanager
def translated(path: object) -> Iterator[None]:
    """Raise embedsearch's errors for SQLite's.

    Raises:
        IndexLocked: another process holds the file.
        StorageFailed: the disk is full, read-only, or failing.
        IndexCorrupt: the file is damaged or no database at all.
        ValueError: a text or a condition is beyond SQLite's limits.

    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise_translated(error, path)


def raise_translated(error: sqlite3.DatabaseError | UnicodeDecodeError, path: object) -> NoReturn:
    """Raise what ``translated`` does for one of ``ERRORS``."""
    if isinstance(error, UnicodeDecodeError):
        said = error.object.decode(errors="replace")
        raise IndexDamaged(f"{path} is damaged: {said}", hint=REPAIR) from error
    if isinstance(error, sqlite3.ProgrammingError) and "closed database" in str(error):
        raise EmbedsearchError(f"the index is closed: {path or 'in memory'}") from error
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        raise IndexLocked(f"{path} is busy: another process is writing to it") from error
    if code == sqlite3.SQLITE_FULL:
        raise StorageFailed(
            f"the disk that holds {path} is full", hint="what was committed is safe; free some"
        ) from error
    if code == sqlite3.SQLITE_CANTOPEN and isinstance(path, Path) and not _readable(path):
        raise StorageFailed(f"{path} can't be read: permission denied") from error
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        raise StorageFailed(
            f"{path} can't be written: {error}",
            hint="is its folder read-only, or its disk full?",
        ) from error
    if code == sqlite3.SQLITE_IOERR:
        raise StorageFailed(f"{path} can't be read or written: {error}") from error
    lost = code == sqlite3.SQLITE_ERROR and any(lost in str(error) for lost in LOST)
    if lost or code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        raise IndexDamaged(f"{path} is damaged or no index: {error}", hint=REPAIR) from error
    if code == sqlite3.SQLITE_TOOBIG or any(limit in str(error) for limit in LIMITS):
        raise ValueError(f"more than SQLite can take: {error}") from error
    raise error


def _readable(path: Path) -> bool:
    """Whether a file may be read, if it is there; to open it would end SQLite's locks on it."""
    effective = os.access in os.supports_effective_ids
    return not path.exists() or os.access(path, os.R_OK, effective_ids=effective)
