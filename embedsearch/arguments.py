"""Arguments: what callers of an index give it, checked and brought into one shape."""

from __future__ import annotations

import operator
import os
from pathlib import Path
from typing import TYPE_CHECKING

from embedsearch.store import filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from embedsearch.store.filters import Filter, Where

    PathLike = str | os.PathLike[str]


def whole(k: int) -> int:
    """Return k, be it Python's or numpy's."""
    try:
        return operator.index(k)
    except TypeError as error:
        raise TypeError(f"expected k as a whole number, got {k!r}") from error


def several(given: Sequence[str], what: str) -> Sequence[str]:
    """Refuse one text where several are expected: its letters would be taken for them."""
    if isinstance(given, str):
        raise TypeError(f"expected a list of {what}, got one: put {given!r:.40} into a list")
    return given


def condition(where: Where, glob: Sequence[str] | None) -> Filter:
    """Return the filter of both."""
    return filters.where(where) & filters.glob(patterns(glob))


def patterns(glob: Sequence[str] | None) -> Sequence[str]:
    """Return the patterns, of which one need not be in a list."""
    return [glob] if isinstance(glob, str) else glob or ()


def of(ids: Sequence[str] | None) -> Filter:
    """Return the filter of documents by their ids, of all without."""
    return filters.ALL if ids is None else filters.named(several(ids, "ids"))


def paths(named: PathLike | Iterable[PathLike]) -> list[Path]:
    """Return paths, of which one need not be in a list."""
    return [Path(path) for path in ([named] if isinstance(named, (str, os.PathLike)) else named)]


def labels(id: str, said: str | Sequence[str]) -> tuple[str, ...]:
    """Return the labels of a document, each once, without blanks around them."""
    if said is None or not hasattr(said, "__iter__"):
        raise TypeError(f"expected a label of {id!r}, or a list of them, got {said!r}")
    given = [said] if isinstance(said, str) else list(said)
    for label in given:
        if not isinstance(label, str) or not label.strip():
            raise ValueError(f"expected labels of {id!r} as text that is not blank, got {label!r}")
    return tuple(dict.fromkeys(label.strip() for label in given))
