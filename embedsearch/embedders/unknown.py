"""Texts that a model can't read, as it knows no signs of their script: to it all are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Encoding

    from embedsearch.embedders.protocol import Embedder

MOST_UNKNOWN = 0.5
"""The share of a text's characters that may be unknown to the model that reads it still."""

LOOKED_AT = 2_000
"""How many characters of a text are looked at."""


def unread(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.bool_]:
    """Return which texts are mostly of characters that the embedder's model does not know, (n,).

    Where its tokenizer does not tell (``tokens.protocol``), as those of APIs that know all bytes,
    none is.
    """
    import numpy as np

    told = np.zeros(len(texts), np.bool_)
    odd = [place for place, text in enumerate(texts) if not text.isascii()]
    unknown = getattr(embedder.tokenizer, "unknown", None) if odd else None
    if unknown:
        told[odd] = np.array(unknown([texts[place][:LOOKED_AT] for place in odd])) > MOST_UNKNOWN
    return told


def share(encoding: Encoding, unknown: int | None, text: str) -> float:
    """Return the share of a text's characters, without blanks, that are in unknown tokens."""
    pairs = zip(encoding.ids, encoding.offsets, strict=True)
    lost = sum(end - start for id_, (start, end) in pairs if id_ == unknown)
    return min(lost / max(sum(map(len, text.split())), 1), 1.0)
