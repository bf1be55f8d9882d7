"""Why documents are not found or left out: conditions that none can meet, nothing embedded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.cli.terminal import counted, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch import Index


def say_nothing_meets(index: Index, where: Sequence[str], glob: Sequence[str]) -> None:
    """Say that no document meets the conditions, and why, if there is a reason."""
    note(f"nothing found among {counted(len(index), 'document')}{filtered(where, glob)}")
    say_what_is_unmet(index, where)


def filtered(where: Sequence[str], glob: Sequence[str]) -> str:
    """Return by which conditions was searched, for the end of a sentence: `` (filter lang=en)``."""
    conditions = ", ".join([*where, *glob])
    return f" (filter {conditions})" if conditions else ""


def say_what_is_unmet(index: Index, where: Sequence[str]) -> None:
    """Say which keys of ``--where`` no document has, and what may be meant."""
    for why in index.unmet(where):
        note(f"note: {why}")


def left_out(index: Index, found: int, where: Sequence[str], glob: Sequence[str]) -> str:
    """Return how many of the documents that are meant have no vector and why, "" for none."""
    missing = index.counts(where=where, glob=glob).documents - found
    blank = len(index.blank(where=where, glob=glob)) if missing else 0
    parts = []
    if missing > blank:
        parts.append(f"{counted(missing - blank, 'document')} of which nothing is embedded yet")
    if blank:
        parts.append(f"{counted(blank, 'document')} without words")
    return f"{' and '.join(parts)} left out" if parts else ""
