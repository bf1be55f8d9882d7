"""Embedding by an API that is compatible with OpenAI's, through the shared client."""

from __future__ import annotations

import os
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Self, Unpack
from urllib.parse import parse_qsl, urlencode, urlsplit

from embedsearch.client import Client
from embedsearch.client.batches import MOST_TOKENS
from embedsearch.client.job import MOST_INPUTS
from embedsearch.client.settings import OPENAI
from embedsearch.errors import DimensionMismatch
from embedsearch.tokens import encoding, known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from embedsearch.client.job import Embedded
    from embedsearch.client.settings import Options
    from embedsearch.client.stopping import Stop
    from embedsearch.embedders.protocol import Role, Vectors
    from embedsearch.errors import InputRefused
    from embedsearch.tokens import Model, TiktokenTokenizer

PROVIDER = "openai/"
"""What the names of these embedders begin with."""

FACTS = {"dimensions", "size"}
"""What such a name may tell of the vectors: how long they shall be, and how long they are."""

SIZES = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
"""Dimensions, by https://developers.openai.com/api/docs/models."""

ENCODING = "cl100k_base"
MAX_TOKENS = 510
"""Of a model that is not in the table of models: what the smaller open ones read, which count
about as many word pieces as this encoding has tokens."""

_MAKING = Lock()
"""Held while a client is made: the threads that share an embedder share its limits, too."""


