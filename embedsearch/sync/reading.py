"""Reading a file: from its path to rows that are ready to be stored, or why not."""

from __future__ import annotations

import hashlib
import logging
import re
import sys
import traceback
from dataclasses import dataclass, replace
from itertools import repeat
from textwrap import shorten
from typing import TYPE_CHECKING, TypeAlias

from embedsearch import readers
from embedsearch.chunking import chunk_all
from embedsearch.errors import BinaryFile, EmbedsearchError, ReadError
from embedsearch.store import documents
from embedsearch.store.documents import Origin, Prepared
from embedsearch.store.sources import Unread
from embedsearch.sync.report import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from embedsearch.records import Document
    from embedsearch.sync.plan import File
    from embedsearch.tokens.protocol import Tokenizer

    Work: TypeAlias = tuple[File, str]
    """A file, and the id of its document."""

LOG = logging.getLogger(__name__)

MAX_FILE_BYTES = 100_000_000
"""Larger files are reported, not read: they hold data more often than prose."""

SNIFFED_BYTES = 8_192
"""How much of a file too large to read is looked at, to tell a binary one."""

MAX_WHY = 200
"""Characters told of an error: some hold the file they are about."""

RUST_PANIC = "PanicException"
"""A panic in a package written in Rust: no ``Exception``, and of no module to import it from."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """How texts are cut: at most ``limit`` tokens of ``tokenizer``, sharing up to ``overlap``."""

    tokenizer: Tokenizer
    limit: int
    overlap: int


@dataclass(frozen=True, slots=True)
class Touched:
    """A file whose bytes are as they were, though its time is not."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """A recording that a rehearsal would have to give to a transcriber."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was read, and is to be cut."""

    file: File
    document: Document
    origin: Origin


SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a pair that stands for one character: no text in UTF-8 holds it."""

REPLACEMENT = "\ufffd"

Outcome = Prepared | Touched | Unheard | Unread | Failure
"""A ``Failure`` may pass (no permission); what is ``Unread`` is so until the file changes."""


def prepare(
    given: Sequence[Document], chunking: Chunking, origins: Sequence[Origin | None] | None = None
) -> list[Prepared]:
    """Cut documents into chunks, ready to be stored."""
    whole = [_storable(document) for document in given]
    cut = chunk_all(whole, chunking.tokenizer, limit=chunking.limit, overlap=chunking.overlap)
    return list(map(documents.prepare, whole, cut, origins or repeat(None)))


def _storable(document: Document) -> Document:
    """Put U+FFFD for what a reader made of bytes that mean nothing; offsets stay as they are."""
    if document.text.isascii() or not SURROGATE.search(document.text):
        return document
    return replace(document, text=SURROGATE.sub(REPLACEMENT, document.text))


def read(work: Sequence[Work], chunking: Chunking) -> Iterator[tuple[File, Outcome]]:
    """Read files and cut them into chunks; what goes wrong with one is its outcome, no exception.

    Raises EmbedsearchError for a tokenizer that can't be used, which no file is to blame for.
    """
    found = [(file, _open(file, id)) for file, id in work]
    prepared = iter(
        _prepare([opened for _, opened in found if isinstance(opened, Opened)], chunking)
    )
    for file, opened in found:
        yield file, next(prepared) if isinstance(opened, Opened) else opened


def _open(file: File, id: str) -> Opened | Outcome:
    try:
        data = _bytes(file)
        digest = hashlib.sha256(data).digest()
        if file.known and file.known.sha256 == digest:
            return Touched()
        origin = Origin(file.source, file.path, file.size, file.changed_ns, digest)
        return Opened(file, readers.read(id, data), origin)
    except ReadError as error:
        binary = isinstance(error, BinaryFile)
        return Unread(file.size, file.changed_ns, binary, str(error))
    except OSError as error:
        return Failure(str(file.absolute), (error.strerror or str(error)).lower())
    except (
        BaseException
    ) as error:  # the one door, with that below: a bug that a file brings to light
        if not _is_bug(error):
            raise
        why = _logged(file)
        if isinstance(error, MemoryError):
            return Failure(str(file.absolute), why)
        return Unread(file.size, file.changed_ns, binary=False, why=why)


def _prepare(opened: Sequence[Opened], chunking: Chunking) -> list[Prepared | Failure]:
    """Prepare documents together, and one by one if that fails: one of them is to blame."""
    try:
        return [*prepare([o.document for o in opened], chunking, [o.origin for o in opened])]
    except BaseException as error:
        if not _is_bug(error):
            raise
        if len(opened) > 1:
            return [outcome for one in opened for outcome in _prepare([one], chunking)]
        # Not for good, as with a reader: a tokenizer may be mended without a change to the file.
        return [Failure(str(opened[0].file.absolute), _logged(opened[0].file))]


def _is_bug(error: BaseException) -> bool:
    panic = type(error).__name__ == RUST_PANIC
    return panic or (isinstance(error, Exception) and not isinstance(error, EmbedsearchError))


def _logged(file: File) -> str:
    """Log the exception at hand, and return what it says in a line."""
    LOG.info("reading %s failed", file.absolute, exc_info=True)  # noqa: LOG014 -- in a handler
    line = shorten("".join(traceback.format_exception_only(sys.exception())), MAX_WHY)
    return f"its reader failed: {SURROGATE.sub(REPLACEMENT, line)}"


def _bytes(file: File) -> bytes:
    with file.absolute.open("rb") as opened:
        if file.size <= MAX_FILE_BYTES:
            return opened.read()
        if not readers.is_packed(file.path) and b"\0" in opened.read(SNIFFED_BYTES):
            raise BinaryFile("holds NUL bytes")
    raise ReadError(
        f"is {file.size / 1e6:,.0f} MB, more than the {MAX_FILE_BYTES / 1e6:.0f} MB that are read"
    )
