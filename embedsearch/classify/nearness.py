"""How near texts are to each of a few: features that let an example speak for its surroundings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.classify.checking import units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Vectors

    Floats = NDArray[np.float64]

LEAST = 1e-6
"""Directions of less than this share of the largest eigenvalue are rounding: copies make them."""


def nearness(vectors: Vectors, others: Vectors) -> Floats:
    """Return exp(-distance^2) of each of ``vectors`` (n, d) to each of ``others`` (m, d), (n, m).

    Both are brought to unit length. Kernels 0.8 to 1.3 times as wide differed by about a
    point at most, on six sets at 8 examples a label.
    """
    cosines = units(vectors).astype(np.float64) @ units(others).T.astype(np.float64)
    return np.exp(2 * (cosines - 1))


def whitening(others: Vectors) -> Floats:
    """Return the matrix (m, r) that makes plain features of nearness to ``others`` (m, d).

    The rows of ``nearness(others, others) @ whitening(others)`` have the kernel as their inner
    products; so a linear model of them is a kernel machine, by the way of Nystroem (Williams &
    Seeger 2001, NIPS).
    """
    sizes, directions = np.linalg.eigh(nearness(others, others))
    kept = sizes > LEAST * sizes[-1]
    return directions[:, kept] / np.sqrt(sizes[kept])  # type: ignore[no-any-return]
