"""The second loop: embed the texts that have no vector in this space yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from embedsearch.embedders.checking import checked
from embedsearch.embedders.protocol import is_remote
from embedsearch.errors import EmbeddingError, ModelNotLoaded, SecretsFound
from embedsearch.privacy import scan
from embedsearch.store import documents, outbox, usage, vectors
from embedsearch.store.clock import now
from embedsearch.store.fulltext import text_hash
from embedsearch.store.outbox import Sent
from embedsearch.store.usage import Use
from embedsearch.sync.report import Failure, Progress
from embedsearch.sync.spending import rate_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from embedsearch.embedders.protocol import Embedder, RemoteEmbedder
    from embedsearch.errors import InputRefused
    from embedsearch.store.database import Database
    from embedsearch.sync.spending import Allowance

Pending: TypeAlias = tuple[int, int, str]
"""A text to embed: its id, its tokens, and what it says."""

COMMIT_TEXTS = 64
"""How many texts are embedded between commits: a second or two, all that a crash can lose."""


@dataclass(slots=True)
class Done:
    """What was embedded: ``tokens`` as planned, ``cost`` in US dollars for what was billed."""

    texts: int = 0
    tokens: int = 0
    requests: int = 0
    cost: float | None = 0.0
    refused: list[Failure] = field(default_factory=list)
    capped: bool = False
    """Whether the run stopped at its allowance."""


class Embedded(NamedTuple):
    """Vectors (n, d) of n texts by their ids, their tokens, and what was billed for them.

    Without texts it is an answer of no use that was billed all the same.
    """

    texts: list[int]
    vectors: NDArray[np.float32]
    tokens: int
    billed: int


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
    if is_remote(embedder):
        if not allowance.secrets:
            _refuse_secrets(database, space)
        batches = _remote(database, embedder, space, allowance, done)
    else:
        batches = _local(database, embedder, space, done)
    for batch in batches:
        count = len(batch.texts)
        rows = checked(batch.vectors, embedder, count) if count else batch.vectors
        with database.writing():
            if count:
                vectors.size_space(database, embedder.space, embedder.name, embedder.dimensions)
                vectors.put(database, space, batch.texts, vectors.blobs(rows))
            if is_remote(embedder):
                _bill(database, embedder, batch.billed, done)
        done.texts += count
        done.tokens += batch.tokens
        progress(Progress("embed", done.tokens, max(todo.tokens, done.tokens)))
    return done


def _local(database: Database, embedder: Embedder, space: int, done: Done) -> Iterator[Embedded]:
    for page in _pages(database, space):
        yield from _halved(database, embedder, page, done)


def _halved(
    database: Database, embedder: Embedder, page: Sequence[Pending], done: Done
) -> Iterator[Embedded]:
    """Embed some texts; where that fails, in halves, down to the one that is at fault."""
    ids, counts, contents = zip(*page, strict=True)
    try:
        rows = embedder.embed(contents, kind="document")
    except ModelNotLoaded:
        raise
    except EmbeddingError as error:
        if len(page) == 1:
            done.refused.append(Failure(documents.holding(database, ids[0]), str(error)))
            return
        for half in (page[: len(page) // 2], page[len(page) // 2 :]):
            yield from _halved(database, embedder, half, done)
    else:
        yield Embedded(list(ids), rows, sum(counts), 0)


def _remote(
    database: Database, embedder: RemoteEmbedder, space: int, allowance: Allowance, done: Done
) -> Iterator[Embedded]:
    """Send many requests at once; each is committed as it comes back, so none is paid for twice."""
    sent: list[tuple[int, int]] = []

    def texts() -> Iterator[str]:
        total = 0
        for page in _pages(database, space):
            allowed = []
            for pending in page:
                total += pending[1]
                if allowance.crossed(total, embedder):
                    done.capped = True
                    break
                allowed.append(pending)
            # Noted before they are sent, so that none can be missing.
            outbox.note(database, [_entry(database, embedder, *pending) for pending in allowed])
            for id, tokens, text in allowed:
                sent.append((id, tokens))
                yield text
            if done.capped:
                return

    def label(position: int) -> str:
        return documents.holding(database, sent[position][0])

    def refuse(refused: InputRefused) -> None:
        done.refused.append(Failure(refused.label or "", refused.reason))

    for found in embedder.embed_stream(texts(), label=label, on_refused=refuse):
        ids = [sent[position][0] for position in found.positions]
        tokens = sum(sent[position][1] for position in found.positions)
        yield Embedded(ids, found.vectors, tokens, found.tokens)


def _refuse_secrets(database: Database, space: int) -> None:
    found = []
    for page in _pages(database, space):
        for id, _, text in page:
            for secret in scan(text):
                document, line = documents.place(database, id)
                found.append(f"{document}:{line + secret.line - 1} ({secret.kind})")
    if found:
        allow = "take it out, or allow it: --allow-secrets; in Python: Allowance(secrets=True)"
        raise SecretsFound(found, hint=allow)


def _entry(database: Database, embedder: RemoteEmbedder, id: int, tokens: int, text: str) -> Sent:
    document = documents.holding(database, id)
    return Sent(now(), embedder.host, embedder.model, document, text_hash(text), tokens)


def _bill(database: Database, embedder: RemoteEmbedder, tokens: int, done: Done) -> None:
    """Note what a request cost, together with the vectors that it brought."""
    cost = embedder.cost(tokens)
    done.requests += 1
    done.cost = None if cost is None or done.cost is None else done.cost + cost
    usage.note(database, [Use(now(), "index", embedder.host, embedder.model, 1, tokens, cost)])
    if embedder.rate:
        database.set(rate_key(embedder), str(embedder.rate))


def _pages(database: Database, space: int) -> Iterator[list[Pending]]:
    last = 0
    while page := vectors.pending_texts(database, space, after=last, limit=COMMIT_TEXTS):
        last = page[-1][0]
        yield page
