"""The plan: which files are new, changed, renamed, removed or as they were."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from embedsearch import readers
from embedsearch.readers import Unreadable
from embedsearch.readers.recording import SILENT, is_recording
from embedsearch.store import sources
from embedsearch.sync.report import Failure, Progress
from embedsearch.sync.scopes import scopes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from embedsearch.store.database import Database
    from embedsearch.store.sources import Known, Unread
    from embedsearch.sync.scopes import Layout, Scope

T = TypeVar("T")

FILES_BETWEEN = 500
"""How many files are found between two words of progress."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a source as it is now, and what the index knows of it (``None``: nothing)."""

    root: Path
    source: int
    path: str
    size: int
    changed_ns: int
    known: Known | None = None

    @property
    def absolute(self) -> Path:
        """Where the file lies."""
        return self.root / self.path


@dataclass(slots=True)
class Plan:
    """What changed in the folders since the index last saw them."""

    layout: Layout
    new: list[File] = field(default_factory=list)
    changed: list[File] = field(default_factory=list)
    removed: dict[str, Known] = field(default_factory=dict)
    """By id. A file that moved within the plan's folders is in ``renamed`` instead."""
    renamed: list[File] = field(default_factory=list)
    moved: list[File] = field(default_factory=list)
    """The files of sources that are taken over, or were lost, where they are now known to lie."""
    unchanged: int = 0
    skipped: int = 0
    failed: list[Failure] = field(default_factory=list)
    gone: list[tuple[int, str]] = field(default_factory=list)
    """(source, path) of files that could not be read, and are no more."""
    unlisted: list[tuple[int, str, Unread]] = field(default_factory=list)
    """(source, path, why) of folders that can't be listed, and of files that can't be named."""


def plan(
    database: Database,
    paths: Sequence[Path],
    progress: Callable[[Progress], None],
    *,
    glob: Sequence[str] = (),
    own: Sequence[Path] = (),
    hearing: bool = False,
) -> Plan:
    """Return what changed, by size and time of the last change: unchanged files are not opened.

    A new file that has a removed one's bytes is that one, renamed. ``own`` is how the paths of the
    index's own files begin: they are left out. ``hearing``: recordings that were skipped are looked
    at again.

    Raises:
        FileNotFoundError: no path exists, and nothing is known of them.
        FolderGone: the source that the path lies in is not there.
        ValueError: the path is neither a file nor a folder.

    """
    layout, named, failed = scopes(database, paths, glob=glob, own=own, hearing=hearing)
    made = Plan(layout, failed=failed)
    of_source: dict[int, list[Scope]] = {}
    for scope in named:
        of_source.setdefault(scope.source, []).append(scope)
    tell = _every_so_often(progress)
    for parts in of_source.values():
        _compare(database, parts, made, tell)
    if made.new:
        _find_orphans(database, made)
    _find_renamed(made)
    found_again = {*made.removed, *(file.known.id for file in made.renamed if file.known)}
    made.moved = [file for file in made.moved if file.known and file.known.id not in found_again]
    return made


def _every_so_often(progress: Callable[[Progress], None]) -> Callable[[], None]:
    """Return what is to be called for every file that is found."""
    files = count(1)

    def tell() -> None:
        found = next(files)
        if found % FILES_BETWEEN == 0:
            progress(Progress("walk", found, None))

    return tell


def _compare(
    database: Database, scopes: Sequence[Scope], made: Plan, tell: Callable[[], None]
) -> None:
    """Compare all that a sync is about in one source, so that no file is met twice."""
    source, root = scopes[0].source, scopes[0].root
    all_known, all_unread = _held(database, source, made)
    known, unread = _narrowed(all_known, scopes), _narrowed(all_unread, scopes)
    lost: list[str] = []
    for found in _each_once(chain(*(_files(scope, tell) for scope in scopes))):
        path = found.path
        if isinstance(found, Unreadable):
            lost.append(path)
            made.failed.append(Failure(str(root / path), found.why))
            made.unlisted.append((source, path, sources.may_pass(found.why)))
        else:
            _compare_file(scopes[0], found, known.pop(path, None), unread.pop(path, None), made)
    for path, facts in known.items():
        # A folder that can't be listed may still hold what it held.
        if not any(PurePosixPath(path).is_relative_to(folder) for folder in lost):
            made.removed[facts.id] = facts
    made.gone += [(source, path) for path in unread]


