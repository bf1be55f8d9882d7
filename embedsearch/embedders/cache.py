"""Files that can be made again, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = logging.getLogger(__name__)
DIGEST_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """Return the user's cache folder for embedsearch, which may not be there yet."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("embedsearch", appauthor=False))


def cached(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return what ``make`` returns, from ``path`` if an earlier call could keep it there.

    The file begins with the sha256 of the rest: what doesn't match is made again. Any number of
    processes may call this at once. Where the file can't be written, a warning is logged, once.
    """
    content = _read(path)
    if content is None:
        content = make()
        try:
            _write(path, content)
        except OSError as error:
            _warn_once(str(path.parent), error.strerror or str(error))
    return content


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    content = data[DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == data[:DIGEST_BYTES] else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(content).digest())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@cache
def _warn_once(folder: str, reason: str) -> None:
    LOG.warning("can't keep the prepared model in %s (%s)", folder, reason)
