"""Status: what an index holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embedsearch.folder import OWN
from embedsearch.store import facts, hits, labels, runs, sources, vectors
from embedsearch.store.filters import Filter
from embedsearch.store.models import Models

if TYPE_CHECKING:
    from pathlib import Path

    from embedsearch.store.database import Database
    from embedsearch.store.hits import Counts
    from embedsearch.store.models import Trained
    from embedsearch.store.runs import Run
    from embedsearch.store.sources import Unread
    from embedsearch.store.vectors import Pending


@dataclass(frozen=True, slots=True)
class Status:
    """What an index holds; ``embedded`` of ``counts.texts`` passages have a vector.

    Passages of white space only are neither embedded nor counted. ``unread`` are the files and
    folders that the last sync could not read, by their absolute paths, with the reason; ``skipped``
    are likewise the files that hold no text, as pictures do, ``partial`` those that could not be
    read in part. ``labels`` says how many documents have each label, ``classified`` of how many the
    newest ``classifier`` has said something. ``size`` is in bytes, of all files of the index.
    """

    path: Path | None
    counts: Counts
    embedded: int
    pending: Pending
    embedder: str
    space: str
    dimensions: int
    chunk_tokens: int
    chunk_overlap: int
    sources: tuple[Path, ...]
    unread: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str], ...]
    partial: tuple[tuple[str, str], ...]
    labels: dict[str, int]
    classifier: Trained | None
    classified: int
    generation: int
    size: int
    last_run: Run | None


def status(database: Database, space: int, folder: Path | None) -> Status:
    """Return what an index holds, as of one moment."""
    with database.reading():
        pending = vectors.pending(database, space)
        counts = replace(hits.counts(database, Filter()), texts=pending.embedded + pending.texts)
        models = Models(database)
        newest = max(models, key=lambda model: model.version, default=None)
        name, embedder, dimensions = database.execute(
            "select name, embedder, dimensions from spaces where number = ?", [space]
        ).fetchone()
        unread = _unread(database)
        return Status(
            path=folder,
            counts=counts,
            embedded=pending.embedded,
            pending=pending,
            embedder=embedder,
            space=name,
            dimensions=dimensions,
            chunk_tokens=facts.needed(database, "chunk_tokens"),
            chunk_overlap=int(database.setting("chunk_overlap") or 0),
            sources=tuple(sources.roots(database).values()),
            unread=tuple((path, facts.why) for path, facts in unread if not facts.binary),
            skipped=tuple((path, facts.why) for path, facts in unread if facts.binary),
            partial=tuple(sources.partial(database)),
            labels=labels.counts(database),
            classifier=newest,
            classified=models.classified(newest.version) if newest else 0,
            generation=database.generation,
            size=size(folder),
            last_run=runs.last(database),
        )


def _unread(database: Database) -> list[tuple[str, Unread]]:
    """Return the files that could not be read, by their absolute paths."""
    return [
        (str(root / path), facts)
        for number, root in sources.roots(database).items()
        for path, facts in sorted(sources.unread(database, number).items())
    ]


def size(folder: Path | None) -> int:
    """Return how many bytes the files of an index have, 0 in memory."""
    total = 0
    for file in folder.iterdir() if folder and folder.is_dir() else ():
        with suppress(FileNotFoundError):  # a log, or a temporary file, that a writer let go of
            total += file.stat().st_size if file.name.startswith(OWN) else 0
    return total
