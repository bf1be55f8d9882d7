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

PROBED = 1 / 16
"""The share of the lists that is searched beyond that."""

TRAINED = 40
"""How many rows a list is trained on, FAISS's own minimum."""

BATCH = 65_536
"""How many queries are searched at a time."""


class Neighbours:
    """Rows (n, d) of unit length, kept ready to be searched for the nearest ones.

    With ``probes`` they are parted into 4 sqrt(n) lists (FAISS's IVF), of which a search looks into
    so many, else every row is compared.
    """

    def __init__(self, vectors: Vectors, *, probes: int | None = None) -> None:
        self.probes = probes
        flat = faiss.IndexFlatIP(vectors.shape[1])
        self._index: Any = flat if probes is None else _listed(flat, vectors, probes)
        self._index.add(np.ascontiguousarray(vectors))

    @property
    def vectors(self) -> Vectors:
        """The rows (n, d) in their order."""
        if isinstance(self._index, faiss.IndexIVF):
            self._index.make_direct_map()
        rows: Vectors = self._index.reconstruct_n(0, self._index.ntotal)
        return rows

    def search(self, queries: Vectors, k: int) -> Found:
        """Return the k nearest rows to each query (m, d): cosines and rows, both (m, k).

        The nearest come first; -1 where the lists that were searched hold fewer rows.

        Raises:
            ValueError: there are less than k rows.

        """
        if not 1 <= k <= self._index.ntotal:
            raise ValueError(
                f"expected k from 1 to the {self._index.ntotal} rows there are, got {k}"
            )
        similarities = np.empty((len(queries), k), np.float32)
        rows = np.empty((len(queries), k), np.int64)
        for start in range(0, len(queries), BATCH):
            part = slice(start, start + BATCH)
            found = self._index.search(np.ascontiguousarray(queries[part]), k)
            similarities[part], rows[part] = found
        return similarities, rows


def neighbours(vectors: Vectors, k: int, queries: Vectors | None = None) -> Found:
    """Return the k nearest of the rows (n, d) to each query (m, d): cosines and rows, both (m, k).

    Without queries each row is one, and finds itself or an equal one first. Rows are unit vectors;
    the nearest come first. Beyond two billion pairs the rows are parted into lists, of which a
    sixteenth is searched.

    Raises:
        ValueError: there are less than k rows.

    """
    asked = vectors if queries is None else queries
    exact = len(vectors) * len(asked) <= EXACT_PAIRS
    probes = None if exact else max(1, int(_lists(len(vectors)) * PROBED))
    return Neighbours(vectors, probes=probes).search(asked, k)


def _lists(rows: int) -> int:
    return int(4 * math.sqrt(rows))


def _listed(flat: faiss.IndexFlatIP, vectors: Vectors, probes: int) -> faiss.IndexIVFFlat:
    n, dimensions = vectors.shape
    lists = _lists(n)
    index = faiss.IndexIVFFlat(flat, dimensions, lists, faiss.METRIC_INNER_PRODUCT)
    index.nprobe = probes
    index.cp.min_points_per_centroid = 1  # below FAISS's own minimum it prints a warning
    index.train(np.ascontiguousarray(vectors[:: max(1, n // (TRAINED * lists))]))
    return index
