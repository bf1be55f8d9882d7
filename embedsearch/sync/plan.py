"""The plan: which files are new, changed, renamed, removed or as they were."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from embedsearch import readers
from embedsearch.readers import Unreadable
from embedsearch.readers.recording import SILENT, is_recording
from embedsearch.store import sources
from embedsearch.store.filters import matches
from embedsearch.sync.report import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from embedsearch.store.database import Database
    from embedsearch.store.sources import Known, Unread

T = TypeVar("T")


NO_SOURCE = 0
"""Stands for a folder that is no source yet: nothing is known of its files."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a source as it is now, and what the index knows of it (``None``: nothing)."""

    root: Path
    source: int
    path: str
    size: int
    mtime_ns: int
    known: Known | None = None

    @property
    def absolute(self) -> Path:
        """Where the file lies."""
        return self.root / self.path


@dataclass(slots=True)
class Plan:
    """What changed in the folders since the index last saw them."""

    new: list[File] = field(default_factory=list)
    changed: list[File] = field(default_factory=list)
    removed: dict[str, Known] = field(default_factory=dict)
    """By path. A file that moved within the plan's folders is in ``renamed`` instead."""
    renamed: list[tuple[Known, File]] = field(default_factory=list)
    unchanged: int = 0
    skipped: int = 0
    failed: list[Failure] = field(default_factory=list)
    gone: list[tuple[int, str]] = field(default_factory=list)
    """(source, path) of files that could not be read, and are no more."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a source that a sync is about: all of it, a folder in it, or one file."""

    root: Path
    source: int
    inside: str
    """The folder or file under the root; empty for all."""
    glob: tuple[str, ...] = ()
    skip: str = ""
    """A folder under the root that is left out: the index's own."""
    hearing: bool = False
    """Whether recordings are heard, so that one that was skipped is looked at again."""

    @property
    def whole(self) -> bool:
        """Whether every file of the source is of this scope."""
        return not (self.inside or self.glob or self.skip)

    def narrowed(self, files: dict[str, T]) -> dict[str, T]:
        """Return those of a source's files, by path, that are of this scope."""
        if self.whole:
            return files
        return {path: facts for path, facts in files.items() if self.holds(path)}

    def holds(self, path: str) -> bool:
        """Say whether a path under the root is of this scope."""
        if self.inside and not _under(path, self.inside):
            return False
        if self.skip and _under(path, self.skip):
            return False
        return matches(path, self.glob)


def scope(
    database: Database,
    path: Path,
    *,
    glob: Sequence[str] = (),
    skip: Path | None = None,
    create: bool = True,
    hearing: bool = False,
) -> Scope:
    """Return what syncing a path is about; a folder in no source becomes one if ``create``.

    Raises:
        FileNotFoundError: the path does not exist.

    """
    if not path.exists():
        raise FileNotFoundError(f"no such file or folder: {path}")
    path = Path(os.path.abspath(path))  # noqa: PTH100 -- resolve() would lose a link's own name
    folder = path if path.is_dir() else path.parent
    source, root = sources.holding(database, folder) or (
        sources.add(database, folder) if create else NO_SOURCE,
        folder,
    )
    skipped = _inside(root, skip) if skip and skip.is_relative_to(root) else ""
    return Scope(root, source, _inside(root, path), tuple(glob), skipped, hearing)


def _inside(root: Path, path: Path) -> str:
    inside = path.relative_to(root).as_posix()
    return "" if inside == "." else inside


def _under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def plan(database: Database, scopes: Iterable[Scope]) -> Plan:
    """Return what changed, by size and modification time: unchanged files are not opened.

    A new file that has a removed one's bytes is that one, renamed.
    """
    made = Plan()
    for each in scopes:
        _compare(database, each, made)
    _find_renamed(made)
    return made


def _compare(database: Database, scope: Scope, made: Plan) -> None:
    with database.reading():
        known = scope.narrowed(sources.known(database, scope.source))
        unread = scope.narrowed(sources.unread(database, scope.source))
    lost: list[str] = []
    for found in _files(scope):
        if isinstance(found, Unreadable):
            lost.append(found.path)
            made.failed.append(Failure(found.path, found.why))
        elif scope.whole or scope.holds(found.path):
            path = found.path
            _compare_file(scope, found, known.pop(path, None), unread.pop(path, None), made)
    for path, facts in known.items():
        # A folder that can't be listed may still hold what it held.
        if not any(PurePosixPath(path).is_relative_to(folder) for folder in lost):
            made.removed[path] = facts
    made.gone += [(scope.source, path) for path in unread]


def _compare_file(
    scope: Scope, found: readers.File, known: Known | None, unread: Unread | None, made: Plan
) -> None:
    now = found.size, found.mtime_ns
    if known and now == (known.size, known.mtime_ns):
        made.unchanged += 1
        return
    if unread and scope.hearing and _worth_hearing(found.path, unread):
        unread = None
    if unread and now == (unread.size, unread.mtime_ns):
        if unread.binary:
            made.skipped += 1
        else:
            made.failed.append(Failure(found.path, unread.why))
        return
    file = File(scope.root, scope.source, found.path, found.size, found.mtime_ns, known)
    (made.changed if known else made.new).append(file)


def _worth_hearing(path: str, unread: Unread) -> bool:
    """Whether a file was skipped only because nobody was there to hear it."""
    return unread.binary and is_recording(path) and unread.why != SILENT


def _files(scope: Scope) -> Iterator[readers.File | Unreadable]:
    """Yield the files of a scope, named by their path under the source's root."""
    start = scope.root / scope.inside
    if start.is_file():
        facts = start.stat()
        yield readers.File(scope.inside, facts.st_size, facts.st_mtime_ns)
        return
    prefix = f"{scope.inside}/" if scope.inside else ""
    for found in readers.walk(start):
        if not prefix:
            yield found
        elif isinstance(found, Unreadable):
            yield Unreadable(prefix + found.path, found.why)
        else:
            yield readers.File(prefix + found.path, found.size, found.mtime_ns)


def _find_renamed(made: Plan) -> None:
    """Move pairs of a removed and a new file with the same bytes and suffix to ``renamed``."""
    lost: dict[tuple[int, bytes, str], list[str]] = {}
    for path, known in made.removed.items():
        lost.setdefault((known.size, known.sha256, PurePosixPath(path).suffix), []).append(path)
    sizes = {size for size, _, _ in lost}
    still_new = []
    for file in made.new:
        identity = _identity(file) if file.size in sizes else None
        if identity and (paths := lost.get(identity)):
            made.renamed.append((made.removed.pop(paths.pop(0)), file))
        else:
            still_new.append(file)
    made.new = still_new


def _identity(file: File) -> tuple[int, bytes, str] | None:
    try:
        with file.absolute.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").digest()
    except OSError:
        return None  # reading it will say why
    return file.size, digest, PurePosixPath(file.path).suffix
