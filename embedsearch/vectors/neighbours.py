"""The nearest rows of many rows at once: what kNN, duplicates and outliers stand on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Found = tuple[NDArray[np.float32], NDArray[np.int64]]

EXACT_PAIRS = 2_000_000_000
"""Up to so many pairs of rows are all compared: some 20 s of one CPU at 384 dimensions."""

LISTS = 2_000
"""There are 4 sqrt(n) lists, at most so many: a million rows are put into them in 30 s."""

PROBES = 6
"""How many of the lists are searched."""

TRAINED = 40
"""How many rows a list is trained on, FAISS's own minimum."""

ROUNDS = 6
"""Rounds of k-means for the lists: after FAISS's own 10 as many of the nearest are found."""

BATCH = 65_536
"""How many queries are searched at a time."""


class Neighbours:
    """Rows (n, d) of unit length, kept ready to be searched for the nearest ones.

    Without ``probes`` every row is compared. With them the rows are parted into lists (FAISS's IVF,
    two bytes a component), of which a search looks into so many; cosines are then right to about
    0.0001. ``vectors`` are kept as they are, not copied.
    """

    def __init__(self, vectors: Vectors, *, probes: int | None = None) -> None:
        self.vectors: Vectors = np.ascontiguousarray(vectors, np.float32)
        self.probes = probes
        self._lists: Any = None if probes is None else _listed(self.vectors, probes)

    @classmethod
    def for_queries(cls, vectors: Vectors, count: int) -> Neighbours:
        """Return the rows ready for so many queries: exact up to two billion pairs."""
        return cls(vectors, probes=None if len(vectors) * count <= EXACT_PAIRS else PROBES)

    def search(self, queries: Vectors, k: int) -> Found:
        """Return the k nearest rows to each query (m, d): cosines and rows, both (m, k).

        The nearest come first; -1 where the lists that were searched hold fewer rows.

        Raises:
            ValueError: there are less than k rows.

        """
        if not 1 <= k <= len(self.vectors):
            raise ValueError(
                f"expected k from 1 to the {len(self.vectors)} rows there are, got {k}"
            )
        similarities = np.empty((len(queries), k), np.float32)
        rows = np.empty((len(queries), k), np.int64)
        for start in range(0, len(queries), BATCH):
            part = slice(start, start + BATCH)
            asked = np.ascontiguousarray(queries[part], np.float32)
            similarities[part], rows[part] = self._found(asked, k)
        return similarities, rows

    def _found(self, queries: Vectors, k: int) -> Found:
        if self._lists is None:
            return faiss.knn(queries, self.vectors, k, metric=faiss.METRIC_INNER_PRODUCT)
        scores, lists = self._lists.quantizer.search(queries, self._lists.nprobe)
        order = np.argsort(lists[:, 0], kind="stable")  # so that lists are still in the CPU's cache
        back = np.argsort(order)
        found = self._lists.search_preassigned(queries[order], k, lists[order], scores[order])
        return found[0][back], found[1][back]


def neighbours(vectors: Vectors, k: int, queries: Vectors | None = None) -> Found:
    """Return the k nearest of the rows (n, d) to each query (m, d): cosines and rows, both (m, k).

    Without queries each row is one, and finds itself or an equal one first. Rows are unit vectors;
    the nearest come first. Beyond two billion pairs the rows are parted into lists, of which
    six are searched.

    Raises:
        ValueError: there are less than k rows.

    """
    asked = vectors if queries is None else queries
    return Neighbours.for_queries(vectors, len(asked)).search(asked, k)


def _listed(vectors: Vectors, probes: int) -> Any:
    n, dimensions = vectors.shape
    lists = min(int(4 * math.sqrt(n)), n, LISTS)
    index: Any = faiss.index_factory(dimensions, f"IVF{lists},SQfp16", faiss.METRIC_INNER_PRODUCT)
    index.nprobe = min(probes, lists)
    index.cp.niter = ROUNDS
    index.cp.min_points_per_centroid = 1  # below FAISS's own minimum it prints a warning
    index.train(vectors[:: max(1, n // (TRAINED * lists))])
    for start in range(0, n, BATCH):  # FAISS encodes all that it is given before it adds it
        index.add(vectors[start : start + BATCH])
    return index
