"""Arguments: what callers of an index give it, checked and brought into one shape."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args
from unicodedata import normalize

from embedsearch.embedders.protocol import Role
from embedsearch.search.ranking import RANKERS
from embedsearch.store import filters
from embedsearch.store.labels import has_control

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.search.ranking import Mode
    from embedsearch.search.results import GroupBy
    from embedsearch.store.filters import Filter, Where

    PathLike = str | os.PathLike[str]

T = TypeVar("T")


def folder(path: PathLike) -> Path | None:
    """Return the folder of an index, ``None`` for one in memory.

    It is absolute, as the working directory may change while the index is open.
    """
    if not os.fspath(path):
        raise ValueError("the path of the index is empty: '.' is the current folder")
    return None if str(path) == ":memory:" else Path(path).absolute()


def check_chunking(tokens: int, overlap: int) -> None:
    """Refuse chunks that would not get on."""
    if not 0 <= overlap < tokens:
        raise ValueError(f"expected chunk_tokens > chunk_overlap >= 0, got {tokens} and {overlap}")


def query(given: str) -> str:
    """Return a query in words, ``composed``."""
    if not isinstance(given, str):
        raise TypeError(f"expected a query as str, got {given!r:.40}")
    if not given.strip():
        raise ValueError("the query is empty: say what to look for")
    return composed(given)


def composed(text: str) -> str:
    """Return a text with its accents on their letters, as nearly all texts have them (NFC).

    Where a query has them apart, as paths of macOS do, its words would end at them.
    """
    return normalize("NFC", text)


def mode(given: Mode) -> Mode:
    """Return how is searched."""
    if given not in RANKERS:
        raise ValueError(f"unknown mode {given!r}: choose from {sorted(RANKERS)}")
    return given


def role(given: Role) -> Role:
    """Return what a text is embedded as."""
    if given not in get_args(Role):
        raise ValueError(f"unknown kind {given!r}: choose from {sorted(get_args(Role))}")
    return given


def grouping(given: GroupBy) -> GroupBy:
    """Return of what only the best hit is wanted."""
    if given not in {None, "document"}:
        raise ValueError(f"unknown group_by {given!r}: choose 'document' or None")
    return given


def whole(given: int, what: str = "k") -> int:
    """Return a whole number as Python's, be it numpy's."""
    if isinstance(given, bool):
        raise TypeError(f"expected {what} as a whole number, got {given!r}")
    try:
        return operator.index(given)
    except TypeError as error:
        raise TypeError(f"expected {what} as a whole number, got {given!r:.40}") from error


def how_many(given: int, what: str = "k") -> int:
    """Return a number, ``whole`` and at least 1."""
    number = whole(given, what)
    if number < 1:
        raise ValueError(f"expected {what} of at least 1, got {number}")
    return number


def share(given: float, what: str) -> float:
    """Return a number from 0 to 1."""
    if not isinstance(given, Real) or isinstance(given, bool):
        raise TypeError(f"expected a {what} from 0 to 1, got {given!r:.40}")
    if not 0 <= given <= 1:
        raise ValueError(f"expected a {what} from 0 to 1, got {given}")
    return given


def several(given: Iterable[str], what: str) -> list[str]:
    """Return texts; one alone is refused, as its letters would be taken for them."""
    if isinstance(given, str):
        raise TypeError(f"expected a list of {what}, got one: put {given!r:.40} into a list")
    return _listed(given, what, str)


def condition(where: Where, glob: Sequence[str] | None) -> Filter:
    """Return the filter of both."""
    return filters.where(where) & filters.glob(patterns(glob))


def patterns(glob: Sequence[str] | None) -> Sequence[str]:
    """Return the patterns, of which one need not be in a list."""
    listed = [glob] if isinstance(glob, str) else glob or ()
    return _listed(listed, "glob patterns", str)


def of(ids: Sequence[str] | None) -> Filter:
    """Return the filter of documents by their ids, of all without."""
    return filters.ALL if ids is None else filters.named(several(ids, "ids"))


def paths(named: PathLike | Iterable[PathLike]) -> list[Path]:
    """Return paths, of which one need not be in a list."""
    listed = [named] if isinstance(named, (str, os.PathLike)) else named
    return [Path(path) for path in _listed(listed, "paths", (str, os.PathLike))]


def id(given: str) -> str:
    """Return the id of a document."""
    if not isinstance(given, str):
        raise TypeError(f"expected an id as str, got {given!r:.40}")
    return given


def ids(given: str | Iterable[str]) -> list[str]:
    """Return ids, of which one need not be in a list."""
    return _listed([given] if isinstance(given, str) else given, "ids", str)


def _listed(given: Iterable[T], what: str, kind: type[T] | tuple[type[T], ...]) -> list[T]:
    if not isinstance(given, Iterable):
        raise TypeError(f"expected a list of {what}, got {given!r:.40}")
    listed = list(given)
    for each in listed:
        if not isinstance(each, kind):
            raise TypeError(f"expected a list of {what}, got {each!r:.40} in it")
    return listed


def labelled(given: Mapping[str, str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return the labels of documents by their ids."""
    if not isinstance(given, Mapping):
        raise TypeError(f"expected labels by id, as {{'a.md': 'bill'}}, got {given!r:.40}")
    return {id(named): labels(named, said) for named, said in given.items()}


def labels(id: str, said: str | Sequence[str]) -> tuple[str, ...]:
    """Return the labels of a document, each once, without blanks around them."""
    if said is None or not hasattr(said, "__iter__"):
        raise TypeError(f"expected a label of {id!r}, or a list of them, got {said!r}")
    given = [said] if isinstance(said, str) else list(said)
    for label in given:
        if not isinstance(label, str) or not label.strip():
            raise ValueError(f"expected labels of {id!r} as text that is not blank, got {label!r}")
        if has_control(label.strip()):
            raise ValueError(f"expected labels of {id!r} without control characters, got {label!r}")
    return tuple(dict.fromkeys(label.strip() for label in given))
