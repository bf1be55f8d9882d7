"""A run: work done as the only writer, what it left pending embedded, a line in the ledger."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from embedsearch.errors import CostLimitReached
from embedsearch.store import runs, vectors
from embedsearch.store.clock import stamp
from embedsearch.store.lock import writer_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from embedsearch.store.database import Database
    from embedsearch.sync.pending import Done
    from embedsearch.sync.report import SyncReport


def run(
    database: Database,
    folder: Path | None,
    space: int,
    *,
    command: str,
    work: Callable[[], SyncReport],
    embed: Callable[[], Done] | None,
) -> SyncReport:
    """Do work, then embed, and return what both came to.

    Raises:
        CostLimitReached: what may be sent is used up; what was embedded is kept, and noted.

    """
    with writer_lock(folder):
        started, begin = datetime.now(UTC), time.perf_counter()
        report = work()
        done = embed() if embed else None
        if done:
            report = replace(
                report,
                texts=done.texts,
                tokens=done.tokens,
                requests=done.requests,
                cost=done.cost,
                failed=(*report.failed, *done.refused),
            )
        with database.writing():
            left = vectors.note_pending(database, space).texts
            report = replace(report, pending=left, seconds=time.perf_counter() - begin)
            runs.note(database, _ledger_line(command, started, report))
    if done and done.capped:
        raise CostLimitReached(
            f"stopped at the limit that was set: {report.texts:,} passages"
            f" ({report.tokens:,} tokens) were embedded, {report.pending:,} are left",
            hint="what was paid for is kept; a higher limit goes on from there",
        )
    return report


def _ledger_line(command: str, started: datetime, report: SyncReport) -> runs.Run:
    return runs.Run(
        command,
        stamp(started),
        report.seconds,
        report.added,
        report.updated,
        report.renamed,
        report.removed,
        report.unchanged,
        len(report.failed),
        report.texts,
        report.tokens,
        report.cost,
    )
