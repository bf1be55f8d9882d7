"""Outliers: texts that are unlike all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch import arguments
from embedsearch.compare.checking import unit_rows
from embedsearch.vectors.neighbours import BATCH, Neighbours, neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEIGHBOURS = 100
"""The most of the nearest that are looked at: with 10, strangers that are alike hide each other."""

SHARE = 10
"""Of so many rows one is looked at, but 10 at least: most of a small collection is far from any."""

LOOKED_AT_AGAIN = 1_000
"""The oddest of very many rows, which are compared with all: some 10 s of one CPU at a million."""


def oddity(vectors: NDArray[np.float32], k: int | None = None) -> NDArray[np.float32]:
    """Return how odd each of n unit rows is: 1 - its mean cosine to its k nearest others, (n,).

    Without k that is a tenth of the rows, from 10 to 100. A row alone has an oddity of 1. (The mean
    distance to the k nearest: Angiulli and Pizzuti 2002.) Beyond 44,721 rows the nearest are those
    that ``vectors.neighbours`` finds; the 1,000 oddest are then compared with all rows.

    Raises:
        ValueError: a row is no unit vector, or k is below 1.

    """
    vectors = unit_rows(vectors)
    k = None if k is None else arguments.how_many(k)
    if len(vectors) < 2:
        return np.ones(len(vectors), np.float32)
    if k is None:
        k = min(max(10, len(vectors) // SHARE), NEIGHBOURS)
    k = min(k, len(vectors) - 1)
    ready = Neighbours.for_queries(vectors, len(vectors))
    odd = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), BATCH):
        rows = np.arange(start, min(start + BATCH, len(vectors)))
        odd[rows] = _odd(*ready.search(vectors[rows], k + 1), rows)
    if ready.probes:  # who misses some of its nearest looks odder than it is: none odder is hidden
        oddest = np.argsort(-odd, kind="stable")[:LOOKED_AT_AGAIN]
        odd[oddest] = _odd(*neighbours(vectors, k + 1, queries=vectors[oddest]), oddest)
    return odd


def _odd(
    similarities: NDArray[np.float32], found: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the oddity of each of the rows from its nearest, both (m, k + 1), -1 for missed."""
    own = found == rows[:, None]
    own[~own.any(axis=1), -1] = True  # an equal row came first; one of them stands for this one
    near = np.where(own | (found < 0), 0, similarities).sum(axis=1)
    return np.asarray(1 - near / (found.shape[1] - 1), np.float32)
