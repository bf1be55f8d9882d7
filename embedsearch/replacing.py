"""Replacing: files that have all that is written to them, or stay as they were."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from shutil import copymode
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_LINKS = 40
"""How many links lead on to another, as Linux counts."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file beside a path, and put it there when all is written.

    A link stays one, and a file keeps its permissions. What can't be replaced is written to: a
    pipe, a device, a file in a folder that may not be changed, and what stands for an open file,
    as ``/dev/stdout``.

    Raises:
        OSError: the disk refused; it names the path.

    """
    path = Path(path)
    with _naming(path):
        if (number := descriptor(path)) is not None:
            with os.fdopen(os.dup(number), "wb") as out:
                yield out
            return
        if path.exists() and not (path.is_file() and os.access(path.resolve().parent, os.W_OK)):
            with path.open("wb") as out:
                yield out
            return
        target = path.resolve()
        part = target.with_name(f"{target.name}.{token_hex(4)}.part")
        try:
            with part.open("xb") as out:
                yield out
            if target.exists():
                copymode(target, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def descriptor(path: Path) -> int | None:
    """Return the number of the open file that a path stands for, ``None`` for any other path.

    To open it anew would begin at its start, and cut off what was written to it.
    """
    descriptors = Path("/dev/fd").resolve()
    for _ in range(_MOST_LINKS):
        if path.parent.resolve() == descriptors and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
    return None


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Have an error of the disk name a path: of a full one it names none, of others the part."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and (not error.filename or error.filename.endswith(".part")):
            error.filename, error.filename2 = str(path), None
        raise
