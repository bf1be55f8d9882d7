"""The second loop: embed the texts that have no vector in this space yet."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.client.stopping import Stop, stopped_by_signals
from embedsearch.embedders.checking import checked
from embedsearch.embedders.protocol import is_remote
from embedsearch.embedders.unknown import unread
from embedsearch.errors import EmbeddingError, ModelNotLoaded
from embedsearch.store import documents, vectors
from embedsearch.sync.pending import Done, Landed, pages
from embedsearch.sync.report import Failure, Progress
from embedsearch.sync.sending import Sending, refuse_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from embedsearch.embedders.protocol import Embedder
    from embedsearch.store.database import Database
    from embedsearch.sync.pending import Pending
    from embedsearch.sync.spending import Allowance


def embed_pending(
    database: Database,
    embedder: Embedder,
    space: int,
    allowance: Allowance,
    progress: Callable[[Progress], None],
) -> Done:
    """Embed what is pending, commit by commit.

    The to-do list is a query, so texts that other processes take in meanwhile are done too. A text
    that the embedder refuses stays on it and is reported; the rest goes on.

    The first Ctrl-C ends what is sent to a provider, and takes effect when what is in flight is
    committed: it is billed.

    Raises:
        SecretsFound: a text that was to be sent away looks as if it held a secret; none was sent.
        EmbeddingError: the embedder gave what are no unit vectors of the index's dimensions, or its
            model can't be loaded.

    """
    done = Done()
    todo = vectors.pending(database, space)
    if not todo.texts:
        return done
    progress(Progress("embed", 0, todo.tokens))
    if is_remote(embedder) and not allowance.allow_secrets:
        refuse_secrets(database, space)
    with stopped_by_signals() if is_remote(embedder) else nullcontext(Stop()) as stop:
        sending = None
        if is_remote(embedder):
            sending = Sending(database, embedder, allowance, done, stop)
        for batch in sending.run(space) if sending else _local(database, embedder, space, done):
            count = len(batch.texts)
            rows = checked(batch.vectors, embedder, count) if count else batch.vectors
            with database.writing():
                if count:
                    vectors.size_space(database, embedder.space, embedder.name, embedder.dimensions)
                    vectors.put(database, space, batch.texts, vectors.blobs(rows))
                if sending:
                    sending.bill(batch)
            done.texts += count
            done.tokens += batch.tokens
            progress(Progress("embed", done.tokens, max(todo.tokens, done.tokens)))
    return done


def _local(database: Database, embedder: Embedder, space: int, done: Done) -> Iterator[Landed]:
    for page in pages(database, space):
        yield from _halved(database, embedder, page, done)


def _halved(
    database: Database, embedder: Embedder, page: Sequence[Pending], done: Done
) -> Iterator[Landed]:
    """Embed some texts; where that fails, in halves, down to the one that is at fault."""
    ids, counts, contents = zip(*page, strict=True)
    try:
        rows = embedder.embed(contents, kind="document")
    except ModelNotLoaded:
        raise
    except EmbeddingError as error:
        if len(page) == 1:
            done.refused.append(Failure(documents.place(database, ids[0])[0], str(error)))
            return
        for half in (page[: len(page) // 2], page[len(page) // 2 :]):
            yield from _halved(database, embedder, half, done)
    else:
        blind = np.flatnonzero(unread(embedder, contents)).tolist()
        if blind and not done.unknown:
            done.first_unknown = documents.place(database, ids[blind[0]])[0]
        done.unknown += len(blind)
        yield Landed(list(ids), rows, sum(counts), 0)
