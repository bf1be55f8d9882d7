"""What is to be embedded, page by page, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from embedsearch.store import vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from embedsearch.store.database import Database
    from embedsearch.sync.report import Failure

Pending: TypeAlias = tuple[int, int, str]
"""A text to embed: its id, its tokens, and what it says."""

COMMIT_TEXTS = 64
"""How many texts are embedded between commits: a second or two, all that a crash can lose."""


@dataclass(slots=True)
class Done:
    """What was embedded: ``tokens`` as planned, ``cost`` in US dollars for what was ``billed``."""

    texts: int = 0
    tokens: int = 0
    billed: int = 0
    requests: int = 0
    cost: float | None = 0.0
    unknown: int = 0
    first_unknown: str = ""
    refused: list[Failure] = field(default_factory=list)
    capped: bool = False
    """Whether the run stopped at its allowance, with texts left."""
    crossed: bool = False
    """Whether its bills came to more than the allowance."""
    factor: float = 1.0
    """Tokens that are billed for one that is planned."""


class Landed(NamedTuple):
    """Vectors (n, d) of n texts by their ids, their tokens, and what was billed for them.

    Where the server did not tell that, it is their tokens. Without texts it is an answer of no use
    that was billed all the same.
    """

    texts: list[int]
    vectors: NDArray[np.float32]
    tokens: int
    billed: int


def pages(database: Database, space: int) -> Iterator[list[Pending]]:
    """Yield what has no vector in a space."""
    last = 0
    while page := vectors.pending_texts(database, space, after=last, limit=COMMIT_TEXTS):
        last = page[-1][0]
        yield page


@dataclass(slots=True)
class Todo:
    """Texts to embed, page by page; those that were not sent are given again."""

    pages: Iterator[list[Pending]]
    _back: list[Pending] = field(default_factory=list)

    def next(self, most: int) -> list[Pending]:
        """Give the next texts, none at the end."""
        page = self._back or next(self.pages, [])
        self._back = page[most:]
        return page[:most]

    def put_back(self, texts: list[Pending]) -> None:
        """Take back what was not sent."""
        self._back = texts + self._back

    @property
    def is_left(self) -> bool:
        """Whether there are more."""
        self._back = self._back or next(self.pages, [])
        return bool(self._back)
