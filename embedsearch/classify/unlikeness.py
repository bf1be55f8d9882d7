"""How near examples are to each other, which tells what is unlike all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.classify.folds import copies
from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from embedsearch.classify.inputs import Vectors


def least_similarity(
    rows: Vectors, share: float, *, fewest: int = 3, sample: int | None = None
) -> float:
    """Return the cosine to their nearest other row that all but a share of unit rows (n, d) exceed.

    Copies count once: they say nothing of how far a new text may be. With less than ``fewest``
    different rows it is -1, and so below all. Of more than ``sample`` so many are drawn, the same
    each time.
    """
    rows = rows[np.unique(copies(rows), return_index=True)[1]]
    if len(rows) < fewest:
        return -1.0
    asked = np.random.default_rng(0).permutation(len(rows))[:sample]
    similarities, found = neighbours(rows, 2, queries=rows[asked])
    own_first = found[:, 0] == asked
    others = np.where(own_first, similarities[:, 1], similarities[:, 0])
    return float(np.quantile(others, share))
