"""Every error that embedsearch raises on purpose.

::

    EmbedsearchError
    ├── ReadError                          a file that could not be read
    │   └── BinaryFile                     not text, and no reader knows it
    ├── EmbeddingError                     a model that could not be loaded or run
    ├── DimensionMismatch (ValueError)     vectors of another length
    ├── EmbedderMismatch                   an index built in another space
    ├── DocumentNotFound (LookupError)
    ├── SourceNotFound (LookupError)
    ├── FolderGone (FileNotFoundError)     a source that is not there: deleted, or not mounted
    ├── IndexNotFound (FileNotFoundError)
    ├── IndexLocked                        another writer is at work
    ├── IndexCorrupt                       a damaged, foreign or newer file
    │   └── IndexDamaged                   ours, and in part unreadable
    ├── StorageFailed (OSError)            disk full, read-only, or gone
    └── MissingDependency (ImportError)

Bad arguments raise plain ``ValueError`` and ``TypeError``.
"""


class EmbedsearchError(Exception):
    """The root of all errors that embedsearch raises on purpose."""

    hint: str | None = None
    """What the user can do about it, in one line."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ReadError(EmbedsearchError):
    """A file that could not be read; the message says why, without the path."""


class BinaryFile(ReadError):
    """A file that holds no text and that no reader knows."""


class EmbeddingError(EmbedsearchError):
    """A model that could not be loaded, or that failed on its input."""


class DimensionMismatch(EmbedsearchError, ValueError):
    """Vectors whose length is not the index's."""


class EmbedderMismatch(EmbedsearchError):
    """An embedder whose space is not the one the index was built in."""


class DocumentNotFound(EmbedsearchError, LookupError):
    """An id that the index does not hold."""


class SourceNotFound(EmbedsearchError, LookupError):
    """A folder that the index is not kept in step with."""


class FolderGone(EmbedsearchError, FileNotFoundError):
    """A folder that was indexed and is not there: deleted, moved, or on a disk not mounted."""


class IndexNotFound(EmbedsearchError, FileNotFoundError):
    """A folder that holds no index."""


class IndexLocked(EmbedsearchError):
    """Another process is writing to the index."""


class IndexCorrupt(EmbedsearchError):
    """An index file that is damaged, foreign, or from a newer version."""


class IndexDamaged(IndexCorrupt):
    """A database that can't be read in part or at all: ``index.salvage`` may help."""


class StorageFailed(EmbedsearchError, OSError):
    """The disk refused: full, read-only, or gone. What was committed is safe."""


class MissingDependency(EmbedsearchError, ImportError):
    """An optional package that this feature needs."""
