"""What is checked before vectors are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.errors import DimensionMismatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

NEAR_ONE = 0.01
"""So far from 1 a squared length may be: vectors of two bytes a component are not exact."""

LIKELY = 0.05
"""The usual bound on a p-value."""


def unit_rows(vectors: Vectors) -> Vectors:
    """Return unit rows (n, d) as float32, not copied where they are so.

    Raises:
        ValueError: they are no rows, or one of them is not of unit length, as NaN is not.

    """
    rows = np.ascontiguousarray(vectors, np.float32)
    if rows.ndim != 2:
        raise ValueError(f"expected vectors of shape (n, d), got {rows.shape}")
    squared = np.vecdot(rows, rows)
    bad = np.flatnonzero(~(np.abs(squared - 1) < NEAR_ONE))
    if len(bad):
        raise ValueError(
            f"expected unit vectors, got one of length {np.sqrt(squared[bad[0]]):.3g} at position"
            f" {bad[0]}: divide each by its length, and leave out zeros and NaN"
        )
    return rows


def both(a: Vectors, b: Vectors) -> tuple[Vectors, Vectors]:
    """Return unit rows (n, d) and (m, d); raises as ``unit_rows`` does.

    Raises:
        DimensionMismatch: they have not the same number of components.

    """
    a, b = unit_rows(a), unit_rows(b)
    if a.shape[1] != b.shape[1]:
        raise DimensionMismatch(
            f"expected vectors of one space, got {a.shape[1]} and {b.shape[1]} components"
        )
    return a, b
