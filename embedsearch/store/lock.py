"""One writer at a time: a lock file that the kernel lets go when its owner dies."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from embedsearch.errors import IndexLocked, IndexNotFound, StorageFailed, why
from embedsearch.folder import DATABASE, LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


WRITER_SECONDS = 5.0
"""How long to wait for another writer, as Python's sqlite3 does."""

POLL_SECONDS = 0.01
"""How often it is looked for: a writer of many small adds lets go for moments only."""


@contextmanager
def writer_lock(folder: Path | None, *, wait: float = WRITER_SECONDS) -> Iterator[None]:
    """Hold the right to write to the index in ``folder``; an index in memory needs none.

    ``wait``: how many seconds to wait for it.

    Raises:
        IndexNotFound: the folder was moved or deleted; what is written would go with it.
        IndexLocked: another process, or thread, holds it all that time.
        StorageFailed: the folder can't be written.

    """
    if folder is None:
        yield
        return
    if not (folder / DATABASE).exists():
        raise IndexNotFound(f"no index in {folder} any more: it was moved or deleted")
    lock = FileLock(folder / LOCK, timeout=wait)
    try:
        lock.acquire(poll_interval=POLL_SECONDS)
    except Timeout as error:
        raise IndexLocked(
            f"the index in {folder} is being written by another process or thread",
            hint="wait until it is done; searching works meanwhile",
        ) from error
    except OSError as error:
        raise StorageFailed(f"{folder} can't be written: {why(error)}") from error
    try:
        yield
    finally:
        lock.release()
