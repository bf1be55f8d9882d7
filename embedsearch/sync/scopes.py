"""Scopes: which part of which source the paths of a sync are about. Nothing is written here."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from embedsearch.errors import FolderGone, why
from embedsearch.store import sources
from embedsearch.store.globs import matches
from embedsearch.sync.report import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.store.database import Database


ODD = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
"""What a path may be that is no file, no folder and no device, by its type in ``st_mode``."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a source that a sync is about: all of it, a folder in it, or one file."""

    root: Path
    source: int
    inside: str
    """The folder or file under the root; empty for all."""
    glob: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    """How the paths of the index's own files begin, where they lie under the root."""
    hearing: bool = False
    """Whether recordings are heard, so that one that was skipped is looked at again."""

    @property
    def whole(self) -> bool:
        """Whether every file of the source is of this scope."""
        return not (self.inside or self.glob or self.own)

    def holds(self, path: str) -> bool:
        """Say whether a path under the root is of this scope."""
        if self.inside and not _under(path, self.inside):
            return False
        return not path.startswith(self.own) and matches(path, self.glob)


@dataclass(slots=True)
class Layout:
    """The sources as a sync will leave them: a new one has its number before it is stored."""

    roots: dict[int, Path]
    new: dict[int, Path] = field(default_factory=dict)
    taken_over: dict[int, tuple[int, str]] = field(default_factory=dict)
    """By the number of a source that will be none: whose its files become, and where they lie
    under that one's root (``sub/``)."""

    def source_of(self, path: Path) -> int:
        """Return the number of the innermost source that a path lies in, of a new one if need be.

        A folder takes over the sources inside it, so that no file is known twice; a file leaves
        those beside it alone.
        """
        folder = path if path.is_dir() else path.parent
        holding = self.holding(path)
        number = self._add(folder) if holding is None else holding
        if folder == path:
            self._take_over(number, folder)
        return number

    def holding(self, path: Path) -> int | None:
        """Return the number of the innermost source that a path lies in, ``None`` for none."""
        around = [number for number, root in self.roots.items() if path.is_relative_to(root)]
        return max(around, key=lambda number: len(self.roots[number].parts), default=None)

    def _add(self, root: Path) -> int:
        number = 1 + max([0, *self.roots, *self.taken_over])
        self.roots[number] = self.new[number] = root
        return number

    def _take_over(self, number: int, folder: Path) -> None:
        for inner, root in list(self.roots.items()):
            if inner != number and root.is_relative_to(folder):
                place = root.relative_to(self.roots[number]).as_posix()
                self.taken_over[inner] = number, f"{place}/"
                del self.roots[inner]

    def parts(self, number: int) -> dict[int, str]:
        """Return the stored sources that will be this one, and where each lies under its root."""
        inner = self.taken_over.items()
        return {number: ""} | {taken: place for taken, (by, place) in inner if by == number}


def scopes(
    database: Database,
    paths: Sequence[Path],
    *,
    glob: Sequence[str] = (),
    own: Sequence[Path] = (),
    hearing: bool = False,
) -> tuple[Layout, list[Scope], list[Failure]]:
    """Return what syncing paths is about, the sources as that will leave them, and what is wrong.

    What is wrong with one path does not stop the others; with all, it is raised.

    Raises:
        FileNotFoundError: no path exists, and nothing is known of them.
        FolderGone: the source that the path lies in is not there.
        ValueError: the path is neither a file nor a folder.

    """
    with database.reading():
        layout = Layout(sources.roots(database))
        refused = [(p, error) for p in paths if (error := _refusal(database, layout, p))]
    failed = [Failure(str(_absolute(path)), _why(path, error)) for path, error in refused]
    if failed and len(failed) == len(paths):
        _raise(refused)
    wrong = {path for path, _ in refused}
    named = [_absolute(path) for path in paths if path not in wrong]
    # Outer folders come first: what lies in them is then theirs.
    outer_first = sorted(named, key=lambda path: (not path.is_dir(), len(path.parts)))
    numbers = {path: layout.source_of(path) for path in outer_first}
    found = (_scope(layout.roots[numbers[path]], numbers[path], path, glob, own) for path in named)
    return layout, [replace(scope, hearing=hearing) for scope in found], failed


def _refusal(database: Database, layout: Layout, path: Path) -> OSError | ValueError | None:
    """Return why a path can't be looked at, if it can't."""
    try:
        if path.exists():
            _refuse_unreadable(path)
        else:
            _require_known(database, layout, path)
    except (OSError, ValueError) as error:
        return error
    return None


def _why(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return why(error)
    return str(error).removeprefix(f"{path} ")


def _raise(refused: Sequence[tuple[Path, OSError | ValueError]]) -> NoReturn:
    if len(refused) == 1:
        raise refused[0][1]
    for _, error in refused:
        if isinstance(error, FolderGone):  # Its hint says what to do.
            raise error
    raise FileNotFoundError("\n".join(f"{path}: {_why(path, error)}" for path, error in refused))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 -- resolve() would lose a link's own name


def _refuse_unreadable(path: Path) -> None:
    """Raise ValueError for what may never end, or never begin."""
    if not (path.is_file() or path.is_dir()):
        kind = ODD.get(stat.S_IFMT(path.stat().st_mode), "a device")
        raise ValueError(f"{path} is {kind}: only files and folders are indexed")


def _require_known(database: Database, layout: Layout, path: Path) -> None:
    """Let a path that is gone be named where its source is there to say so: then it was deleted."""
    place = _absolute(path)
    number = layout.holding(place)
    if number is not None and not layout.roots[number].is_dir():
        root = layout.roots[number]
        raise FolderGone(
            f"{root} is not there; what the index holds of it is kept",
            hint="if it is gone for good, or renamed and not yet indexed by its new name:"
            f" embedsearch rm --source {shlex.quote(str(root))}"
            f"; in Python: index.remove_source({str(root)!r})",
        )
    if number is None or not sources.holds(database, number, _inside(layout.roots[number], place)):
        raise _missing(path)


def _missing(path: Path) -> FileNotFoundError:
    if path.parts[0] not in {"http:", "https:"}:
        return FileNotFoundError(errno.ENOENT, "no such file or folder", str(path))
    address = str(path).replace(":/", "://", 1)  # a Path has lost a slash of it
    why = "only files and folders are read, save the page first"
    return FileNotFoundError(errno.ENOENT, why, address)


def _scope(root: Path, source: int, path: Path, glob: Sequence[str], own: Sequence[Path]) -> Scope:
    below = tuple(_inside(root, each) for each in map(_absolute, own) if each.is_relative_to(root))
    return Scope(root, source, _inside(root, path), tuple(glob), below)


def _inside(root: Path, path: Path) -> str:
    inside = path.relative_to(root).as_posix()
    return "" if inside == "." else inside


def _under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
