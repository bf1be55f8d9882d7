"""The nearest rows of many rows at once: what kNN, duplicates and outliers stand on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

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


def neighbours(vectors: Vectors, k: int, queries: Vectors | None = None) -> Found:
    """Return the k nearest of the rows (n, d) to each query (m, d): cosines and rows, both (m, k).

    Without queries each row is one, and finds itself or an equal one first. Rows are unit vectors;
    the nearest come first. Beyond two billion pairs the rows are parted into lists (FAISS's IVF,
    with 4 sqrt(n) of them) of which a sixteenth is searched.

    Raises:
        ValueError: there are less than k rows.

    """
    if not 1 <= k <= len(vectors):
        raise ValueError(f"expected k from 1 to the {len(vectors)} rows there are, got {k}")
    asked = vectors if queries is None else queries
    index = _index(vectors, len(asked))
    similarities = np.empty((len(asked), k), np.float32)
    rows = np.empty((len(asked), k), np.int64)
    for start in range(0, len(asked), BATCH):
        part = slice(start, start + BATCH)
        similarities[part], rows[part] = index.search(np.ascontiguousarray(asked[part]), k)
    return similarities, rows


def _index(vectors: Vectors, queries: int) -> faiss.Index:
    n, dimensions = vectors.shape
    flat = faiss.IndexFlatIP(dimensions)
    index = _listed(flat, vectors) if n * queries > EXACT_PAIRS else flat
    index.add(np.ascontiguousarray(vectors))
    return index


def _listed(flat: faiss.IndexFlatIP, vectors: Vectors) -> faiss.IndexIVFFlat:
    n, dimensions = vectors.shape
    lists = int(4 * math.sqrt(n))
    index = faiss.IndexIVFFlat(flat, dimensions, lists, faiss.METRIC_INNER_PRODUCT)
    index.nprobe = max(1, int(lists * PROBED))
    index.train(np.ascontiguousarray(vectors[:: max(1, n // (TRAINED * lists))]))
    return index