def _held(
    database: Database, source: int, made: Plan
) -> tuple[dict[str, Known], dict[str, Unread]]:
    """Return what is known of the files that are a source's, or will be, by path."""
    known: dict[str, Known] = {}
    unread: dict[str, Unread] = {}
    with database.reading():
        for number, place in made.layout.parts(source).items():
            of_part = {place + path: k for path, k in sources.known(database, number).items()}
            known |= of_part
            unread |= {place + path: u for path, u in sources.unread(database, number).items()}
            if number != source:
                root = made.layout.roots[source]
                made.moved += [
                    File(root, source, path, facts.size, facts.changed_ns, facts)
                    for path, facts in of_part.items()
                ]
    return known, unread


def _compare_file(
    scope: Scope, found: readers.File, known: Known | None, unread: Unread | None, made: Plan
) -> None:
    now = found.size, found.changed_ns
    if known and now == (known.size, known.changed_ns):
        made.unchanged += 1
        return
    if unread and scope.hearing and worth_hearing(found.path, unread):
        unread = None
    if unread and now == (unread.size, unread.changed_ns):
        if unread.binary:
            made.skipped += 1
        else:
            made.failed.append(Failure(str(scope.root / found.path), unread.why))
        return
    file = File(scope.root, scope.source, found.path, found.size, found.changed_ns, known)
    (made.changed if known else made.new).append(file)


def worth_hearing(path: str, unread: Unread) -> bool:
    """Whether a file was skipped only because nobody was there to hear it."""
    return unread.binary and is_recording(path) and unread.why != SILENT


def _narrowed(files: dict[str, T], scopes: Sequence[Scope]) -> dict[str, T]:
    """Return those of a source's files, by path, that are of some scope."""
    if any(scope.whole for scope in scopes):
        return files
    return {path: facts for path, facts in files.items() if any(s.holds(path) for s in scopes)}


def _each_once(found: Iterable[readers.File | Unreadable]) -> Iterator[readers.File | Unreadable]:
    """Yield what is found, once though it lies in several scopes."""
    met: set[str] = set()
    for each in found:
        if each.path not in met:
            met.add(each.path)
            yield each


def _files(scope: Scope, tell: Callable[[], None]) -> Iterator[readers.File | Unreadable]:
    """Yield the files of a scope, named by their path under the source's root."""
    for found in _walked(scope):
        tell()
        if scope.whole or isinstance(found, Unreadable) or scope.holds(found.path):
            yield found


def _walked(scope: Scope) -> Iterator[readers.File | Unreadable]:
    start = scope.root / scope.inside
    if scope.inside and not start.exists():
        return
    if start.is_file():
        facts = start.stat()
        yield readers.File(scope.inside, facts.st_size, readers.changed_ns(facts))
        return
    prefix = f"{scope.inside}/" if scope.inside else ""
    for found in readers.walk(start):
        if not prefix:
            yield found
        elif isinstance(found, Unreadable):
            yield Unreadable(prefix + found.path, found.why)
        else:
            yield readers.File(prefix + found.path, found.size, found.changed_ns)


def _find_orphans(database: Database, made: Plan) -> None:
    """Know new files again, by path and bytes, as those of documents that lost their source."""
    lost = sources.orphans(database)
    still_new = []
    for file in made.new:
        alike = [known for known in lost.get(file.path, ()) if known.size == file.size]
        identity = _identity(file) if alike else None
        same = [known for known in alike if identity and known.sha256 == identity[1]]
        if same:
            lost[file.path].remove(same[0])
            made.moved.append(replace(file, known=same[0]))
            made.unchanged += 1
        else:
            still_new.append(file)
    made.new = still_new


def _find_renamed(made: Plan) -> None:
    """Move pairs of a removed and a new file with the same bytes and suffix to ``renamed``."""
    lost: dict[tuple[int, bytes, str], list[str]] = {}
    for id, known in made.removed.items():
        lost.setdefault((known.size, known.sha256, PurePosixPath(id).suffix), []).append(id)
    sizes = {size for size, _, _ in lost}
    still_new = []
    for file in made.new:
        identity = _identity(file) if file.size in sizes else None
        if identity and (ids := lost.get(identity)):
            made.renamed.append(replace(file, known=made.removed.pop(ids.pop(0))))
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
