"""Opening ``index.db``, and its transactions."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn

from embedsearch.errors import (
    EmbedsearchError,
    IndexCorrupt,
    IndexNotFound,
    StorageFailed,
)
from embedsearch.store import metadata
from embedsearch.store.failures import ERRORS, raise_translated, translated
from embedsearch.store.globs import regexp
from embedsearch.store.schema import APPLICATION_ID, MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

BUSY_SECONDS = 10.0
"""How long a transaction waits for another process's commit."""

MEMORY_CACHE_KIB = 65_536
"""SQLite's page cache a connection, at most: 64 MiB hold the texts of some 200,000 passages, and
keep the memory of a long sync flat."""

CHECKPOINT_PAGES = 8_000
"""The log is folded into the database at 32 MB; at SQLite's own 4 MB that takes a quarter of a
bulk load's time."""


NO_ROOM = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}
"""What SQLite says where it can't make a file beside the database."""


class Database:
    """One connection to an index's SQLite file.

    Transactions are explicit: every statement runs inside ``reading()`` (one state) or
    ``writing()`` (which bumps the generation that caches are stamped with). Both may be nested;
    threads take turns.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.connection = connection
        self.path = path
        self.is_open = True
        self.present: Database = self
        """What to write to: of a snapshot, the database that it was taken of."""
        self._process = os.getpid()
        self._file = path and _identity(path)
        self._turn = RLock()
        self._writes = False
        self._changes = False

    @property
    def is_snapshot(self) -> bool:
        """Whether this is the database as of one moment."""
        return self.present is not self

    @property
    def is_inherited(self) -> bool:
        """Whether this process is a fork of the one that opened the file.

        SQLite's locks, and those of threads that don't live here, are the other process's.
        """
        return os.getpid() != self._process

    def require_own(self) -> None:
        """Raise EmbedsearchError in a fork of the process that opened the file."""
        if self.is_inherited:
            raise EmbedsearchError(
                f"the index was opened before this process was forked: {self.path or 'in memory'}",
                hint="open it in the child, or start children by multiprocessing's 'spawn'",
            )

    def require_present(self) -> None:
        """Raise RuntimeError for a snapshot, which is not to be written to."""
        if self.is_snapshot:
            raise RuntimeError("a snapshot is of one moment: write to the index itself")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise embedsearch's errors for SQLite's."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            self._raise_translated(error)

    def _raise_translated(self, error: sqlite3.DatabaseError | UnicodeDecodeError) -> NoReturn:
        if str(error) == "malformed JSON":  # which SQLite says without telling whose
            for id in metadata.damaged(self.connection):
                raise metadata.unreadable(self.path, id) from error
        raise_translated(error, self.path)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See one state of the index until the block ends."""
        self.require_own()
        with self._turn, self._translated():
            if self.connection.in_transaction:
                yield
                return
            self.connection.execute("begin")
            try:
                yield
            finally:
                self.connection.rollback()

    @contextmanager
    def writing(self, *, generation: bool = True) -> Iterator[None]:
        """Commit all or nothing of what the block writes, as a new generation unless told not.

        What is in no search, as a ledger, leaves the generation, and so every cache, as it is.

        Raises:
            IndexNotFound: the file was moved, deleted or replaced; what is written would be lost.

        """
        self.require_own()
        self.require_present()
        with self._turn, self._translated():
            if self._writes:
                self._changes |= generation
                yield
                return
            if self.connection.in_transaction:
                raise RuntimeError("a read is going on: what is written now would be lost with it")
            self._require_file()
            self.connection.execute("begin immediate")
            self._writes, self._changes = True, generation
            try:
                yield
                if self._changes:
                    self.execute("update settings set value = value + 1 where key = 'generation'")
                self.connection.commit()
            except BaseException:
                self.connection.rollback()
                raise
            finally:
                self._writes = False

    def _require_file(self) -> None:
        if self.path and _identity(self.path) != self._file:
            raise IndexNotFound(
                f"{self.path} is not the file that was opened: it was moved, deleted or replaced",
                hint="open the index again",
            )

    @contextmanager
    def snapshot(self) -> Iterator[Database]:
        """Give the database as of this moment, on a connection of its own, until the block ends.

        Of one in memory it is a copy.

        Raises:
            IndexNotFound: the file was moved, deleted or replaced.

        """
        self.require_own()
        self._require_file()
        with translated(self.path):
            then = Database(_connect(self.path), self.path)
            try:
                if self.path is None:
                    with self.reading():
                        self.connection.backup(then.connection)
                then.execute("begin")
                then.generation  # noqa: B018 -- the first read settles the moment
                then.present = self.present
                yield then
            finally:
                then.close()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        self.require_own()
        try:
            return self.connection.execute(sql, values)
        except ERRORS as error:
            self._raise_translated(error)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values."""
        self.connection.executemany(sql, rows)

    def insert(self, table: str, kind: type, rows: Iterable[object]) -> None:
        """Add slotted dataclasses of one kind to the table whose columns are their fields."""
        names: tuple[str, ...] = kind.__slots__  # type: ignore[attr-defined] # of a dataclass
        columns, marks = ", ".join(names), ", ".join("?" * len(names))
        self.executemany(
            f"insert into {table} ({columns}) values ({marks})",
            ([getattr(row, name) for name in names] for row in rows),
        )

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, or ``None``."""
        row = self.execute(sql, values).fetchone()
        return None if row is None else row[0]

    @property
    def generation(self) -> int:
        """A number that grows with every commit."""
        return int(self.value("select value from settings where key = 'generation'"))

    def setting(self, key: str) -> str | None:
        """Return a setting of this index, or ``None``."""
        value: str | None = self.value("select value from settings where key = ?", [key])
        return value

    def set(self, key: str, value: str) -> None:
        """Keep a setting of this index."""
        self.execute("insert or replace into settings (key, value) values (?, ?)", [key, value])

    def new_epoch(self) -> None:
        """Have every cache of vectors, in all processes, made anew from what is here."""
        self.set("epoch", str(int(self.setting("epoch") or 0) + 1))

    def let_go(self) -> None:
        """Let go of what SQLite keeps of the file: many rows were read that nobody reads again."""
        self.execute("pragma shrink_memory")

    def compact(self) -> bool:
        """Write the file anew, without the room and the traces of what was deleted.

        Returns whether these are gone: a process that reads an older state keeps them until it
        ends. It takes as much room on the disk again as the file has, for a moment.

        Raises:
            StorageFailed: there is no such room; nothing is lost.

        """
        with self._turn, self._translated():
            self.connection.execute("pragma temp_store = file")  # it may not fit into memory
            try:
                self.connection.execute("vacuum")
                busy, *_ = self.connection.execute("pragma wal_checkpoint(truncate)").fetchone()
            finally:
                self.connection.execute("pragma temp_store = memory")
        return not busy

    def close(self) -> None:
        """Close the connection, unless it is another process's."""
        self.is_open = False
        if not self.is_inherited:
            self.connection.close()


