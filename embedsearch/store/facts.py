"""Facts of an index: which of its settings are JSON, and whether they can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embedsearch.store import json_columns

if TYPE_CHECKING:
    from embedsearch.store.database import Database

PENDING = "pending"
"""The note of what is left to embed, and as of when."""

MOST = 1 << 53
"""No setting gets so high; SQLite, JSON and caches still count on from there."""


def _is_whole(found: Any) -> bool:
    return type(found) is int


def _is_count(found: Any) -> bool:
    return _is_whole(found) and 0 <= found < MOST


def _is_size(found: Any) -> bool:
    return _is_count(found) and found > 0


def _is_number(found: Any) -> bool:
    return type(found) in {int, float}


def _are_whole(found: Any) -> bool:
    return isinstance(found, list) and len(found) > 1 and all(map(_is_whole, found))


NEEDED = {
    "generation": _is_count,
    "chunk_tokens": _is_size,
    "chunk_overlap": _is_count,
    "epoch": _is_count,
}
"""What an index can't do without, and what it is to be; an epoch is there once it is made anew."""

NOTES = {PENDING: _are_whole, "rate": _is_number, "factor": _is_number}
"""What is counted or learned anew where it is missing, by the first word of its key."""


def require(database: Database) -> None:
    """Raise IndexDamaged where one that an index needs is lost, or can't be read."""
    there = {key for (key,) in database.execute("select key from settings")}
    lost = [key for key in NEEDED if key not in {*there, "epoch"}]
    for key in [*lost, *damaged(database)]:
        if key in NEEDED:
            raise json_columns.unreadable(database.path, f"its setting {key!r}")


def needed(database: Database, key: str) -> int:
    """Return one that an index can't do without."""
    return int(database.value("select value from settings where key = ?", [key]))


def damaged(database: Database) -> list[str]:
    """Return the keys of those that can't be read, or can't be: chunks that share all they hold."""
    rows = database.execute("select key, cast(value as blob) from settings order by key")
    kinds = NEEDED | NOTES
    read = {
        key: json_columns.parsed(stored, fits)
        for key, stored in rows
        if (fits := kinds.get(key.partition(" ")[0]))
    }
    overlap, tokens = read.get("chunk_overlap"), read.get("chunk_tokens")
    if overlap is not None and tokens is not None and overlap >= tokens:
        read["chunk_overlap"] = None
    return [key for key, found in read.items() if found is None]


def damaged_notes(database: Database) -> list[str]:
    """Return the keys of notes that can't be read."""
    return [key for key in damaged(database) if key not in NEEDED]


def noted(database: Database, key: str) -> Any:
    """Return what a note says, ``None`` where there is none, or none that can be read."""
    stored = database.setting(key)
    return stored and json_columns.parsed(stored, NOTES[key.partition(" ")[0]])


def drop(database: Database, keys: list[str]) -> None:
    """Let go of some."""
    database.executemany("delete from settings where key = ?", ((key,) for key in keys))
