"""Where a hit is, as one can open it from here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedsearch import Hit, Index


def path(hit: Hit) -> str:
    """Return the path of a hit, from here when it lies below; its document's id without a file."""
    if hit.source is None:
        return hit.document_id
    here = Path.cwd()
    source = Path(hit.source)
    return str(source.relative_to(here) if source.is_relative_to(here) else source)


def document_id(index: Index, given: str) -> str:
    """Return the id that is meant by an id or by a file's path, as a search prints it.

    The same for a chunk's, ``DOCUMENT#N``; what is neither is returned as it is.
    """
    if given in index:
        return given
    document, mark, number = given.rpartition("#")
    if mark and number.isdecimal() and (id := document_id(index, document)) in index:
        return f"{id}#{number}"
    return index.id_at(given) or given


def where(hit: Hit) -> str:
    """Return where in its document a hit is: `` at 12:31`` in a recording, else ``:12-18``."""
    return f":{span(hit)}" if hit.seconds is None else f" at {clock(hit.seconds)}"


def clock(seconds: float) -> str:
    """Return a time as players show it: ``12:31``, ``1:02:31``."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def span(hit: Hit) -> str:
    """Return the lines of a hit: ``12-18``, or ``12``."""
    alone = hit.start_line == hit.end_line
    return str(hit.start_line) if alone else f"{hit.start_line}-{hit.end_line}"
