"""The ledger: what every run did, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedsearch.store.database import Database


@dataclass(frozen=True, slots=True)
class Run:
    """One run that wrote to the index; ``cost`` in US dollars."""

    command: str
    started: str
    seconds: float
    added: int = 0
    updated: int = 0
    renamed: int = 0
    removed: int = 0
    unchanged: int = 0
    failed: int = 0
    texts: int = 0
    tokens: int = 0
    cost: float = 0.0


def note(database: Database, run: Run) -> None:
    """Add a run to the ledger."""
    with database.writing():
        database.execute(
            """
            insert into runs (command, started, seconds, added, updated, renamed, removed,
                              unchanged, failed, texts, tokens, cost)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [getattr(run, name) for name in Run.__slots__],
        )


def last(database: Database) -> Run | None:
    """Return the newest run, ``None`` where there was none."""
    row = database.execute("""
        select command, started, seconds, added, updated, renamed, removed,
               unchanged, failed, texts, tokens, cost
        from runs order by number desc limit 1
    """).fetchone()
    return Run(*row) if row else None
