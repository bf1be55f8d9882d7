"""Diversity: results that are good answers, and not all the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.search.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from embedsearch.search.dense import DenseIndex

    Floats = NDArray[np.float32]

LEAST, EACH = 50, 5
"""How many of the best are chosen from: so many, or so many for each result wanted."""

MOST = 2_000
"""How many at most, which takes half a second; what is ranked below follows as it is."""


def diverse(index: DenseIndex, rank: Callable[[int], Ranking], diversity: float, k: int) -> Ranking:
    """Choose among the best by maximal marginal relevance (Carbonell & Goldstein, 1998, SIGIR).

    Next comes the text with the highest (1 - diversity) * score - diversity * the cosine to the
    nearest text chosen before it. One that is not embedded yet counts as like no other.
    """
    best = rank(max(LEAST, EACH * k))
    vectors = index.current().vectors(best.texts[:MOST])
    chosen = _chosen(vectors, (1 - diversity) * best.scores[:MOST], diversity, k)
    rest = np.delete(np.arange(len(best.texts)), chosen)
    order = np.concatenate([chosen, rest])[:k]
    return Ranking(best.texts[order], best.scores[order])


def _chosen(vectors: Floats, value: Floats, diversity: float, k: int) -> NDArray[np.int64]:
    """Return up to k positions among (n,) values of (n, d) unit vectors, in order of choice."""
    chosen = np.empty(min(k, len(value)), np.int64)
    nearest = np.zeros(len(value), np.float32)
    for place in range(len(chosen)):
        chosen[place] = taken = np.argmax(value - diversity * nearest)
        nearest = np.maximum(nearest, np.vecdot(vectors, vectors[taken]))
        value[taken] = -np.inf
    return chosen
