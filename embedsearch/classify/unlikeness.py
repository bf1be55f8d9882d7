"""How near examples are to each other, which tells what is unlike all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.classify.folds import copies
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from embedsearch.classify.inputs import Vectors
    from embedsearch.classify.splitting import Alike

SEEN = 64
"""So many of the nearest rows are looked at for one that is no near duplicate."""


def least_similarity(
    rows: Vectors,
    share: float,
    *,
    same: Alike | None = None,
    fewest: int = 3,
    sample: int | None = None,
) -> float:
    """Return the cosine to their nearest other row that all but a share of unit rows (n, d) exceed.

    Other rows are those that are not alike as ``same`` says of them, without it those that are no
    near duplicates (a cosine of .95): versions of a text say nothing of how far a new one may be.
    With less than
    ``fewest`` different rows it is -1, and so below all. Of more than ``sample`` so many are drawn,
    the same each time.
    """
    firsts = np.unique(copies(rows), return_index=True)[1]
    if len(firsts) < fewest:
        return -1.0
    rows = rows[firsts]
    asked = np.random.default_rng(0).permutation(len(rows))[:sample]
    similarities, found = neighbours(rows, min(SEEN, len(rows)), queries=rows[asked])
    if same is None:
        others = (found != asked[:, None]) & (similarities < THRESHOLD)
    else:
        own = same.part(firsts)
        others = own.groups[found] != own.groups[asked, None]
        others &= own.near[found] != own.near[asked, None]
    nearest = np.where(others & (found >= 0), similarities, -1).max(axis=1)
    nearest = np.where(others.any(axis=1), nearest, similarities[:, -1])
    return float(np.quantile(nearest, share))
