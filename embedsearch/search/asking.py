"""The vector of a query; a provider is asked for it once, and that it was asked is noted."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.embedders import is_remote
from embedsearch.errors import IndexLocked, SecretsFound, StorageFailed
from embedsearch.privacy import scan
from embedsearch.store import outbox, queries, usage
from embedsearch.store.clock import now
from embedsearch.store.fulltext import text_hash
from embedsearch.store.outbox import Sent
from embedsearch.store.usage import Use

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.embedders import Embedder
    from embedsearch.store.database import Database


def vector(database: Database, embedder: Embedder, space: int, query: str) -> NDArray[np.float32]:
    """Return the unit vector (d,) of a query.

    What a provider gave is kept in the index, unless that can't be written. Raises SecretsFound
    for a query that was to be sent to one and looks as if it held a secret.
    """
    if not is_remote(embedder):
        rows = embedder.embed([query], kind="query")
        return np.asarray(rows[0], np.float32)
    kept = queries.vector(database, space, query)
    if kept is not None:
        return kept
    if found := scan(query):
        places = [f"the query:{secret.line} ({secret.kind})" for secret in found]
        raise SecretsFound(places, hint="search for it by words, on this machine: --mode lexical")
    unwritable = suppress(StorageFailed, IndexLocked)
    tokens = embedder.tokenizer.count([query])[0]
    with unwritable, database.aside() as writable:
        sent = Sent(now(), embedder.host, embedder.model, None, text_hash(query), tokens)
        outbox.note(writable, [sent])
    row: NDArray[np.float32] = embedder.embed([query], kind="query")[0]
    cost = embedder.cost(tokens)
    with unwritable, database.aside() as writable, writable.writing(generation=False):
        queries.keep(writable, space, query, row)
        usage.note(writable, [Use(now(), "search", embedder.host, embedder.model, 1, tokens, cost)])
    return row
