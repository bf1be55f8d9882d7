"""Outliers: texts that are unlike all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEIGHBOURS = 100
"""The most of the nearest that are looked at: with 10, strangers that are alike hide each other."""

SHARE = 10
"""Of so many rows one is looked at, but 10 at least: most of a small collection is far from any."""


def oddity(vectors: NDArray[np.float32], k: int | None = None) -> NDArray[np.float32]:
    """Return how odd each of n unit rows is: 1 - its mean cosine to its k nearest others, (n,).

    Without k that is a tenth of the rows, from 10 to 100. A row alone has an oddity of 1. (The mean
    distance to the k nearest: Angiulli and Pizzuti 2002.)
    """
    if len(vectors) < 2:
        return np.ones(len(vectors), np.float32)
    if k is None:
        k = min(max(10, len(vectors) // SHARE), NEIGHBOURS)
    similarities, found = neighbours(vectors, min(k + 1, len(vectors)))
    own = found == np.arange(len(vectors))[:, None]
    own[~own.any(axis=1), -1] = True  # an equal row came first; one of them stands for this one
    near = np.where(own | (found < 0), 0, similarities).sum(axis=1)
    return np.asarray(1 - near / np.maximum((~own & (found >= 0)).sum(axis=1), 1), np.float32)
