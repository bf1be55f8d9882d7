"""The second loop: embed the texts that have no vector in this space yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from embedsearch.embedders.protocol import RemoteEmbedder
from embedsearch.store import documents, ledger, vectors
from embedsearch.sync.report import Failure, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from embedsearch.embedders.protocol import Embedder
    from embedsearch.errors import InputRefused
    from embedsearch.store.database import Database

COMMIT_TEXTS = 256
"""How many texts are embedded between commits: a few seconds' work, all that a crash can lose."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be sent to a provider; a local model sends nothing and takes no notice.

    A run stops before the request that would cross ``tokens``, or ``cost`` in US dollars.
    ``secrets``: whether a text may be sent that looks as if it held one.
    """

    tokens: int | None = None
    cost: float | None = None
    secrets: bool = False


@dataclass(slots=True)
class Done:
    """What was embedded: ``tokens`` as planned, ``cost`` in US dollars for what was billed."""

    texts: int = 0
    tokens: int = 0
    cost: float = 0.0
    refused: list[Failure] = field(default_factory=list)
    capped: bool = False
    """Whether the run stopped at its allowance."""


class Embedded(NamedTuple):
    """Vectors (n, d) of n texts by their ids, their tokens, and what was billed for them."""

    texts: list[int]
    vectors: NDArray[np.float32]
    tokens: int
    billed: int


def check(allowance: Allowance, embedder: Embedder) -> None:
    """Raise ValueError for a limit in dollars where the price is not known."""
    if (
        allowance.cost is not None
        and isinstance(embedder, RemoteEmbedder)
        and embedder.cost(1) is None
    ):
        raise ValueError(
            f"the price of {embedder.model} is not known: set a limit in tokens, not in dollars"
        )


def embed_pending(
    database: Database,
    embedder: Embedder,
    space: int,
    allowance: Allowance,
    progress: Callable[[Progress], None],
) -> Done:
    """Embed what is pending, commit by commit.

    The to-do list is a query, so texts that other processes take in meanwhile are done too.
    """
    done = Done()
    todo = vectors.pending(database, space)
    if not todo.texts:
        return done
    progress(Progress("embed", 0, todo.tokens))
    if isinstance(embedder, RemoteEmbedder):
        batches = _remote(database, embedder, space, allowance, done)
    else:
        batches = _local(database, embedder, space)
    for batch in batches:
        with database.writing():
            vectors.put(database, space, batch.texts, batch.vectors)
            if isinstance(embedder, RemoteEmbedder):
                done.cost += _bill(database, embedder, batch)
        done.texts += len(batch.texts)
        done.tokens += batch.tokens
        progress(Progress("embed", done.tokens, max(todo.tokens, done.tokens)))
    return done


def _local(database: Database, embedder: Embedder, space: int) -> Iterator[Embedded]:
    for page in _pages(database, space):
        ids, counts, contents = zip(*page, strict=True)
        rows = embedder.embed(contents, kind="document")
        yield Embedded(list(ids), rows, sum(counts), 0)


def _remote(
    database: Database, embedder: RemoteEmbedder, space: int, allowance: Allowance, done: Done
) -> Iterator[Embedded]:
    """Send many requests at once; each is committed as it comes back, so none is paid for twice."""
    ids: list[int] = []
    counts: list[int] = []

    def texts() -> Iterator[str]:
        sent = 0
        for page in _pages(database, space):
            for id, tokens, text in page:
                sent += tokens
                if _crosses(allowance, sent, embedder):
                    done.capped = True
                    return
                ids.append(id)
                counts.append(tokens)
                yield text

    def label(position: int) -> str:
        return documents.holding(database, ids[position])

    def refuse(refused: InputRefused) -> None:
        done.refused.append(Failure(refused.label or "", refused.reason))

    for found in embedder.embed_stream(texts(), label=label, on_refused=refuse):
        planned = sum(counts[position] for position in found.positions)
        yield Embedded(
            [ids[position] for position in found.positions], found.vectors, planned, found.tokens
        )


def _crosses(allowance: Allowance, tokens: int, embedder: RemoteEmbedder) -> bool:
    if allowance.tokens is not None and tokens > allowance.tokens:
        return True
    cost = embedder.cost(tokens) if allowance.cost is not None else None
    return cost is not None and allowance.cost is not None and cost > allowance.cost


def _bill(database: Database, embedder: RemoteEmbedder, batch: Embedded) -> float:
    cost = embedder.cost(batch.billed)
    ledger.note(database, embedder.host, embedder.model, batch.texts, batch.billed, cost)
    return cost or 0.0


def _pages(database: Database, space: int) -> Iterator[list[tuple[int, int, str]]]:
    last = 0
    while page := vectors.pending_texts(database, space, after=last, limit=COMMIT_TEXTS):
        last = page[-1][0]
        yield page
