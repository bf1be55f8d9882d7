"""The first loop: read what changed, cut it into chunks, and make it searchable by words."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from embedsearch import readers
from embedsearch.chunking import chunk
from embedsearch.errors import BinaryFile, ReadError
from embedsearch.store import documents, sources
from embedsearch.store.documents import Origin, Prepared
from embedsearch.store.sources import Unread
from embedsearch.sync.report import Failure, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from embedsearch.records import Document
    from embedsearch.store.database import Database
    from embedsearch.sync.plan import File, Plan
    from embedsearch.tokens.protocol import Tokenizer

MAX_FILE_BYTES = 100_000_000
"""Larger files are reported, not read: they hold data more often than prose."""

SNIFFED_BYTES = 8_192
"""How much of a file too large to read is looked at, to tell a binary one."""

COMMIT_CHARACTERS = 1_000_000
"""How much text goes into a transaction: a commit every tenth of a second or so."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """How texts are cut: at most ``limit`` tokens of ``tokenizer``, sharing up to ``overlap``."""

    tokenizer: Tokenizer
    limit: int
    overlap: int


@dataclass(frozen=True, slots=True)
class Touched:
    """A file whose bytes are as they were, though its time is not."""


_SURROGATE = re.compile("[\ud800-\udfff]")

Outcome = Prepared | Touched | Unread | Failure
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


@dataclass(slots=True)
class Tally:
    """What the first loop did, file by file."""

    added: int = 0
    updated: int = 0
    touched: int = 0
    skipped: int = 0
    failed: list[Failure] = field(default_factory=list)

    def count(self, file: File, outcome: Outcome) -> None:
        """Count one file."""
        match outcome:
            case Prepared():
                self.updated += file.known is not None
                self.added += file.known is None
            case Touched():
                self.touched += 1
            case Unread(binary=True):
                self.skipped += 1
            case Unread(why=why):
                self.failed.append(Failure(file.path, why))
            case Failure():
                self.failed.append(outcome)


def ids(database: Database, made: Plan) -> dict[File, str]:
    """Return the id of each file to read or rename: its path under the source's root.

    Where another source has taken that id, the root's name goes before it.
    """
    files = [*made.changed, *made.new, *(file for _, file in made.renamed)]
    fresh = [file for file in files if file.known is None]
    taken = sources.owners(database, chain(*(_names(file) for file in fresh)))
    chosen = {file: file.known.id for file in files if file.known}
    for file in fresh:
        chosen[file] = next(
            name for name in _names(file) if taken.get(name, file.source) == file.source
        )
        taken[chosen[file]] = file.source
    return chosen


def _names(file: File) -> tuple[str, str, str]:
    return file.path, f"{file.root.name}/{file.path}", file.absolute.as_posix()


def take_in(
    database: Database,
    files: Sequence[File],
    ids: Mapping[File, str],
    chunking: Chunking,
    progress: Callable[[Progress], None],
) -> Tally:
    """Read files and swap each document's text, chunks and words in one transaction."""
    tally = Tally()
    total, done = sum(file.size for file in files), 0
    batches = _batches((file, read(file, ids[file], chunking)) for file in files)
    # SQLite works without the interpreter's lock, so one batch is written while the next is read.
    with ThreadPoolExecutor(1) as writer:
        written: Future[None] | None = None
        for batch in batches:
            if written:
                written.result()
            written = writer.submit(_commit, database, batch, ids)
            for file, outcome in batch:
                tally.count(file, outcome)
                done += file.size
            progress(Progress("read", done, total))
        if written:
            written.result()
    return tally


def _batches(
    outcomes: Iterable[tuple[File, Outcome]],
) -> Iterator[list[tuple[File, Outcome]]]:
    batch, characters = [], 0
    for file, outcome in outcomes:
        batch.append((file, outcome))
        characters += outcome.characters if isinstance(outcome, Prepared) else 100
        if characters >= COMMIT_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _commit(
    database: Database,
    batch: Sequence[tuple[File, Outcome]],
    ids: Mapping[File, str],
) -> None:
    read = [(file, o) for file, o in batch if isinstance(o, Prepared)]
    touched = [file for file, o in batch if isinstance(o, Touched)]
    unread = [(file, o) for file, o in batch if isinstance(o, Unread)]
    with database.writing():
        documents.put(database, [document for _, document in read])
        sources.touch(database, [(file.size, file.mtime_ns, ids[file]) for file in touched])
        sources.forget_unread(database, [(file.source, file.path) for file, _ in batch])
        sources.note_unread(database, [(file.source, file.path, why) for file, why in unread])
