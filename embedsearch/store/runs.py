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


_COLUMNS = ", ".join(Run.__slots__)
_MARKS = ", ".join("?" * len(Run.__slots__))


def note(database: Database, run: Run) -> None:
    """Add a run to the ledger."""
    with database.writing():
        database.execute(
            f"insert into runs ({_COLUMNS}) values ({_MARKS})",
            [getattr(run, name) for name in Run.__slots__],
        )


def last(database: Database) -> Run | None:
    """Return the newest run, ``None`` where there was none."""
    row = database.execute(f"select {_COLUMNS} from runs order by number desc limit 1").fetchone()
    return Run(*row) if row else None
