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


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file beside a path, and put it there when all is written.

    A link stays one, and a file keeps its permissions. What can't be replaced is written to: a
    pipe, a device, a file in a folder that may not be changed.

    Raises:
        OSError: the disk refused; it names the path.

    """
    path = Path(path)
    with _naming(path):
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


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Have an error of the disk name a path: of a full one it names none, of others the part."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and (not error.filename or error.filename.endswith(".part")):
            error.filename, error.filename2 = str(path), None
        raise
