"""Sources: the folders that an index is kept in step with, and the files known of each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedsearch.errors import SourceNotFound
from embedsearch.store import documents
from embedsearch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from embedsearch.store.database import Database


@dataclass(frozen=True, slots=True)
class Known:
    """What the index knows of a file since it was last read."""

    id: str
    size: int
    changed_ns: int
    sha256: bytes


def add(database: Database, new: Mapping[int, Path]) -> None:
    """Make folders sources, by the numbers they are to have."""
    with database.writing():
        database.executemany(
            "insert into sources (number, root, inside) values (?, ?, ?)",
            ((number, *_stored(database, root)) for number, root in new.items()),
        )


def merge(database: Database, taken_over: Mapping[int, tuple[int, str]]) -> None:
    """Make sources a part of others, by number: of which, and where under its root (``sub/``).

    Their documents have been moved before.
    """
    with database.writing():
        for number, (by, place) in taken_over.items():
            database.execute(
                "update or replace unread set source = ?, path = ? || path where source = ?",
                [by, place, number],
            )
            database.execute("delete from sources where number = ?", [number])


def number_of(database: Database, folder: Path) -> int:
    """Return the number of the source that a folder is.

    Raises:
        SourceNotFound: it is none.

    """
    place = _absolute(folder)
    for number, root in roots(database).items():
        if root == place:
            return number
    raise SourceNotFound(
        f"{folder} is no folder of the index",
        hint="see: embedsearch status; in Python: index.status()",
    )


def remove(database: Database, folder: Path) -> int:
    """Forget a source with its documents, and return how many those were.

    Raises:
        SourceNotFound: the folder is none.

    """
    with database.writing():
        number = number_of(database, folder)
        removed = documents.remove(database, [k.id for k in known(database, number).values()])
        database.execute("delete from unread where source = ?", [number])
        database.execute("delete from sources where number = ?", [number])
    return removed


def document_at(database: Database, path: Path) -> str | None:
    """Return the id of the document that was read from a file, ``None`` if there is none.

    It may be named by a symbolic link.
    """
    with database.reading():
        found = (_document_at(database, place) for place in _places(path))
        return next((id for id in found if id is not None), None)


def _document_at(database: Database, place: Path) -> str | None:
    for number, root in roots(database).items():
        if place.is_relative_to(root):
            inside = place.relative_to(root).as_posix()
            id: str | None = database.value(
                "select id from documents where source = ? and path = ?", [number, inside]
            )
            if id is not None:
                return id
    return None


def documents_below(database: Database, folder: Path) -> dict[str, str]:
    """Return the documents that were read from files below a folder: by id, their path in it.

    It may be named by a symbolic link.
    """
    with database.reading():
        found = (_documents_below(database, place) for place in _places(folder))
        return next(filter(None, found), {})


def _documents_below(database: Database, place: Path) -> dict[str, str]:
    found = {}
    for number, root in roots(database).items():
        if not (place.is_relative_to(root) or root.is_relative_to(place)):
            continue
        for id, path in database.execute(
            "select id, path from documents where source = ?", [number]
        ):
            if (file := root / path).is_relative_to(place):
                found[id] = file.relative_to(place).as_posix()
    return found


def _places(path: Path) -> tuple[Path, ...]:
    """Return where a path is, as it is named and, behind links, as it is."""
    named = _absolute(path)
    try:
        real = Path(os.path.realpath(path))
    except ValueError:  # it holds what no name can, as a text may
        return (named,)
    return (named,) if real == named else (named, real)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 -- absolute() keeps '..'


def roots(database: Database) -> dict[int, Path]:
    """Return the folder of every source, absolute."""
    home = _home(database)
    return {
        number: Path(os.path.normpath(home / root)) if inside else Path(root)
        for number, root, inside in database.execute("select number, root, inside from sources")
    }


def missing(database: Database) -> list[Path]:
    """Return the sources that are not there, deleted or not mounted, and have documents."""
    gone = [(number, root) for number, root in roots(database).items() if not root.is_dir()]
    holding = "select 1 from documents where source = ? limit 1"
    return [root for number, root in gone if database.value(holding, [number])]


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


def orphans(database: Database) -> dict[str, list[Known]]:
    """Return what was read from files of which damage took the source, by their paths in it."""
    rows = database.execute("""
        select path, id, size, mtime_ns, sha256 from documents
        where source is null and path is not null order by number
    """)
    found: dict[str, list[Known]] = {}
    for path, *facts in rows:
        found.setdefault(path, []).append(Known(*facts))
    return found


def holds(database: Database, source: int, path: str) -> bool:
    """Say whether anything is known of a file of a source, or of files below a folder of it."""
    below = (f"{path}/", f"{path}0")  # '0' is the character after '/'
    return any(
        database.value(
            f"select 1 from {table} where source = ? and (path = ? or path > ? and path < ?)",
            [source, path, *below],
        )
        for table in ("documents", "unread")
    )


def touch(database: Database, files: Iterable[tuple[int, int, str]]) -> None:
    """Note the new (size, changed_ns) of documents, by id, whose bytes are as they were."""
    with database.writing():
        database.executemany("update documents set size = ?, mtime_ns = ? where id = ?", files)


def move(database: Database, files: Iterable[tuple[str, int, str, int, str]]) -> None:
    """Give documents a new (id, source, path, changed_ns), by their old id."""
    with database.writing():
        database.executemany(
            "update documents set id = ?, source = ?, path = ?, mtime_ns = ? where id = ?", files
        )


def partial(database: Database) -> list[tuple[str, str]]:
    """Return the documents of which a part could not be read, by file or id, and what and why."""
    folders = roots(database)
    rows = database.execute(
        "select id, source, path, partial from documents where partial is not null order by id"
    )
    return [
        (str(folders[source] / path) if source in folders else id, what)
        for id, source, path, what in rows
    ]


NO_SIZE = -1
"""The size of what could not be read for a reason that may pass: the next sync tries again."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read as it was: no need to open it again until it changes."""

    size: int
    changed_ns: int
    binary: bool
    why: str


def may_pass(why: str) -> Unread:
    """Return that a file, or a folder, could not be read this time, as without permission."""
    return Unread(NO_SIZE, 0, binary=False, why=why)


def unread(database: Database, source: int) -> dict[str, Unread]:
    """Return the files of a source that this version could not read, by path."""
    rows = database.execute(
        "select path, size, mtime_ns, binary, why from unread where source = ? and version = ?",
        [source, __version__],
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
                (source, path, u.size, u.changed_ns, u.binary, u.why, __version__)
                for source, path, u in files
            ),
        )


def forget_unread(database: Database, files: Iterable[tuple[int, str]]) -> None:
    """Forget that files could not be read: they could, or they are gone."""
    with database.writing():
        database.executemany("delete from unread where source = ? and path = ?", files)
