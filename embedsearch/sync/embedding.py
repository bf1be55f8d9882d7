"""The second loop: embed the texts that have no vector in this space yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.store import vectors
from embedsearch.sync.report import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from embedsearch.embedders.protocol import Embedder
    from embedsearch.store.database import Database
    from embedsearch.store.vectors import Pending

COMMIT_TEXTS = 256
"""How many texts are embedded between commits: a few seconds' work, all that a crash can lose."""


def embed_pending(
    database: Database, embedder: Embedder, space: int, progress: Callable[[Progress], None]
) -> Pending:
    """Embed what is pending, commit by commit, and return how much that was.

    The to-do list is a query, so texts that other processes take in meanwhile are done too.
    """
    todo = vectors.pending(database, space)
    texts = tokens = 0
    if todo.texts:
        progress(Progress("embed", 0, todo.tokens))
    for batch in _pages(database, space):
        ids, counts, contents = zip(*batch, strict=True)
        vectors.put(database, space, ids, embedder.embed(contents, kind="document"))
        texts += len(ids)
        tokens += sum(counts)
        progress(Progress("embed", tokens, max(todo.tokens, tokens)))
    return vectors.Pending(texts, tokens)


def _pages(database: Database, space: int) -> Iterator[list[tuple[int, int, str]]]:
    last = 0
    while page := vectors.pending_texts(database, space, after=last, limit=COMMIT_TEXTS):
        last = page[-1][0]
        yield page
