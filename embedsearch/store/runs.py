"""The ledger: what every run did, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedsearch.store.database import Database


@dataclass(frozen=True, slots=True)
class Run:
    """One run that wrote to the index; ``started`` is ISO 8601 UTC, ``cost`` in US dollars."""

    command: str
    started: str
    seconds: float
    added: int
    updated: int
    renamed: int
    removed: int
    unchanged: int
    failed: int
    texts: int
    tokens: int
    cost: float | None


def note(database: Database, run: Run) -> None:
    """Add a run to the ledger."""
    with database.writing():
        database.insert("runs", Run, [run])


def last(database: Database) -> Run | None:
    """Return the newest run, ``None`` where there was none."""
    columns = ", ".join(Run.__slots__)
    row = database.execute(f"select {columns} from runs order by number desc limit 1").fetchone()
    return Run(*row) if row else None
