"""What may be sent to a provider, and what it will take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

from embedsearch.embedders.protocol import is_remote
from embedsearch.store import facts

if TYPE_CHECKING:
    from embedsearch.embedders.protocol import Embedder, RemoteEmbedder
    from embedsearch.store.database import Database
    from embedsearch.store.vectors import Pending


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be sent to a provider; a local model sends nothing and takes no notice.

    A run stops before the request that would cross ``tokens``, or ``cost`` in US dollars, as the
    provider bills them. How it counts, the bills of earlier runs tell, and that of the first few
    texts of this one.
    ``allow_secrets``: whether a text may be sent that looks as if it held one.
    """

    tokens: int | None = None
    cost: float | None = None
    allow_secrets: bool = False

    def __post_init__(self) -> None:
        for name, limit in (("tokens", self.tokens), ("cost", self.cost)):
            if limit is None:
                continue
            if not isinstance(limit, Real) or isinstance(limit, bool):
                raise TypeError(f"expected a limit of {name} as a number, got {limit!r:.40}")
            if not float(limit) >= 0:
                raise ValueError(f"expected a limit of {name} of 0 or more, got {limit}")

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit to what is spent."""
        return self.tokens is not None or self.cost is not None

    def crossed(self, tokens: int, embedder: RemoteEmbedder) -> bool:
        """Whether sending so many tokens in all would cross a limit."""
        if self.tokens is not None and tokens > self.tokens:
            return True
        cost = None if self.cost is None else embedder.cost(tokens)
        return cost is not None and self.cost is not None and cost > self.cost


UNLIMITED = Allowance()


@dataclass(slots=True)
class Spending:
    """What a run spends, in tokens: billed for what came back, expected for what flies.

    A server may count otherwise than planned, so its bills say what the rest will come to.
    """

    allowance: Allowance
    embedder: RemoteEmbedder
    known: float = 1.0
    """Tokens that were billed for one that was planned, before this run."""
    flying: int = 0
    """Planned tokens of what has not come back."""
    planned: int = 0
    billed: int = 0
    """What was planned and billed for the vectors that came."""
    wasted: int = 0
    """Billed for answers of no use."""

    def lands(self, planned: int, billed: int) -> None:
        """Count an answer, one of no use as well, for which nothing was planned."""
        self.flying -= planned
        self.planned += planned
        if planned:
            self.billed += billed
        else:
            self.wasted += billed

    @property
    def factor(self) -> float:
        """Tokens that are billed for one that is planned."""
        return self.billed / self.planned if self.planned else self.known

    def crosses(self, more: int = 0) -> bool:
        """Whether sending so many more tokens would cross a limit, by what was billed so far."""
        expected = max(1.0, self.factor) * (self.flying + more)
        return self.allowance.crossed(
            self.billed + self.wasted + math.ceil(expected), self.embedder
        )

    @property
    def is_crossed(self) -> bool:
        """Whether what was billed crosses a limit."""
        return self.allowance.crossed(self.billed + self.wasted, self.embedder)


def allowed(given: Allowance) -> Allowance:
    """Return what may be sent, refuse what is no Allowance: None might mean all or nothing."""
    if not isinstance(given, Allowance):
        raise TypeError(f"expected an Allowance, as Allowance(cost=0.5), got {given!r:.40}")
    return given


def require_price(allowance: Allowance, embedder: Embedder) -> None:
    """Raise ValueError for a limit in dollars where the price is not known."""
    if allowance.cost is not None and is_remote(embedder) and embedder.cost(1) is None:
        raise ValueError(
            f"the price of {embedder.model} is not known: set a limit in tokens, not in dollars"
        )


def rate_key(embedder: RemoteEmbedder) -> str:
    """Return the setting that keeps the rate at which a provider took tokens last."""
    return f"rate {_host(embedder)} {embedder.model}"


def factor_key(embedder: RemoteEmbedder) -> str:
    """Return the setting that keeps how many tokens a provider billed for one that was planned."""
    return f"factor {_host(embedder)} {embedder.model}"


def known_factor(database: Database, embedder: RemoteEmbedder) -> float:
    """Return that number, 1 where nothing was billed yet."""
    with database.reading():
        return float(facts.noted(database, factor_key(embedder)) or 1)


def _host(embedder: RemoteEmbedder) -> str:
    """Return where texts would be sent; OpenAI's own needs a key only when they are."""
    return embedder.default_host or embedder.host


@dataclass(frozen=True, slots=True)
class Estimate:
    """What it takes to embed: ``cost`` in US dollars, ``None`` if the price is not known.

    ``billed`` are the tokens that the bill should show, by the provider's last ones; ``minutes`` at
    the provider's limits, ``None`` before any were seen; ``host`` is where the texts would be sent,
    ``None`` for a model that runs here.
    """

    texts: int
    tokens: int
    billed: int = 0
    requests: int = 0
    cost: float | None = 0.0
    minutes: float | None = None
    host: str | None = None


def estimate(database: Database, embedder: Embedder, todo: Pending) -> Estimate:
    """Return what it takes to embed so many texts and tokens."""
    if not is_remote(embedder):
        return Estimate(todo.texts, todo.tokens)
    with database.reading():
        rate = facts.noted(database, rate_key(embedder))
    billed = math.ceil(todo.tokens * max(1.0, known_factor(database, embedder)))
    return Estimate(
        todo.texts,
        todo.tokens,
        billed,
        embedder.requests(todo.texts, todo.tokens),
        embedder.cost(billed),
        todo.tokens / rate / 60 if rate else None,
        _host(embedder),
    )
