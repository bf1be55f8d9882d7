"""Why documents are not found or left out: conditions that none can meet, nothing embedded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from embedsearch.cli.terminal import counted, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch import Index


def say_nothing_meets(index: Index, where: Sequence[str], glob: Sequence[str]) -> None:
    """Say that no document meets the conditions, and why, if there is a reason."""
    note(f"nothing found among {counted(len(index), 'document')}{filtered(where, glob)}")
    say_what_is_unmet(index, where, glob)


def filtered(where: Sequence[str], glob: Sequence[str]) -> str:
    """Return by which conditions was searched, for the end of a sentence: `` (filter lang=en)``."""
    conditions = ", ".join([*where, *glob])
    return f" (filter {conditions})" if conditions else ""


def say_what_is_unmet(index: Index, where: Sequence[str], glob: Sequence[str]) -> None:
    """Say which conditions no document can meet, and what may be meant."""
    for why in reasons(index, where, glob):
        note(f"note: {why}")


def reasons(index: Index, where: Sequence[str], glob: Sequence[str]) -> list[str]:
    """Return which keys of ``--where`` no document has, and which ``--glob`` is of paths here."""
    meant = [(pattern, _as_id(index, pattern)) for pattern in glob]
    return index.unmet(where) + [
        f"--glob {pattern} matches no id, as ids begin under the indexed folder: try --glob {id}"
        for pattern, id in meant
        if id and not index.counts(glob=[pattern]).documents
    ]


def _as_id(index: Index, pattern: str) -> str | None:
    """Return the pattern of ids that is meant where one is of paths from here, as rg's are."""
    place = Path.cwd() / pattern
    for root in index.status().sources:
        if place.is_relative_to(root) and place != root:
            meant = f"/{place.relative_to(root).as_posix()}"
            return meant if index.counts(glob=[meant]).documents else None
    return None


def left_out(index: Index, found: int, where: Sequence[str], glob: Sequence[str]) -> str:
    """Return how many of the documents that are meant have no vector and why, "" for none."""
    missing = index.counts(where=where, glob=glob).documents - found
    return without_vectors(missing, len(index.blank(where=where, glob=glob)) if missing else 0)


def without_vectors(missing: int, blank: int) -> str:
    """Return how many documents are left out, ``blank`` of them as they have no words."""
    parts = []
    if missing > blank:
        parts.append(f"{counted(missing - blank, 'document')} of which nothing is embedded yet")
    if blank:
        parts.append(f"{counted(blank, 'document')} without words")
    return f"{' and '.join(parts)} left out" if parts else ""
