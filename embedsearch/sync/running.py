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
                unknown=done.unknown,
                first_unknown=done.first_unknown,
                failed=(*report.failed, *done.refused),
            )
        with database.writing():
            left = vectors.note_pending(database, space).texts
            report = replace(report, pending=left, seconds=time.perf_counter() - begin)
            runs.note(database, _ledger_line(command, started, report))
    if done and (done.capped or done.crossed):
        raise _limit_reached(done, report.pending)
    return report


def _limit_reached(done: Done, left: int) -> CostLimitReached:
    """Make the error that says what was embedded, billed and left."""
    how = "the bill crosses the limit" if done.crossed else "stopped at the limit"
    amount = f"{_counted(done.texts, 'passage')} ({_counted(done.tokens, 'token')}"
    billed = f", billed as {done.billed:,}" if done.billed != done.tokens else ""
    hint = "what was paid for is kept"
    if left:
        hint += "; a higher limit goes on from there"
    if done.factor > 1:
        hint += f"; the server bills {done.factor:,.2f} tokens for one that is planned"
    return CostLimitReached(
        f"{how} that was set: {amount}{billed}) embedded, {left:,} left", hint=hint
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


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
