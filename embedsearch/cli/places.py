"""Where a hit is, as one can open it from here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedsearch import Hit


def path(hit: Hit) -> str:
    """Return the path of a hit, from here when it lies below; its document's id without a file."""
    if hit.source is None:
        return hit.document_id
    here = Path.cwd()
    source = Path(hit.source)
    return str(source.relative_to(here) if source.is_relative_to(here) else source)


def span(hit: Hit) -> str:
    """Return the lines of a hit: ``12-18``, or ``12``."""
    alone = hit.start_line == hit.end_line
    return str(hit.start_line) if alone else f"{hit.start_line}-{hit.end_line}"
