"""An embedder for tests: instant, offline, deterministic, and it knows no meaning."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.embedders.protocol import Role, Vectors

WORD = re.compile(r"\w+|[^\w\s]")


class WordTokenizer:
    """Counts words and single punctuation marks; white space is no token."""

    name = "words"

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of words and punctuation marks of each text."""
        return [len(WORD.findall(text)) for text in texts]

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Return where each token ends; what follows the last one belongs to it."""
        return [_ends(text) for text in texts]


def _ends(text: str) -> NDArray[np.int64]:
    ends = [match.end() for match in WORD.finditer(text)]
    if text:
        ends[-1:] = [len(text)]
    return np.array(ends, dtype=np.int64)


class HashEmbedder:
    """An ``Embedder`` whose vectors are bags of hashed words.

    Texts of the same words, in any order and case, have the same vector; the more words two
    texts share, the higher their similarity; texts that share none have one near 0, give or take
    ``dimensions ** -0.5``. A text without words has a vector too.

    >>> rows = HashEmbedder().embed(["a red fox", "A fox, red", "no such animal"])
    >>> bool(rows[0] @ rows[1] > rows[0] @ rows[2])
    True
    """

    tokenizer = WordTokenizer()

    def __init__(self, dimensions: int = 64, *, max_tokens: int = 256) -> None:
        self.dimensions = dimensions
        self.max_tokens = max_tokens

    def __repr__(self) -> str:
        return f"HashEmbedder({self.dimensions}, max_tokens={self.max_tokens})"

    def __sklearn_clone__(self) -> Self:
        """Let the copies that scikit-learn makes of an estimator share it."""
        return self

    @property
    def name(self) -> str:
        """``hash``; ``embedders.load`` doesn't know it, hand the object over."""
        return "hash"

    @property
    def space(self) -> str:
        """The same for all that have as many dimensions."""
        return f"hash/{self.dimensions}"

    def embed(self, texts: Sequence[str], *, kind: Role = "document") -> Vectors:
        """Return one unit row of float32 a text, shape (n, d), alike for both kinds."""
        del kind
        rows = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[:] = self._vector(text)
        return rows

    def _vector(self, text: str) -> Vectors:
        words = re.findall(r"\w+", text.lower())
        total = np.zeros(self.dimensions, dtype=np.float32)
        for word in words:
            total += _signs(word, self.dimensions)
        # Words may cancel each other out, and there may be none.
        total += _signs("", self.dimensions) / 1000
        unit: Vectors = total / np.linalg.norm(total)
        return unit


@lru_cache(maxsize=10_000)
def _signs(word: str, dimensions: int) -> Vectors:
    """Return -1 or 1 for each dimension, by the bits of the word's hash."""
    key = word.encode("utf-8", "surrogatepass")
    digest = hashlib.shake_128(key).digest(dimensions // 8 + 1)
    bits = np.unpackbits(np.frombuffer(digest, dtype=np.uint8))[:dimensions]
    return bits.astype(np.float32) * 2 - 1
