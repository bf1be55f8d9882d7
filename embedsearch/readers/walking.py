"""Walks a folder: every file worth reading, in a fixed order, at one ``stat`` a file."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedsearch.errors import why
from embedsearch.folder import own_names
from embedsearch.readers import ignoring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedsearch.readers.ignoring import IgnoreFile

IGNORE_FILES = (".gitignore", ".embedsearchignore")
"""Read in this order, so that the second has the last word in its folder."""

NEVER_ENTERED = frozenset({"CVS", "_darcs", "__pycache__", "node_modules"})
"""Folders left out besides the hidden ones, whose names begin with a dot."""

BAD_NAME = (
    "its name is not valid UTF-8: rename it, or ignore it in .embedsearchignore, with * for what"
    " is wrong in it"
)


def changed_ns(status: os.stat_result) -> int:
    """Return when a file last changed, in nanoseconds since 1970: its content, times or name.

    That of the content alone, its mtime, can be set, and files swapped or unpacked bear it on.
    """
    return max(status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class File:
    """A regular file: its POSIX path under the root, its bytes, and when it last changed."""

    path: str
    size: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or folder under the root that could not be looked at, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class _Scope:
    """An ignore file, and the path from its folder down to the folder being walked."""

    ignore: IgnoreFile
    below: str


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to be walked; ``prefix`` is its POSIX path under the root, with a last slash."""

    path: str
    prefix: str
    scopes: tuple[_Scope, ...]


def walk(root: Path) -> Iterator[File | Unreadable]:
    """Yield a folder's files by name, then those of its folders by name, down to the last.

    Left out: hidden names, ``NEVER_ENTERED``, what ``.gitignore``, ``.embedsearchignore`` and
    ``.git/info/exclude`` ignore (those of the folders above count too, up to the repository's
    root, unless they ignore the root itself), the files of an index, and all but regular files.
    Symbolic links are not followed, except for ``root`` itself.
    """
    todo = [_Folder(os.fspath(root), "", _above(root))]
    while todo:
        yield from _contents(todo.pop(), todo)


def _contents(folder: _Folder, todo: list[_Folder]) -> Iterator[File | Unreadable]:
    """Yield the folder's files, and put its folders on top of ``todo``, the first one last."""
    try:
        with os.scandir(folder.path) as listing:
            entries = sorted(listing, key=_name)
    except OSError as error:
        yield Unreadable(_printable(folder.prefix.rstrip("/") or "."), why(error))
        return
    lines, failures = _own_lines(entries, folder.prefix)
    yield from failures
    scopes = (_Scope(ignoring.parse(lines), ""), *folder.scopes) if lines else folder.scopes
    left_out = (".", *own_names([entry.name for entry in entries]))
    entered = []
    for entry in entries:
        if entry.name.startswith(left_out):
            continue
        path = folder.prefix + entry.name
        try:
            if _ignored(scopes, entry):
                continue
            if entry.is_dir(follow_symlinks=False):
                entered.append(entry)
            elif entry.is_file(follow_symlinks=False):
                yield _file(path, entry)
        except OSError as error:
            yield Unreadable(_printable(path), why(error))
    todo.extend(
        _Folder(entry.path, f"{folder.prefix}{entry.name}/", _entered(scopes, entry.name))
        for entry in reversed(entered)
        if entry.name not in NEVER_ENTERED
    )


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _file(path: str, entry: os.DirEntry[str]) -> File | Unreadable:
    if not path.isascii() and _printable(path) != path:
        return Unreadable(_printable(path), BAD_NAME)
    status = entry.stat(follow_symlinks=False)
    return File(path, status.st_size, changed_ns(status))


def _ignored(scopes: tuple[_Scope, ...], entry: os.DirEntry[str]) -> bool:
    """Ask the nearest ignore file first; the sieves first of all, as they nearly always say no."""
    name = entry.name
    for scope in scopes:
        if scope.ignore.sieve.catches(name):
            break
    else:
        return False
    return _judged(scopes, name, folder=entry.is_dir(follow_symlinks=False))


def _judged(scopes: tuple[_Scope, ...], name: str, *, folder: bool) -> bool:
    for scope in scopes:
        verdict = scope.ignore.verdict(scope.below + name, name, folder=folder)
        if verdict is not None:
            return verdict
    return False


def _own_lines(entries: list[os.DirEntry[str]], prefix: str) -> tuple[list[str], list[Unreadable]]:
    """Read the folder's own ignore files; one that can't be read is reported, not obeyed."""
    lines: list[str] = []
    failures = []
    present = {entry.name: entry for entry in entries if entry.name in IGNORE_FILES}
    for name in IGNORE_FILES:
        entry = present.get(name)
        if entry is None:
            continue
        try:
            if entry.is_file():
                lines += _lines(Path(entry.path))
        except OSError as error:
            failures.append(Unreadable(_printable(prefix + name), why(error)))
    return lines, failures


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()


def _above(root: Path) -> tuple[_Scope, ...]:
    """Return the rules that the folders above the root have for what is in it.

    Whoever names an ignored folder wants it read: rules that ignore the root count for nothing.
    """
    real = Path(os.path.realpath(root))
    top = next((p for p in (real, *real.parents) if os.path.lexists(p / ".git")), None)
    if top is None:
        return ()
    scopes = _scope(top / ".git" / "info", "exclude")
    folder = top
    for name in real.relative_to(top).parts:
        scopes = _scope(folder, *IGNORE_FILES) + scopes
        if _judged(scopes, name, folder=True):
            return ()
        scopes = _entered(scopes, name)
        folder /= name
    return scopes


def _entered(scopes: tuple[_Scope, ...], name: str) -> tuple[_Scope, ...]:
    return tuple(_Scope(scope.ignore, f"{scope.below}{name}/") for scope in scopes)


def _scope(folder: Path, *names: str) -> tuple[_Scope, ...]:
    """Read ignore files from outside the root, where what can't be read is not ours to report."""
    lines: list[str] = []
    for name in names:
        with suppress(OSError):
            if stat.S_ISREG((folder / name).stat().st_mode):
                lines += _lines(folder / name)
    return (_Scope(ignoring.parse(lines), ""),) if lines else ()


def _printable(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
