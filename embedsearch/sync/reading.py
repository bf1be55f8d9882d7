"""Reading a file: from its path to rows that are ready to be stored, or why not."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embedsearch import readers
from embedsearch.chunking import chunk
from embedsearch.errors import BinaryFile, ReadError
from embedsearch.store import documents
from embedsearch.store.documents import Origin, Prepared
from embedsearch.store.sources import Unread
from embedsearch.sync.report import Failure

if TYPE_CHECKING:
    from embedsearch.records import Document
    from embedsearch.sync.plan import File
    from embedsearch.tokens.protocol import Tokenizer

MAX_FILE_BYTES = 100_000_000
"""Larger files are reported, not read: they hold data more often than prose."""

SNIFFED_BYTES = 8_192
"""How much of a file too large to read is looked at, to tell a binary one."""


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


_SURROGATE = re.compile("[\ud800-\udfff]")

Outcome = Prepared | Touched | Unheard | Unread | Failure
"""A ``Failure`` may pass (no permission); what is ``Unread`` is so until the file changes."""


def prepare(document: Document, chunking: Chunking, origin: Origin | None = None) -> Prepared:
    """Cut a document into chunks, ready to be stored."""
    document = storable(document)
    pieces = chunk(document, chunking.tokenizer, limit=chunking.limit, overlap=chunking.overlap)
    return documents.prepare(document, pieces, origin)


def storable(document: Document) -> Document:
    """Put U+FFFD for lone surrogates, which no UTF-8 file can hold; offsets stay as they are."""
    if not _SURROGATE.search(document.text):
        return document
    return replace(document, text=_SURROGATE.sub("\ufffd", document.text))


def read(file: File, id: str, chunking: Chunking) -> Outcome:
    """Read a file and cut it into chunks; what goes wrong is an outcome, never an exception."""
    try:
        data = _bytes(file)
        digest = hashlib.sha256(data).digest()
        if file.known and file.known.sha256 == digest:
            return Touched()
        document = readers.read(id, data)
    except ReadError as error:
        binary = isinstance(error, BinaryFile)
        return Unread(file.size, file.mtime_ns, binary, str(error))
    except OSError as error:
        return Failure(file.path, (error.strerror or str(error)).lower())
    origin = Origin(file.source, file.path, file.size, file.mtime_ns, digest)
    return prepare(document, chunking, origin)


def _bytes(file: File) -> bytes:
    with file.absolute.open("rb") as opened:
        if file.size <= MAX_FILE_BYTES:
            return opened.read()
        if b"\0" in opened.read(SNIFFED_BYTES):
            raise BinaryFile("holds NUL bytes")
    raise ReadError(
        f"is {file.size / 1e6:,.0f} MB, more than the {MAX_FILE_BYTES / 1e6:.0f} MB that are read"
    )
