"""The texts that go to a provider: secrets looked for, sends and bills noted, limits kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from embedsearch.errors import SecretsFound
from embedsearch.privacy import scan
from embedsearch.store import documents, outbox, usage
from embedsearch.store.clock import now
from embedsearch.store.fulltext import text_hash
from embedsearch.store.outbox import Sent
from embedsearch.store.usage import Use
from embedsearch.sync.pending import Landed, pages
from embedsearch.sync.report import Failure
from embedsearch.sync.spending import Spending, rate_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from embedsearch.client.stopping import Stop
    from embedsearch.embedders.protocol import RemoteEmbedder
    from embedsearch.errors import InputRefused
    from embedsearch.store.database import Database
    from embedsearch.sync.pending import Done, Pending
    from embedsearch.sync.spending import Allowance


@dataclass(slots=True)
class Sending:
    """A run to a provider: many requests at once."""

    database: Database
    embedder: RemoteEmbedder
    allowance: Allowance
    done: Done
    stop: Stop
    crossed: bool = False
    """Whether what came back showed that the rest would cross the limit."""

    def run(self, space: int) -> Iterator[Landed]:
        """Yield each request as it comes back, so that none is paid for twice."""
        spending = Spending(self.allowance, self.embedder)
        todo = pages(self.database, space)
        if self.allowance.is_limited:  # A page goes first: it shows how the server counts.
            yield from self._send(islice(todo, 1), spending)
        yield from self._send(todo, spending)
        if self.crossed and (spending.flying or next(todo, None)):
            self.done.capped = True

    def _send(self, todo: Iterable[list[Pending]], spending: Spending) -> Iterator[Landed]:
        sent: list[tuple[int, int]] = []

        def label(position: int) -> str:
            return documents.place(self.database, sent[position][0])[0]

        def refuse(refused: InputRefused) -> None:
            spending.flying -= sent[refused.position][1]
            self.done.refused.append(Failure(refused.label or "", refused.reason))

        for found in self.embedder.embed_stream(
            self._allowed(todo, spending, sent), label=label, on_refused=refuse, stop=self.stop
        ):
            ids = [sent[position][0] for position in found.positions]
            tokens = sum(sent[position][1] for position in found.positions)
            billed = found.tokens or tokens  # A server that tells no usage counts as we do.
            spending.lands(tokens, billed)
            if spending.crosses():
                self.crossed = True
                self.stop.set()
            yield Landed(ids, found.vectors, tokens, billed)

    def _allowed(
        self, todo: Iterable[list[Pending]], spending: Spending, sent: list[tuple[int, int]]
    ) -> Iterator[str]:
        """Yield texts up to the limit, noted before they are sent, so that none can be missing."""
        for page in todo:
            allowed = []
            for pending in page:
                if self.done.capped or spending.crosses(pending[1]):
                    self.done.capped = True
                    break
                spending.flying += pending[1]
                allowed.append(pending)
            outbox.note(self.database, _entries(self.database, self.embedder, allowed))
            for id, tokens, text in allowed:
                sent.append((id, tokens))
                yield text
            if self.done.capped:
                return


def refuse_secrets(database: Database, space: int) -> None:
    """Raise SecretsFound for texts that look as if they held a secret."""
    found = []
    for page in pages(database, space):
        for id, _, text in page:
            for secret in scan(text):
                document, line = documents.place(database, id)
                found.append(f"{document}:{line + secret.line - 1} ({secret.kind})")
    if found:
        raise SecretsFound(found)


def _entries(
    database: Database, embedder: RemoteEmbedder, texts: Sequence[Pending]
) -> Iterator[Sent]:
    at, host, model = now(), embedder.host, embedder.model
    held = documents.holding(database, [id for id, _, _ in texts])
    for id, tokens, text in texts:
        yield Sent(at, host, model, held.get(id, ""), text_hash(text), tokens)


def bill(database: Database, embedder: RemoteEmbedder, tokens: int, done: Done) -> None:
    """Note what a request cost, together with the vectors that it brought."""
    cost = embedder.cost(tokens)
    done.requests += 1
    done.cost = None if cost is None or done.cost is None else done.cost + cost
    usage.note(database, [Use(now(), "index", embedder.host, embedder.model, 1, tokens, cost)])
    if embedder.rate:
        database.set(rate_key(embedder), str(embedder.rate))
