"""Centres of groups of rows: FAISS's k-means on the sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

ROUNDS = 15
"""After so many rounds the centres hardly move."""

STARTS = 3
"""The best of so many runs counts: one alone may end with two centres in a group."""

ROWS_A_CENTRE = 256
"""So many rows a centre are looked at, drawn at random: FAISS's own choice."""


def kmeans(vectors: Vectors, k: int, *, seed: int = 0) -> Vectors:
    """Return k unit centres (k, d) of unit rows (n, d), n >= k; the same for the same seed."""
    found = faiss.Kmeans(
        vectors.shape[1],
        k,
        niter=ROUNDS,
        nredo=STARTS,
        spherical=True,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=ROWS_A_CENTRE,
    )
    found.train(np.ascontiguousarray(vectors))
    return np.asarray(found.centroids, np.float32)
