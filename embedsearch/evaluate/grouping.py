"""Groups of texts that must not be parted: one would tell the others' labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.inputs import Vectors

THRESHOLD = 0.95
"""From this cosine on two texts say the same."""

NEAREST = 16
"""How many near ones of a text are looked at."""


def leakproof_groups(
    vectors: Vectors, groups: ArrayLike | None = None, *, threshold: float = THRESHOLD
) -> NDArray[np.int64]:
    """Return a number for each of the unit rows (n, d): equal ones must share a fold.

    They do where ``groups`` (n,), as the documents that chunks are from, are the same, or a cosine
    is ``threshold`` or more; and what is together with one of two is together with the other.
    """
    n = len(vectors)
    similarities, found = neighbours(vectors, min(NEAREST, n))
    near = (similarities >= threshold) & (found >= 0)
    one, other = [np.nonzero(near)[0]], [found[near]]
    if groups is not None:
        _, first, of = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
        one.append(np.arange(n))
        other.append(first[of])
    ends = np.concatenate(one), np.concatenate(other)
    links = coo_array((np.ones(len(ends[0]), bool), ends), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)
