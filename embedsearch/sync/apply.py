"""Carrying out a plan, or rehearsing it: what changes, and exactly what it will cost."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from embedsearch.store import documents, labels, sources, vectors
from embedsearch.store.documents import Prepared
from embedsearch.sync import intake
from embedsearch.sync.report import Progress, SyncReport
from embedsearch.sync.transcribing import hear, parted
from embedsearch.sync.workers import read_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedsearch.store.database import Database
    from embedsearch.sync.intake import Tally
    from embedsearch.sync.plan import Plan
    from embedsearch.sync.reading import Chunking
    from embedsearch.transcribers import Transcriber


def apply(
    database: Database,
    made: Plan,
    chunking: Chunking,
    progress: Callable[[Progress], None],
    *,
    transcriber: Transcriber | None = None,
) -> SyncReport:
    """Take in what a plan says changed; embedding is left to the second loop."""
    ids = intake.ids(database, made)
    with database.writing():
        documents.remove(database, list(made.removed))
        sources.add(database, made.layout.new)
        moved = [(file, file.known.id) for file in (*made.moved, *made.renamed) if file.known]
        sources.move(
            database,
            [(ids[file], file.source, file.path, file.changed_ns, old) for file, old in moved],
        )
        labels.move(database, {old: ids[file] for file, old in moved if ids[file] != old})
        sources.merge(database, made.layout.taken_over)
        sources.forget_unread(database, made.gone)
        sources.note_unread(database, made.unlisted)
    files = [*made.changed, *made.new]
    tally = intake.take_in(database, files, ids, chunking, progress, transcriber=transcriber)
    return _report(database, made, tally)


def rehearse(
    database: Database,
    made: Plan,
    chunking: Chunking,
    space: int | None,
    progress: Callable[[Progress], None],
    *,
    transcriber: Transcriber | None = None,
) -> SyncReport:
    """Return what ``apply`` and embedding would do, with exact tokens, and write nothing."""
    ids = intake.ids(database, made)
    files = [*made.changed, *made.new]
    tally = intake.Tally()
    texts: dict[bytes, int] = {}
    total, done = sum(file.size for file in files), 0
    read, recordings = parted(files, transcriber)
    outcomes = read_all(read, ids, chunking)
    if transcriber:
        heard = hear(database, recordings, ids, chunking, transcriber, rehearsal=True)
        outcomes = chain(outcomes, heard)
    for file, outcome in outcomes:
        tally.count(file, outcome)
        if isinstance(outcome, Prepared):
            texts |= {key: tokens or 0 for key, tokens, blank, *_ in outcome.texts if not blank}
        done += file.size
        progress(Progress("read", done, total))
    planned = vectors.planned(database, space, texts)
    return replace(_report(database, made, tally), texts=planned.texts, tokens=planned.tokens)


def _report(database: Database, made: Plan, tally: Tally) -> SyncReport:
    named = {failure.path for failure in made.failed}
    missing = [path for path in map(str, sources.missing(database)) if path not in named]
    return SyncReport(
        added=tally.added,
        updated=tally.updated,
        renamed=len(made.renamed),
        removed=len(made.removed) + tally.removed,
        unchanged=made.unchanged + tally.touched,
        skipped=made.skipped + tally.skipped,
        unheard=tally.unheard,
        failed=(*made.failed, *tally.failed),
        partial=tuple(tally.partial),
        missing=tuple(missing),
    )
