"""Reading a file: from its path to rows that are ready to be stored, or why not."""

from __future__ import annotations

import hashlib
import logging
import re
import traceback
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import TYPE_CHECKING

from embedsearch import readers
from embedsearch.chunking import chunk
from embedsearch.errors import BinaryFile, EmbedsearchError, ReadError
from embedsearch.store import documents
from embedsearch.store.documents import Origin, Prepared
from embedsearch.store.sources import Unread
from embedsearch.sync.report import Failure

if TYPE_CHECKING:
    from embedsearch.records import Document
    from embedsearch.sync.plan import File
    from embedsearch.tokens.protocol import Tokenizer

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


SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a pair that stands for one character: no text in UTF-8 holds it."""

Outcome = Prepared | Touched | Unheard | Unread | Failure
"""A ``Failure`` may pass (no permission); what is ``Unread`` is so until the file changes."""


def prepare(document: Document, chunking: Chunking, origin: Origin | None = None) -> Prepared:
    """Cut a document into chunks, ready to be stored."""
    document = _storable(document)
    pieces = chunk(document, chunking.tokenizer, limit=chunking.limit, overlap=chunking.overlap)
    return documents.prepare(document, pieces, origin)


def _storable(document: Document) -> Document:
    """Put U+FFFD for what a reader made of bytes that mean nothing; offsets stay as they are."""
    if not SURROGATE.search(document.text):
        return document
    return replace(document, text=SURROGATE.sub("\ufffd", document.text))


def read(file: File, id: str, chunking: Chunking) -> Outcome:
    """Read a file and cut it into chunks; what goes wrong with it is an outcome, no exception.

    Raises EmbedsearchError for a tokenizer that can't be used, which no file is to blame for.
    """
    document = None
    try:
        data = _bytes(file)
        digest = hashlib.sha256(data).digest()
        if file.known and file.known.sha256 == digest:
            return Touched()
        document = readers.read(id, data)
        origin = Origin(file.source, file.path, file.size, file.changed_ns, digest)
        return prepare(document, chunking, origin)
    except ReadError as error:
        binary = isinstance(error, BinaryFile)
        return Unread(file.size, file.changed_ns, binary, str(error))
    except OSError as error:
        return Failure(str(file.absolute), (error.strerror or str(error)).lower())
    except EmbedsearchError:
        raise
    except BaseException as error:  # the one door: a bug that a file brings to light
        if not isinstance(error, Exception) and type(error).__name__ != RUST_PANIC:
            raise
        LOG.info("reading %s failed", file.absolute, exc_info=True)
        why = f"its reader failed: {_line(error)}"
        # A tokenizer may be mended, and memory freed, without a change to the file.
        if document is not None or isinstance(error, MemoryError):
            return Failure(str(file.absolute), why)
        return Unread(file.size, file.changed_ns, binary=False, why=why)


def _line(error: BaseException) -> str:
    lines = "".join(traceback.format_exception_only(error))
    return SURROGATE.sub("\ufffd", shorten(lines, MAX_WHY))


def _bytes(file: File) -> bytes:
    with file.absolute.open("rb") as opened:
        if file.size <= MAX_FILE_BYTES:
            return opened.read()
        if b"\0" in opened.read(SNIFFED_BYTES):
            raise BinaryFile("holds NUL bytes")
    raise ReadError(
        f"is {file.size / 1e6:,.0f} MB, more than the {MAX_FILE_BYTES / 1e6:.0f} MB that are read"
    )
