"""The first loop: take in what changed, so that it is searchable by words."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from embedsearch.store import documents, sources
from embedsearch.store.documents import Prepared
from embedsearch.store.sources import Unread
from embedsearch.sync.reading import Touched, Unheard
from embedsearch.sync.report import Failure, Progress
from embedsearch.sync.transcribing import hear, parted
from embedsearch.sync.workers import read_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from embedsearch.store.database import Database
    from embedsearch.sync.plan import File, Plan
    from embedsearch.sync.reading import Chunking, Outcome
    from embedsearch.transcribers import Transcriber

COMMIT_CHARACTERS = 2_000_000
"""How much text goes into a transaction: a commit every fifth of a second or so."""


@dataclass(slots=True)
class Tally:
    """What the first loop did, file by file."""

    added: int = 0
    updated: int = 0
    touched: int = 0
    unheard: int = 0
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
            case Unheard():
                self.unheard += 1
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
    *,
    transcriber: Transcriber | None = None,
) -> Tally:
    """Read files and swap each document's text, chunks and words in one transaction.

    Recordings come last, and each is committed by itself: hearing them takes long.
    """
    tally = Tally()
    total, done = sum(file.size for file in files), 0
    texts, recordings = parted(files, transcriber)
    batches = _batches(read_all(texts, ids, chunking))
    if transcriber:
        heard = hear(database, recordings, ids, chunking, transcriber)
        batches = chain(batches, ([one] for one in heard))
    for batch in batches:
        _commit(database, batch, ids)
        for file, outcome in batch:
            tally.count(file, outcome)
            done += file.size
        progress(Progress("read", done, total))
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
