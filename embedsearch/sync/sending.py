"""The texts that go to a provider: secrets looked for, sends and bills noted, limits kept."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from itertools import chain, repeat, takewhile
from typing import TYPE_CHECKING

from embedsearch.errors import SecretsFound
from embedsearch.privacy import scan
from embedsearch.store import documents, outbox, usage
from embedsearch.store.clock import now
from embedsearch.store.fulltext import text_hash
from embedsearch.store.outbox import Sent
from embedsearch.store.usage import Use
from embedsearch.sync.pending import COMMIT_TEXTS, Landed, Todo, pages
from embedsearch.sync.report import Failure
from embedsearch.sync.spending import Spending, factor_key, known_factor, rate_key

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from embedsearch.client.stopping import Stop
    from embedsearch.embedders.protocol import RemoteEmbedder
    from embedsearch.errors import InputRefused
    from embedsearch.store.database import Database
    from embedsearch.sync.pending import Done, Pending
    from embedsearch.sync.spending import Allowance

FIRST = 4
"""How many texts go first where there is a limit: their bill tells how the server counts."""


@dataclass(slots=True)
class Sending:
    """A run to a provider: many requests at once."""

    database: Database
    embedder: RemoteEmbedder
    allowance: Allowance
    done: Done
    stop: Stop
    _spending: Spending = field(init=False)
    _crossed: bool = False
    """Whether what came back showed that the rest would cross the limit."""

    def __post_init__(self) -> None:
        known = known_factor(self.database, self.embedder)
        self._spending = Spending(self.allowance, self.embedder, known)

    def run(self, space: int) -> Iterator[Landed]:
        """Yield each request as it comes back, so that none is paid for twice.

        Under a limit a few texts go first, then a page, then all that the bills allow; what seemed
        not to fit is looked at again when the bills of the others are there.
        """
        todo = Todo(pages(self.database, space))
        rounds = chain((FIRST, COMMIT_TEXTS), repeat(sys.maxsize))
        for most in rounds if self.allowance.is_limited else [sys.maxsize]:
            sent = yield from self._send(todo, most)
            if not sent or self.stop.is_set:
                break
        if self.allowance.is_limited and (self._crossed or not self.stop.is_set):
            self.done.capped = bool(self._spending.flying) or todo.is_left
        self.done.crossed = self._spending.is_crossed
        self.done.factor = self._spending.factor

    def bill(self, landed: Landed) -> None:
        """Note what a request cost, together with the vectors that it brought."""
        embedder, done = self.embedder, self.done
        cost = embedder.cost(landed.billed)
        done.requests += 1
        done.billed += landed.billed
        done.cost = None if cost is None or done.cost is None else done.cost + cost
        use = Use(now(), "index", embedder.host, embedder.model, 1, landed.billed, cost)
        usage.note(self.database, [use])
        self.database.set(factor_key(embedder), str(self._spending.factor))
        if embedder.rate:
            self.database.set(rate_key(embedder), str(embedder.rate))

    def _send(self, todo: Todo, most: int) -> Generator[Landed, None, int]:
        """Send up to so many texts; return how many they were."""
        sent: list[tuple[int, int]] = []
        spending = self._spending

        def label(position: int) -> str:
            return documents.place(self.database, sent[position][0])[0]

        def refuse(refused: InputRefused) -> None:
            spending.flying -= sent[refused.position][1]
            self.done.refused.append(Failure(refused.label or "", refused.reason))

        for found in self.embedder.embed_stream(
            self._allowed(todo, most, sent), label=label, on_refused=refuse, stop=self.stop
        ):
            ids = [sent[position][0] for position in found.positions]
            tokens = sum(sent[position][1] for position in found.positions)
            billed = found.tokens or tokens  # A server that tells no usage counts as we do.
            spending.lands(tokens, billed)
            if spending.crosses():
                self._crossed = True
                self.stop.set()
            yield Landed(ids, found.vectors, tokens, billed)
        return len(sent)

    def _allowed(self, todo: Todo, most: int, sent: list[tuple[int, int]]) -> Iterator[str]:
        """Yield texts up to the limit, noted before they are sent, so that none can be missing."""
        while page := todo.next(most - len(sent)):
            allowed = list(takewhile(self._admits, page))
            todo.put_back(page[len(allowed) :])
            outbox.note(self.database, _entries(self.database, self.embedder, allowed))
            for id, tokens, text in allowed:
                sent.append((id, tokens))
                yield text
            if len(allowed) < len(page):
                return

    def _admits(self, text: Pending) -> bool:
        """Tell whether a text may be sent, too, and count it if so."""
        if self._spending.crosses(text[1]):
            return False
        self._spending.flying += text[1]
        return True


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
