"""How near texts are to each of a few: features that let an example speak for its surroundings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.classify.checking import units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Vectors

    Floats = NDArray[np.float64]

LINEAR = 0.5
"""How much a cosine counts beside a Gaussian kernel."""

LEAST = 1e-6
"""Directions of less than this share of the largest eigenvalue are rounding: copies make them."""


def nearness(vectors: Vectors, others: Vectors) -> Floats:
    """Return exp(-distance^2) + cosine / 2 of each of ``vectors`` (n, d) to each of ``others``.

    The shape is (n, m). Both are brought to unit length. The first term alone, a Gaussian kernel,
    knows little of texts far from all examples; the second, a linear one, goes on from there. With
    a quarter or the whole of the cosine accuracy at 2 and 8 examples a label was within a point
    on seven sets, as with Gaussians 0.8 to 1.3 times as wide on six at 8.
    """
    cosines = units(vectors).astype(np.float64) @ units(others).T.astype(np.float64)
    return np.exp(2 * (cosines - 1)) + LINEAR * cosines


def whitening(others: Vectors) -> Floats:
    """Return the matrix (m, r) that makes plain features of nearness to ``others`` (m, d).

    The rows of ``nearness(others, others) @ whitening(others)`` have the kernel as their inner
    products; so a linear model of them is a kernel machine, by the way of Nystroem (Williams &
    Seeger 2001, NIPS).
    """
    sizes, directions = np.linalg.eigh(nearness(others, others))
    kept = sizes > LEAST * sizes[-1]
    return directions[:, kept] / np.sqrt(sizes[kept])  # type: ignore[no-any-return]
