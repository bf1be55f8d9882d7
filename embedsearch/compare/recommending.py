"""Recommendations: more like these, less like those."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.compare.checking import both, unit_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

LESS = 0.5
"""How much what is not wanted weighs beside what is: between the 0.15 and 0.75 of the literature
(Manning et al. 2008, section 9.1.1)."""


def wanted(like: Vectors, unlike: Vectors | None = None, *, less: float = LESS) -> Vectors:
    """Return the unit vector (d,) to search for: near to ``like`` (n, d), away from ``unlike``.

    The mean of the one less the mean of the other, as Rocchio (1971) moves a query.

    Raises:
        DimensionMismatch: the two have not the same number of components.
        ValueError: ``less`` is below 0, nothing is liked, what is liked and what is not cancel out,
            or a row is no unit vector.

    """
    if not 0 <= less < np.inf:
        raise ValueError(f"expected less to be 0 or more, got {less}")
    if not len(like):
        raise ValueError("expected at least one document to be like")
    if unlike is None or not len(unlike):
        vector = unit_rows(like).mean(axis=0)
    else:
        like, unlike = both(like, unlike)
        vector = like.mean(axis=0) - less * unlike.mean(axis=0)
    length = float(np.linalg.norm(vector))
    if length < 1e-6:
        raise ValueError("what is liked and what is not are the same: nothing is left to look for")
    return np.asarray(vector / length, np.float32)
