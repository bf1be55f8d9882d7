"""Adding documents that a program holds, with or without vectors of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from embedsearch.errors import DimensionMismatch
from embedsearch.records import Document, Kind
from embedsearch.store import documents, vectors
from embedsearch.sync.reading import SURROGATE, prepare
from embedsearch.sync.report import SyncReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.store.database import Database
    from embedsearch.store.documents import Prepared
    from embedsearch.sync.reading import Chunking

KINDS = get_args(Kind)

SHORT, LONG = 1e-12, 1e18
"""Between these float32 tells a vector's length: not so where squares are too small or large."""

COMMIT_DOCUMENTS = 10_000
COMMIT_CHARACTERS = 4_000_000
"""How many documents, or how much of their text, go into a transaction."""


def several(given: Iterable[Document]) -> Iterable[Document]:
    """Return documents; raises TypeError for one that is in no list."""
    if isinstance(given, (Document, str, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(f"expected a list of Documents, got {given!r:.40}")
    return given


def add(database: Database, given: Iterable[Document], chunking: Chunking) -> SyncReport:
    """Put documents, cut into chunks; embedding is left to the second loop."""
    tally = _Tally(documents.newest(database))
    for batch in _batches(given):
        latest = tally.count(database, batch)
        documents.put(database, prepare(latest, chunking))
    return tally.report()


def add_with_vectors(
    database: Database,
    given: Sequence[Document],
    rows: ArrayLike,
    space: int,
    dimensions: int,
) -> SyncReport:
    """Put documents whole, each with its own vector.

    Raises:
        DimensionMismatch: the vectors' shape is not (documents, dimensions).
        ValueError: a text is blank, or a vector zero or not finite.

    """
    array, lengths = _measured(rows, dimensions)
    if len(array) != len(given):
        raise DimensionMismatch(f"expected a vector for each of {len(given)}, got {len(array)}")
    tally = _Tally(documents.newest(database))
    place = {id(document): n for n, document in enumerate(given)}
    for batch in _batches(given):
        latest = tally.count(database, batch)
        chosen = [place[id(document)] for document in latest]
        own = vectors.blobs(array[chosen] / lengths[chosen])
        prepared = [_whole(document, vector) for document, vector in zip(latest, own, strict=True)]
        with database.writing():
            texts = documents.put(database, prepared)
            vectors.put(database, space, [texts[p.texts[0][0]] for p in prepared], own)
    return tally.report()


def _whole(document: Document, vector: bytes) -> Prepared:
    if not document.text.strip():
        raise ValueError(f"document {document.id!r} has a vector but its text is blank")
    # What sets this text apart from the same text with another vector.
    salt = hashlib.sha256(vector).digest()[:16]
    return documents.prepare_whole(document, salt=salt)


def unit_rows(rows: ArrayLike, dimensions: int) -> NDArray[np.float32]:
    """Return vectors (n, d) as float32 of unit length.

    Raises:
        DimensionMismatch: d is not ``dimensions``.
        ValueError: a vector is zero or not finite.

    """
    array, lengths = _measured(rows, dimensions)
    return np.asarray(array / lengths, np.float32)


def _measured(rows: ArrayLike, dimensions: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return vectors (n, d) and their lengths (n, 1); raises as ``unit_rows`` does."""
    with np.errstate(over="ignore"):  # of what is scaled below
        array = np.asarray(rows, np.float32)
        if array.ndim != 2 or array.shape[1] != dimensions:
            expected = f"expected vectors of shape (n, {dimensions})"
            raise DimensionMismatch(f"{expected}, got {array.shape}")
        lengths = np.sqrt(np.vecdot(array, array))
    told = (lengths > SHORT) & (lengths < LONG)
    if not told.all():
        array = array.copy()
        array[~told] = _scaled(np.asarray(rows, np.float64), ~told)
        lengths = np.sqrt(np.vecdot(array, array))
    return array, lengths[:, np.newaxis]


def _scaled(rows: NDArray[np.float64], odd: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return those rows that are ``odd``, scaled to components of 1 at most."""
    peaks = np.abs(rows).max(axis=1, initial=0)
    undirected = odd & ~((peaks > 0) & (peaks < np.inf))
    if undirected.any():
        bad = np.flatnonzero(undirected)[0]
        raise ValueError(f"vector {bad} is zero or not finite: it has no direction")
    scaled: NDArray[np.float64] = rows[odd] / peaks[odd, np.newaxis]
    return scaled


@dataclass(slots=True)
class _Tally:
    """What became of the documents given, ``newest`` being the one that was there before."""

    newest: int
    added: int = 0
    updated: int = 0
    replaced: int = 0

    def count(self, database: Database, batch: Sequence[Document]) -> list[Document]:
        """Count a batch, and return its documents, of those of the same id the last."""
        latest = {document.id: document for document in batch}
        known = documents.numbered(database, list(latest)).values()
        updated = sum(number <= self.newest for number in known)
        self.added += len(latest) - len(known)
        self.updated += updated
        self.replaced += len(batch) - len(latest) + len(known) - updated
        return list(latest.values())

    def report(self) -> SyncReport:
        return SyncReport(added=self.added, updated=self.updated, replaced=self.replaced)


def _batches(given: Iterable[Document]) -> Iterator[list[Document]]:
    """Yield some thousand documents at a time."""
    batch: list[Document] = []
    characters = 0
    for document in given:
        if not isinstance(document, Document):
            raise TypeError(f"expected Documents, got {document!r:.40}")
        _refuse_unfit(document)
        batch.append(document)
        characters += len(document.text)
        if len(batch) >= COMMIT_DOCUMENTS or characters >= COMMIT_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _refuse_unfit(document: Document) -> None:
    id, kind = document.id, document.kind
    if not id or "\0" in id:
        raise ValueError(f"expected an id for every document, text without NUL, got {id!r}")
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r} of document {id!r}: choose from {sorted(KINDS)}")
    for name, value in (("id", id), ("text", document.text)):
        if half := SURROGATE.search(value):
            raise ValueError(
                f"the {name} of document {id!r} holds half of a surrogate pair at character"
                f" {half.start()}, which UTF-8 can't hold: replace it before"
            )
