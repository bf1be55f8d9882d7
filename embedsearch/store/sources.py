"""Sources: the folders that an index is kept in step with, and the files known of each."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from embedsearch.store.database import Database


@dataclass(frozen=True, slots=True)
class Known:
    """What the index knows of a file since it was last read."""

    id: str
    size: int
    mtime_ns: int
    sha256: bytes


def add(database: Database, root: Path) -> int:
    """Return the number of a folder, which becomes a source when it is new."""
    stored, inside = _stored(database, root)
    with database.writing():
        database.execute(
            "insert or ignore into sources (root, inside) values (?, ?)", [stored, inside]
        )
        number = int(database.value("select number from sources where root = ?", [stored]))
        _absorb(database, number, root)
    return number


def _absorb(database: Database, source: int, root: Path) -> None:
    """Take over the documents of sources inside a root, so that no file is known twice."""
    for number, inner in roots(database).items():
        if number == source or not inner.is_relative_to(root):
            continue
        prefix = f"{inner.relative_to(root).as_posix()}/"
        database.execute(
            """
            update documents
            set source = ?, path = ? || path, id = case when id = path then ? || id else id end
            where source = ?
            """,
            [source, prefix, prefix, number],
        )
        database.execute("delete from unread where source = ?", [number])
        database.execute("delete from sources where number = ?", [number])


def holding(database: Database, folder: Path) -> tuple[int, Path] | None:
    """Return the number and root of the source that a folder lies in, if it is in any."""
    with database.reading():
        found = [(n, root) for n, root in roots(database).items() if folder.is_relative_to(root)]
    return found[0] if found else None


def document_at(database: Database, path: Path) -> str | None:
    """Return the id of the document that was read from a file, ``None`` if there is none."""
    place = Path(os.path.abspath(path))  # noqa: PTH100 -- absolute() keeps '..'
    with database.reading():
        for number, root in roots(database).items():
            if place.is_relative_to(root):
                inside = place.relative_to(root).as_posix()
                id: str | None = database.value(
                    "select id from documents where source = ? and path = ?", [number, inside]
                )
                if id is not None:
                    return id
    return None


def roots(database: Database) -> dict[int, Path]:
    """Return the folder of every source, absolute."""
    home = _home(database)
    return {
        number: Path(os.path.normpath(home / root)) if inside else Path(root)
        for number, root, inside in database.execute("select number, root, inside from sources")
    }


def _home(database: Database) -> Path:
    """Return the folder the index lies in: sources below it are kept relative, and move with it."""
    return database.path.absolute().parent.parent if database.path else Path("/")


def _stored(database: Database, root: Path) -> tuple[str, bool]:
    home = _home(database)
    if database.path and root.is_relative_to(home):
        return root.relative_to(home).as_posix(), True
    return str(root), False


def known(database: Database, source: int) -> dict[str, Known]:
    """Return what is known of a source's files, by path."""
    rows = database.execute(
        "select path, id, size, mtime_ns, sha256 from documents where source = ?", [source]
    )
    return {path: Known(*facts) for path, *facts in rows}


def owners(database: Database, ids: Iterable[str]) -> dict[str, int | None]:
    """Return, for those among ``ids`` that are taken, the source of the document."""
    rows = database.execute(
        "select d.id, d.source from json_each(?) j join documents d on d.id = j.value",
        [json.dumps(list(ids))],
    )
    return dict(rows.fetchall())


def touch(database: Database, files: Iterable[tuple[int, int, str]]) -> None:
    """Note the new (size, mtime_ns) of documents, by id, whose bytes are as they were."""
    with database.writing():
        database.executemany("update documents set size = ?, mtime_ns = ? where id = ?", files)


def rename(database: Database, files: Iterable[tuple[str, int, str, int, str]]) -> None:
    """Give documents a new (id, source, path, mtime_ns), by their old id."""
    with database.writing():
        database.executemany(
            "update documents set id = ?, source = ?, path = ?, mtime_ns = ? where id = ?", files
        )


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read as it was: no need to open it again until it changes."""

    size: int
    mtime_ns: int
    binary: bool
    why: str


def unread(database: Database, source: int) -> dict[str, Unread]:
    """Return the files of a source that this version could not read, by path."""
    rows = database.execute(
        "select path, size, mtime_ns, binary, why from unread where source = ? and version = ?",
        [source, version("embedsearch")],
    )
    return {path: Unread(size, mtime, bool(binary), why) for path, size, mtime, binary, why in rows}


def note_unread(database: Database, files: Iterable[tuple[int, str, Unread]]) -> None:
    """Note (source, path, why) of files that could not be read."""
    with database.writing():
        database.executemany(
            """
            insert or replace into unread (source, path, size, mtime_ns, binary, why, version)
            values (?, ?, ?, ?, ?, ?, ?)
            """,
            (
                (source, path, u.size, u.mtime_ns, u.binary, u.why, version("embedsearch"))
                for source, path, u in files
            ),
        )


def forget_unread(database: Database, files: Iterable[tuple[int, str]]) -> None:
    """Forget that files could not be read: they could, or they are gone."""
    with database.writing():
        database.executemany("delete from unread where source = ? and path = ?", files)
