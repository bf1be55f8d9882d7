"""The first loop: take in what changed, so that it is searchable by words."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from embedsearch.store import documents, sources
from embedsearch.store.documents import Prepared
from embedsearch.store.sources import Unread
from embedsearch.sync.plan import worth_hearing
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

COMMIT_CHARACTERS = 4_000_000
COMMIT_FILES = 2_000
"""How much text, or how many files, go into a transaction: a commit every second or so."""


@dataclass(slots=True)
class Tally:
    """What the first loop did, file by file."""

    added: int = 0
    updated: int = 0
    removed: int = 0
    touched: int = 0
    unheard: int = 0
    skipped: int = 0
    failed: list[Failure] = field(default_factory=list)
    partial: list[Failure] = field(default_factory=list)

    def count(self, file: File, outcome: Outcome) -> None:
        """Count one file."""
        match outcome:
            case Prepared():
                self.updated += file.known is not None
                self.added += file.known is None
                if outcome.partial:
                    self.partial.append(Failure(str(file.absolute), outcome.partial))
            case Touched():
                self.touched += 1
            case Unheard():
                self.unheard += 1
            case Unread(binary=True):
                self.skipped += 1
                self.removed += _has_lost_its_text(file, outcome)
            case Unread(why=why):
                self.failed.append(Failure(str(file.absolute), why))
            case Failure():
                self.failed.append(outcome)


def _has_lost_its_text(file: File, outcome: Outcome) -> bool:
    """Tell whether a file that had a text is binary by now: nothing in it is found any more.

    A recording that nobody hears this time keeps what was said in it.
    """
    if file.known is None or not isinstance(outcome, Unread):
        return False
    return outcome.binary and not worth_hearing(file.path, outcome)


def ids(database: Database, made: Plan) -> dict[File, str]:
    """Return the id of each file to read, rename or move: its path under the source's root.

    Where another document has that id, the root's name goes before it, else the whole path is
    the id, else the whole path with a number.
    """
    there = [*made.moved, *made.renamed]
    chosen: dict[str, File] = {}
    _choose(database, there, set(made.removed), chosen)
    # Documents move before new files are read: what they leave is free by then.
    left = {file.known.id for file in there if file.known}
    _choose(database, made.new, left | set(made.removed), chosen)
    now = {file.known.id: id for id, file in chosen.items() if file.known}
    changed = {file: now.get(file.known.id, file.known.id) for file in made.changed if file.known}
    return {file: id for id, file in chosen.items()} | changed


def _choose(
    database: Database, files: Iterable[File], left: set[str], chosen: dict[str, File]
) -> None:
    """Add an id for each file that no other document has; those in ``left`` are free again."""
    waiting = {file: _names(file) for file in files}
    while waiting:
        offered = {file: next(names) for file, names in waiting.items()}
        taken = documents.held(database, list(offered.values())) - left
        for file, name in offered.items():
            own = file.known is not None and file.known.id == name
            if name not in chosen and (own or name not in taken):
                chosen[name] = file
                del waiting[file]


def _names(file: File) -> Iterator[str]:
    yield file.path
    yield f"{file.root.name}/{file.path}"
    whole = PurePosixPath(file.absolute.as_posix())
    yield str(whole)
    yield from (str(whole.with_stem(f"{whole.stem}~{n}")) for n in count(2))


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
        characters += outcome.characters if isinstance(outcome, Prepared) else 0
        if len(batch) >= COMMIT_FILES or characters >= COMMIT_CHARACTERS:
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
    unread += [(file, sources.may_pass(o.why)) for file, o in batch if isinstance(o, Failure)]
    lost = [ids[file] for file, o in batch if _has_lost_its_text(file, o)]
    with database.writing():
        documents.remove(database, lost)
        documents.put(database, [document for _, document in read])
        sources.touch(database, [(file.size, file.changed_ns, ids[file]) for file in touched])
        sources.forget_unread(database, [(file.source, file.path) for file, _ in batch])
        sources.note_unread(database, [(file.source, file.path, why) for file, why in unread])
