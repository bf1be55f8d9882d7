"""Conditions that no document can meet: said where a command finds nothing, not silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.cli.terminal import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch import Index


def say_what_is_unmet(index: Index, where: Sequence[str]) -> None:
    """Say which keys of ``--where`` no document has, and what may be meant."""
    for why in index.unmet(where):
        note(f"note: {why}")