def open_database(path: Path | None, *, create: bool) -> Database:
    """Open an index's SQLite file, in memory for ``None``.

    A file in a folder that can't be written, or on a full disk, is opened for reading only.

    Raises:
        IndexNotFound: there is no such file, or nothing in it yet, and ``create`` is false.
        IndexCorrupt: the file is damaged, another program's, or from a newer version.
        StorageFailed: the file can't be opened or created.

    """
    if path is not None and not path.exists() and not create:
        raise IndexNotFound(
            f"no index in {path.parent}",
            hint="make one with: embedsearch index FOLDER; in Python: Index.open(path)",
        )
    if path is not None and path.is_dir():
        raise StorageFailed(f"{path} is a folder: it is to be the database of an index")
    with translated(path):
        database = Database(_connect(path), path)
        try:
            _migrate(database, create=create)
        except BaseException:
            database.close()
            raise
    return database


def _connect(path: Path | None) -> sqlite3.Connection:
    if path is None:
        return _configured(":memory:")
    if not path.exists():
        _make_folder(path.parent)
    try:
        return _configured_file(path)
    except UnicodeDecodeError as error:
        raise_translated(error, path)


def _configured_file(path: Path) -> sqlite3.Connection:
    try:
        return _configured(str(path))
    except sqlite3.OperationalError as error:
        refused = error.sqlite_errorcode & 0xFF in NO_ROOM
        log = path.with_name(f"{path.name}-wal")
        if not refused or not path.exists() or (log.exists() and log.stat().st_size):
            raise
    # WAL needs a file beside the database, which a read-only folder or a full disk can't take.
    return _configured(f"{path.absolute().as_uri()}?immutable=1")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from one that took its place, ``None`` where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StorageFailed(f"{folder} can't be made: {why}") from error


def _configured(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name,
        uri=name.startswith("file:"),
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = legible
    try:
        connection.execute("pragma synchronous = normal")
        connection.execute("pragma temp_store = memory")
        connection.execute(f"pragma cache_size = -{MEMORY_CACHE_KIB}")
        connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.create_function("regexp", 2, regexp, deterministic=True)
        connection.execute("select count(*) from sqlite_master")
    except BaseException:
        connection.close()
        raise
    return connection


def legible(text: bytes) -> str:
    """Decode a text of the database: damage shows as U+FFFD, which ``verify`` finds."""
    return text.decode(errors="replace")


def _migrate(database: Database, *, create: bool) -> None:
    with database.reading():  # as of one moment: another process may be making it
        version = database.value("pragma user_version")
        foreign = database.value("pragma application_id") != APPLICATION_ID
        tables = database.value("select count(*) from sqlite_master")
    if version > len(MIGRATIONS):
        raise IndexCorrupt(
            f"{database.path} has schema {version}, this embedsearch knows up to {len(MIGRATIONS)}",
            hint="it was written by a newer version: pip install --upgrade embedsearch",
        )
    if foreign and tables:
        raise IndexCorrupt(f"{database.path} is another program's database, not an index")
    if version == 0 and not create:
        raise IndexNotFound(
            f"{database.path} holds no index yet",
            hint="make one with: embedsearch index FOLDER; in Python: Index.open(path)",
        )
    if version < len(MIGRATIONS):
        try:
            with translated(database.path):
                _apply(database, version)
        except StorageFailed as error:
            if not version or error.__cause__ is None or not _may_not_be_written(error.__cause__):
                raise
            raise StorageFailed(
                f"{database.path} was made by an older version, and can't be brought up to date:"
                " it may not be written",
                hint="open it once, or a copy of it, where it can be written: embedsearch status",
            ) from error


def _may_not_be_written(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


def _apply(database: Database, version: int) -> None:
    from sqlite_utils import Database as Tables

    if version == 0:
        _use_log(database.connection)
    database.execute("begin immediate")
    # Another process may have done it while this one waited.
    version = database.value("pragma user_version")
    tables = Tables(database.connection, execute_plugins=False)
    for migration in MIGRATIONS[version:]:
        migration(tables)
    database.execute("insert or ignore into settings (key, value) values ('generation', 0)")
    database.execute(f"pragma application_id = {APPLICATION_ID}")
    database.execute(f"pragma user_version = {len(MIGRATIONS)}")
    database.execute("commit")


def _use_log(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log; SQLite does not wait for other connections by itself there."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
