"""Columns of JSON: what is stored in them is read, or told as damage by its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from embedsearch.errors import IndexDamaged
from embedsearch.store.failures import REPAIR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Fits = Callable[[Any], bool]

Key = TypeVar("Key")

FAULTS = (TypeError, ValueError, RecursionError)
"""What it raises to read, or to write, what is no JSON."""


def parsed(stored: str | bytes, fits: Fits) -> Any:
    """Return what JSON says; ``None`` for what is none, or is not what ``fits``."""
    try:
        text = stored.decode() if isinstance(stored, bytes) else stored
        found = json.loads(text, parse_constant=_refused)
    except FAULTS:
        return None
    return found if fits(found) else None


def read(path: Path | None, stored: str, fits: Fits, name: Callable[[], str]) -> Any:
    """Return what JSON says; ``name`` is asked what it is called where that can't be read.

    Raises:
        IndexDamaged: it is none, or is not what ``fits``.

    """
    found = parsed(stored, fits)
    if found is None:
        raise unreadable(path, name())
    return found


def damaged(rows: Iterable[tuple[Key, str | bytes]], fits: Fits) -> Iterator[Key]:
    """Yield the keys of those rows whose JSON can't be read, or is not what ``fits``.

    As text that SQLite has decoded it hides bytes that are no UTF-8: cast it to a blob.
    """
    return (key for key, stored in rows if parsed(stored, fits) is None)


def unreadable(path: Path | None, what: str) -> IndexDamaged:
    """Return the error that something in an index can't be read."""
    return IndexDamaged(f"{path or 'the index'} is damaged: {what} can't be read", hint=REPAIR)


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
