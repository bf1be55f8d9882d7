"""What the pipeline and the search ask of an embedder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from embedsearch.client.job import Embedded
    from embedsearch.client.stopping import Stop
    from embedsearch.errors import InputRefused
    from embedsearch.tokens.protocol import Tokenizer

    Vectors: TypeAlias = NDArray[np.float32]

Role: TypeAlias = Literal["document", "query"]


class Embedder(Protocol):
    """Turns texts into unit vectors of one space.

    Everything but ``tokenizer`` and ``embed`` must be cheap: no model is loaded to answer it.
    """

    @property
    def name(self) -> str:
        """How the user names it: what ``embedders.load(name)`` turns back into this embedder."""

    @property
    def space(self) -> str:
        """Provider, model, dimensions, prefixes and normalisation: equal means comparable."""

    @property
    def dimensions(self) -> int:
        """The length d of a vector."""

    @property
    def max_tokens(self) -> int:
        """How many tokens of one text the model reads, its own special tokens left out."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that ``max_tokens`` is counted in."""

    def embed(self, texts: Sequence[str], *, kind: Role = "document") -> Vectors:
        """Return one unit row of float32 a text, shape (n, d); (0, d) for no texts.

        Where only an answer from elsewhere would tell d, that is (0, 0).
        """


class RemoteEmbedder(Embedder, Protocol):
    """An embedder that sends texts away, many at once, and perhaps for money."""

    @property
    def host(self) -> str:
        """Where texts are sent."""

    @property
    def default_host(self) -> str | None:
        """Where texts go because nobody said where, ``None`` where somebody did."""

    @property
    def model(self) -> str:
        """The provider's name of the model."""

    @property
    def size(self) -> int | None:
        """The length of a vector, ``None`` where only an answer will tell."""

    def belongs(self, space: str, name: str) -> bool:
        """Tell whether this makes the vectors of a space that an embedder of a name made.

        Where it is not known how long they are, the name tells. Nothing is sent.
        """

    def cost(self, tokens: int) -> float | None:
        """Return the price of embedding so many tokens in US dollars, ``None`` if not known."""

    def requests(self, texts: int, tokens: int) -> int:
        """Return how many requests so many texts and tokens take."""

    @property
    def rate(self) -> float | None:
        """The tokens a second that the provider takes, ``None`` where that is not known yet."""

    def embed_stream(
        self,
        texts: Iterable[str],
        *,
        label: Callable[[int], str],
        on_refused: Callable[[InputRefused], None],
        stop: Stop,
    ) -> Iterator[Embedded]:
        """Embed many texts, and yield positions, unit rows (n, d) and tokens as they come back.

        ``label`` names the text at a position; ``on_refused`` is told of one that can't be
        embedded, and the rest goes on. Without positions are answers of no use, and their tokens.
        Once ``stop`` is set nothing new is sent, and what is in flight is still yielded.
        """

    def close(self) -> None:
        """Close the connections that this embedder opened itself."""


def is_remote(embedder: Embedder) -> TypeGuard[RemoteEmbedder]:
    """Tell whether an embedder sends texts away; nothing of it is asked, as that may need a key."""
    return hasattr(type(embedder), "embed_stream")
