"""Rankings: the best texts for a query, by words, by meaning, or by both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from embedsearch.search.fusion import fuse
from embedsearch.store import fulltext

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from embedsearch.search.dense import DenseIndex
    from embedsearch.store.filters import Filter

Mode: TypeAlias = Literal["hybrid", "dense", "lexical"]

DEPTH = 1_000
"""Candidates taken from each side before fusion."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is sought: words, a unit vector (d,), and a condition on the documents.

    The lexical ranking needs no vector, the dense one no words. Nothing is near to an empty vector.
    """

    text: str
    vector: NDArray[np.float32]
    condition: Filter


@dataclass(frozen=True, slots=True)
class Ranking:
    """Text ids (n,) and their scores (n,), best first."""

    texts: NDArray[np.int64]
    scores: NDArray[np.float32]


def dense(index: DenseIndex, query: Query, k: int) -> Ranking:
    """Rank by cosine."""
    if not len(query.vector):
        return Ranking(np.empty(0, np.int64), np.empty(0, np.float32))
    allowed = index.selection(query.condition) if query.condition else None
    return Ranking(*index.current().search(query.vector, k, allowed=allowed))


def lexical(index: DenseIndex, query: Query, k: int) -> Ranking:
    """Rank by BM25."""
    found = fulltext.candidates(index.database, query.text, k, query.condition)
    texts, scores = zip(*found, strict=True) if found else ((), ())
    return Ranking(np.array(texts, np.int64), np.array(scores, np.float32))


def hybrid(index: DenseIndex, query: Query, k: int) -> Ranking:
    """Rank by both, over the union of what either finds."""
    depth = max(k, DEPTH)
    by_meaning, by_words = dense(index, query, depth), lexical(index, query, depth)
    texts = np.union1d(by_meaning.texts, by_words.texts)
    held = index.current()
    known = len(query.vector)
    cosines = held.scores(query.vector, texts) if known else np.full(len(texts), np.nan, np.float32)
    matched = np.zeros(len(texts), np.float32)
    best = fulltext.best_score(index.database, query.text, index.texts)
    matched[np.searchsorted(texts, by_words.texts)] = by_words.scores / best
    fused = fuse(cosines, matched)
    order = np.lexsort((texts, -fused))[:k]
    return Ranking(texts[order], fused[order])


RANKERS: dict[Mode, Callable[[DenseIndex, Query, int], Ranking]] = {
    "hybrid": hybrid,
    "dense": dense,
    "lexical": lexical,
}
