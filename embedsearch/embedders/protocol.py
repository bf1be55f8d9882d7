"""What the pipeline and the search ask of an embedder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

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
        """Return one unit row of float32 a text, shape (n, d); (0, d) for no texts."""