class APIEmbedder:
    """A model behind ``/embeddings``; nothing is sent before the first text is embedded.

    ``dimensions`` asks the model for shorter vectors. ``size`` is how long they are known to be;
    where it is not, the first answer tells. Without a client, one is made of
    ``options`` and the environment when it is needed: an index remembers neither, so that a folder
    that came from somebody else can't send your key to a stranger.
    """

    def __init__(
        self,
        model: str,
        *,
        dimensions: int | None = None,
        size: int | None = None,
        client: Client | None = None,
        **options: Unpack[Options],
    ) -> None:
        self.model = model
        self._asked = dimensions
        self._size = size
        self._options = options
        self._client = client
        self._own: Client | None = None

    @classmethod
    def named(cls, name: str, *, dimensions: int | None = None, **options: Unpack[Options]) -> Self:
        """Make the embedder whose ``name`` this is, ``openai/MODEL`` at its shortest."""
        model, _, query = name.removeprefix(PROVIDER).partition("?")
        said = dict(parse_qsl(query, keep_blank_values=True))
        if not model or said.keys() - FACTS or not all(map(str.isdecimal, said.values())):
            raise ValueError(f"expected openai/MODEL or openai/MODEL?dimensions=512, got {name!r}")
        facts = {key: int(value) for key, value in said.items()}
        asked = dimensions or facts.get("dimensions")
        size = facts.get("size") if asked == facts.get("dimensions") else None
        return cls(model, dimensions=asked, size=size, **options)

    def __repr__(self) -> str:
        return f"<APIEmbedder {self.name}>"

    def __sklearn_clone__(self) -> Self:
        """Let the copies that scikit-learn makes of an estimator share it."""
        return self

    @property
    def name(self) -> str:
        """``openai/MODEL?size=1536``: all that is needed to make it again but where it is."""
        facts = {"dimensions": self._asked, "size": self.size}
        query = urlencode({fact: value for fact, value in facts.items() if value})
        return f"{PROVIDER}{self.model}" + (f"?{query}" if query else "")

    @property
    def space(self) -> str:
        """Provider, model, dimensions, normalisation: equal means comparable."""
        return f"{PROVIDER}{self.model}/{self.size or '?'}/unit"

    @property
    def size(self) -> int | None:
        """The length of a vector, as far as it is known."""
        return self._size or self._asked or SIZES.get(self.model)

    @property
    def dimensions(self) -> int:
        """The length d of a vector; where it is not known, one word is sent to find out."""
        return self.size or self._units(self._create(["dimensions"])).shape[1]

    def belongs(self, space: str, name: str) -> bool:
        """Tell whether this makes the vectors of a space that an embedder of a name made.

        Where it is not known how long they are, the name tells. Nothing is sent.
        """
        if name.startswith(PROVIDER):
            other = self.named(name)
            if (other.model, other._asked) == (self.model, self._asked):  # noqa: SLF001 -- one of us
                self._size = self.size or other.size
                return other.size in {None, self.size}
        return space == self.space

    @property
    def max_tokens(self) -> int:
        """How many tokens of one text the model reads."""
        return (self._known and self._known.context) or MAX_TOKENS

    @cached_property
    def tokenizer(self) -> TiktokenTokenizer:
        """The model's encoding."""
        return encoding(self._known.encoding if self._known else ENCODING)

    @property
    def default_host(self) -> str | None:
        """Where texts go because nobody said where, ``None`` where somebody did."""
        said = self._options.get("base_url") or os.environ.get("OPENAI_BASE_URL")
        return None if said or self._client is not self._own else urlsplit(OPENAI).netloc

    @property
    def host(self) -> str:
        """Where texts are sent."""
        return self.client.driver.settings.host

    @property
    def client(self) -> Client:
        """The client; raises AuthenticationFailed where it has no key and needs one."""
        with _MAKING:
            if self._client is None:
                self._client = self._own = Client(**self._options)
            return self._client

    def close(self) -> None:
        """Close the connections of a client that was made here; another is made when needed."""
        if self._own is not None:
            self._own.close()
            self._client = self._own = None

    def requests(self, texts: int, tokens: int) -> int:
        """Return how many requests so many texts and tokens take, where the server has no cap."""
        return max(-(-texts // MOST_INPUTS), -(-tokens // MOST_TOKENS))

    @property
    def rate(self) -> float | None:
        """The tokens a second that the provider takes, ``None`` where that is not known yet."""
        driver = self.client.driver
        return driver.limiter.rate(driver.settings.lane(self.model))

    def cost(self, tokens: int) -> float | None:
        """Return the price of embedding so many tokens in US dollars, ``None`` if not known."""
        return self._known.cost(tokens) if self._known else None

    def embed(self, texts: Sequence[str], *, kind: Role = "document") -> Vectors:
        """Return one unit row of float32 a text, shape (n, d), in the order of the texts.

        For no texts nothing is sent: the shape is (0, d), (0, 0) while d is not known.
        Raises what ``client.embeddings.create_array`` does.
        """
        del kind  # one model for both
        import numpy as np

        if not texts:
            return np.empty((0, self.size or 0), np.float32)
        return self._units(self._create(texts))

    def embed_stream(
        self,
        texts: Iterable[str],
        *,
        label: Callable[[int], str],
        on_refused: Callable[[InputRefused], None],
        stop: Stop,
    ) -> Iterator[Embedded]:
        """Embed many texts, and yield positions, unit rows (n, d) and tokens as requests finish.

        Once ``stop`` is set nothing new is sent, and what is in flight is still yielded. It is set
        here for vectors of another length than is known, whose tokens are yielded without them;
        DimensionMismatch is raised in the end.
        """
        mismatch = None
        found = self.client.embeddings.create_many(
            texts,
            model=self.model,
            dimensions=self._asked,
            count=self.tokenizer.count,
            label=label,
            on_refused=on_refused,
            stop=stop,
        )
        for came in found:
            try:
                units = self._units(came.vectors) if came.positions else came.vectors
            except DimensionMismatch as error:  # It is billed, and so is what is in flight.
                mismatch = error
                stop.set()
                yield came._replace(positions=[], vectors=came.vectors[:0])
            else:
                yield came._replace(vectors=units)
        if mismatch:
            raise mismatch

    @cached_property
    def _known(self) -> Model | None:
        return known(self.model)

    def _create(self, texts: Sequence[str]) -> Vectors:
        make = self.client.embeddings.create_array
        return make(texts, model=self.model, dimensions=self._asked)

    def _units(self, rows: Vectors) -> Vectors:
        import numpy as np

        self._size = self.size or rows.shape[1]
        if rows.shape[1] != self._size:
            raise DimensionMismatch(
                f"expected vectors of {self._size} dimensions, {self.model} gave {rows.shape[1]}",
                hint="the server runs another model now: make a new index for it",
            )
        units: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return units
