"""Where a file or a hit is, as one can open it from here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from embedsearch import Hit, Index
    from embedsearch.search.packing import Passage


STALE = "(file changed since it was indexed)"
GONE = "(file is gone)"


def path(hit: Hit | Passage) -> str:
    """Return the path of a hit as ``shown``; its document's id without a file."""
    return hit.document_id if hit.source is None else shown(hit.source)


def is_gone(hit: Hit | Passage) -> bool:
    """Tell whether the file of a stale hit is gone; one that can't be looked at may be there."""
    try:
        return not Path(hit.source or "").exists()
    except OSError:
        return False


def staleness(hit: Hit | Passage) -> str:
    """Return what is to be said of a stale hit."""
    return GONE if is_gone(hit) else STALE


def shown(path: str) -> str:
    """Return a path from here when it lies below, else as it is."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def document_id(index: Index, given: str) -> str:
    """Return the id that is meant by an id or by a file's path, as a search prints it.

    The same for a chunk's, ``DOCUMENT#N``; what is neither is returned as it is. Accents on
    their letters and apart are the same, as they look the same.
    """
    if given in index:
        return given
    document, mark, number = given.rpartition("#")
    if mark and number.isdecimal() and (id := document_id(index, document)) in index:
        return f"{id}#{number}"
    forms = dict.fromkeys((given, normalize("NFC", given), normalize("NFD", given)))
    meant = (form if form in index else index.id_at(form) for form in forms)
    return next(filter(None, meant), given)


def where(hit: Hit | Passage) -> str:
    """Return where in its document a hit is: `` at 12:31`` in a recording, else ``:12-18``."""
    return f":{span(hit)}" if hit.seconds is None else f" at {clock(hit.seconds)}"


def clock(seconds: float) -> str:
    """Return a time as players show it: ``12:31``, ``1:02:31``."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def span(hit: Hit | Passage) -> str:
    """Return the lines of a hit: ``12-18``, or ``12``."""
    alone = hit.start_line == hit.end_line
    return str(hit.start_line) if alone else f"{hit.start_line}-{hit.end_line}"
