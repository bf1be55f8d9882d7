"""Walks a folder: every file worth reading, in a fixed order, at one ``stat`` a file."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from embedsearch.readers import ignoring

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from embedsearch.readers.ignoring import IgnoreFile

IGNORE_FILES = (".gitignore", ".embedsearchignore")
"""Read in this order, so that the second has the last word in its folder."""

NEVER_ENTERED = frozenset({"CVS", "_darcs", "__pycache__", "node_modules"})
"""Folders left out besides the hidden ones, whose names begin with a dot."""


@dataclass(frozen=True, slots=True)
class File:
    """A regular file: its POSIX path under the root, its bytes, and when it last changed."""

    path: str
    size: int
    mtime_ns: int


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


class _Accepts(Protocol):
    def __call__(self, path: str) -> bool: ...


def walk(root: Path, *, glob: Sequence[str] = ()) -> Iterator[File | Unreadable]:
    """Yield a folder's files by name, then those of its folders by name, down to the last.

    Left out: hidden names, ``NEVER_ENTERED``, what ``.gitignore``, ``.embedsearchignore`` and
    ``.git/info/exclude`` ignore (those of the folders above count too, up to the repository's
    root, unless they ignore the root itself), and all but regular files. Symbolic links are not
    followed, except for ``root`` itself.

    ``glob`` holds patterns as in ``.gitignore`` of which a file must match the last one that
    speaks of it: ``("*.md", "!draft*")``. Raises ValueError for a pattern that can't be one.
    """
    accepts = _accepts(glob)
    todo: list[tuple[str, str, tuple[_Scope, ...]]] = [(os.fspath(root), "", _above(root))]
    while todo:
        folder, prefix, scopes = todo.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=_name)
        except OSError as error:
            yield Unreadable(_printable(prefix.rstrip("/") or "."), _why(error))
            continue
        lines, failures = _own_lines(entries, prefix)
        yield from failures
        if lines:
            scopes = (_Scope(ignoring.parse(lines), ""), *scopes)
        folders = []
        for entry in entries:
            name = entry.name
            if name[0] == "." or _ignored(scopes, entry):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    if name not in NEVER_ENTERED:
                        folders.append(entry)
                elif entry.is_file(follow_symlinks=False) and accepts(prefix + name):
                    yield _file(prefix + name, entry)
            except OSError as error:
                yield Unreadable(_printable(prefix + name), _why(error))
        for entry in reversed(folders):
            below = tuple(_Scope(s.ignore, f"{s.below}{entry.name}/") for s in scopes)
            todo.append((entry.path, f"{prefix}{entry.name}/", below))


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _file(path: str, entry: os.DirEntry[str]) -> File | Unreadable:
    if not path.isascii() and _printable(path) != path:
        return Unreadable(_printable(path), "its name is not valid UTF-8")
    status = entry.stat(follow_symlinks=False)
    return File(path, status.st_size, status.st_mtime_ns)


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
        if entry is None or not entry.is_file():
            continue
        try:
            lines += _lines(Path(entry.path))
        except OSError as error:
            failures.append(Unreadable(_printable(prefix + name), _why(error)))
    return lines, failures


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()


def _above(root: Path) -> tuple[_Scope, ...]:
    """Return the rules that folders above the root, and the repository, have for what is in it."""
    real = Path(os.path.realpath(root))
    top = next((p for p in (real, *real.parents) if (p / ".git").exists()), None)
    if top is None:
        return ()
    scopes: tuple[_Scope, ...] = _scope(top / ".git" / "info", ("exclude",), top, real)
    for folder in [*reversed(real.parents)]:
        if folder.is_relative_to(top):
            scopes = _scope(folder, IGNORE_FILES, folder, real) + scopes
    # Whoever names an ignored folder wants it read.
    return () if _root_ignored(scopes) else scopes


def _scope(folder: Path, names: tuple[str, ...], base: Path, root: Path) -> tuple[_Scope, ...]:
    lines: list[str] = []
    for name in names:
        path = folder / name
        try:
            if stat.S_ISREG(path.stat().st_mode):
                lines += _lines(path)
        except OSError:
            # Not there, or not ours to read: it lies outside the folder that was asked for.
            continue
    below = root.relative_to(base).as_posix() + "/" if root != base else ""
    return (_Scope(ignoring.parse(lines), below),) if lines else ()


def _root_ignored(scopes: tuple[_Scope, ...]) -> bool:
    """Say whether a rule from above ignores the root or a folder that it lies in."""
    deepest = max((scope.below.count("/") for scope in scopes), default=0)
    for drop in range(deepest):
        cut = [(s.ignore, s.below.rstrip("/").split("/")) for s in scopes]
        nearer = [(i, parts[: len(parts) - drop]) for i, parts in cut if len(parts) > drop]
        verdicts = (
            ignore.verdict("/".join(parts), parts[-1], folder=True)
            for ignore, parts in nearer
            if parts[-1]
        )
        if next((v for v in verdicts if v is not None), False):
            return True
    return False


def _accepts(glob: Sequence[str]) -> _Accepts:
    if not glob:
        return lambda path: True  # noqa: ARG005 - without patterns every path is accepted
    from pathspec import GitIgnoreSpec

    patterns = list(glob)
    if all(pattern.startswith("!") for pattern in patterns):
        patterns.insert(0, "*")
    spec = GitIgnoreSpec.from_lines(patterns)
    return spec.match_file


def _printable(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
