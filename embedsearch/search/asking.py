"""The vectors of what is asked for: queries, documents, and texts that a program holds.

A provider is asked for each once; what it gave is kept, and that it was asked is noted.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.embedders import is_remote
from embedsearch.embedders.checking import checked
from embedsearch.errors import (
    ConnectionFailed,
    DimensionMismatch,
    EmbeddingError,
    IndexLocked,
    IndexNotFound,
    InputRefused,
    InvalidAnswer,
    RateLimited,
    SecretsFound,
    ServerError,
    StorageFailed,
)
from embedsearch.privacy import scan
from embedsearch.store import documents, fulltext, outbox, queries, usage
from embedsearch.store import vectors as stored
from embedsearch.store.clock import now
from embedsearch.store.fulltext import text_hash
from embedsearch.store.outbox import Sent
from embedsearch.store.usage import Use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.embedders import Embedder, RemoteEmbedder
    from embedsearch.store.database import Database

    Vectors = NDArray[np.float32]

_UNWRITABLE = suppress(StorageFailed, IndexLocked, IndexNotFound)

BY_WORDS = "--mode lexical; in Python: mode='lexical'"

PAGE = 1_000
"""How many texts are sent to a provider before what came back is kept."""


def vector(database: Database, embedder: Embedder, space: int, query: str) -> Vectors:
    """Return the unit vector (d,) of a query, or an empty one where no provider needs to be asked.

    There is nothing then that it could be near to. What a provider gave is kept in the index,
    unless that can't be written. Raises SecretsFound for a query that was to be sent to one and
    looks as if it held a secret.
    """
    if not is_remote(embedder):
        own: Vectors = checked(embedder.embed([query], kind="query"), embedder, 1)[0]
        return own
    if stored.is_empty(database, space):
        return np.empty(0, np.float32)
    kept = queries.vector(database.present, space, query)  # a snapshot may be older
    if kept is not None:
        return kept
    if found := scan(query):
        places = [f"the query:{secret.line} ({secret.kind})" for secret in found]
        raise SecretsFound(places, hint=f"search for it by words, on this machine: {BY_WORDS}")
    try:
        row: Vectors = _sent(database, embedder, space, [query], command="search")[0]
    except (ConnectionFailed, RateLimited, ServerError) as error:
        error.hint = error.hint or f"search by words, which asks no server: {BY_WORDS}"
        raise
    return row


def vector_of(database: Database, space: int, id: str, position: int | None) -> Vectors:
    """Return the mean (d,) of the vectors of a document's chunks, or that of one of them.

    Raises:
        EmbeddingError: there is none, and why.

    """
    texts = documents.text_ids(database, id, position)
    rows = stored.of(database, space, texts)
    if len(rows):
        return np.asarray(rows.mean(axis=0))
    name = id if position is None else f"{id}#{position}"
    if fulltext.blank(database, texts):
        raise EmbeddingError(f"{name!r} is blank: there is nothing to be like")
    raise EmbeddingError(
        f"{name!r} is not embedded yet",
        hint="run: embedsearch index, without --no-embed; in Python: index.embed_pending()",
    )


def vectors(
    database: Database, embedder: Embedder, space: int, texts: Sequence[str], *, allow_secrets: bool
) -> Vectors:
    """Return unit rows (n, d) of texts; those that the index holds are not embedded again.

    Raises:
        SecretsFound: a text for a provider looks as if it held a secret; none was sent.

    """
    rows: dict[str, Vectors] = {}
    with database.reading():
        for text in dict.fromkeys(texts):
            kept = stored.by_hash(database, space, text_hash(text))
            if kept is None and is_remote(embedder):
                kept = queries.vector(database.present, space, text)
            if kept is not None:
                rows[text] = kept
    missing = [text for text in dict.fromkeys(texts) if text not in rows]
    if is_remote(embedder) and missing and not allow_secrets:
        _refuse_secrets(missing)
    for start in range(0, len(missing), PAGE):
        page = missing[start : start + PAGE]
        if is_remote(embedder):
            found = _sent(database, embedder, space, page, command="embed")
        else:
            found = checked(embedder.embed(page), embedder, len(page))
        rows.update(zip(page, found, strict=True))
    return np.stack([rows[text] for text in texts]) if texts else embedder.embed([])


def _refuse_secrets(texts: Sequence[str]) -> None:
    found = [
        f"text {n}:{secret.line} ({secret.kind})" for n, t in enumerate(texts) for secret in scan(t)
    ]
    if found:
        raise SecretsFound(found)


def _sent(
    database: Database,
    embedder: RemoteEmbedder,
    space: int,
    texts: Sequence[str],
    *,
    command: str,
) -> Vectors:
    """Have a provider embed texts; what that was, and what it gave, is noted if it can be."""
    counts = embedder.tokenizer.count(texts)
    tokens = sum(counts)
    present = database.present
    _note_sent(present, embedder, texts, counts)

    def use(requests: int, tokens: int) -> Use:
        cost = embedder.cost(tokens)
        return Use(now(), command, embedder.host, embedder.model, requests, tokens, cost)

    planned = embedder.requests(len(texts), tokens), tokens
    try:
        rows = embedder.embed(texts, kind="query")
    except DimensionMismatch:  # What came is of no use, and was paid for.
        with _UNWRITABLE:
            usage.note(present, [use(*planned)])
        raise
    except (InvalidAnswer, InputRefused) as error:
        came = error.__cause__ if isinstance(error, InputRefused) else error
        if isinstance(came, InvalidAnswer):  # It was paid for all the same.
            with _UNWRITABLE:
                usage.note(present, [use(1, came.tokens)])
        raise
    with _UNWRITABLE, present.writing(generation=False):
        for text, row in zip(texts, rows, strict=True):
            queries.keep(present, space, text, row)
        usage.note(present, [use(*planned)])
    return rows


def _note_sent(
    present: Database, embedder: RemoteEmbedder, texts: Sequence[str], counts: Sequence[int]
) -> None:
    at, host, model = now(), embedder.host, embedder.model
    entries = (
        Sent(at, host, model, None, text_hash(text), tokens)
        for text, tokens in zip(texts, counts, strict=True)
    )
    with _UNWRITABLE:
        outbox.note(present, entries)
