"""Diversity: how varied texts are, and a sample that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedsearch import arguments
from embedsearch.compare.checking import unit_rows
from embedsearch.vectors.neighbours import BATCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

POOL = 16_384
"""So many of the rows that are farthest from a sample are looked at before all are again."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """How varied n texts are.

    ``dissimilarity`` is 1 - the mean cosine of two different ones, 0 where all are the same;
    ``kinds`` is the effective number of different texts, 1 to min(n, d): the Vendi score
    (Friedman and Dieng 2023).
    """

    texts: int
    dissimilarity: float
    kinds: float


def diversity(vectors: Vectors) -> Diversity:
    """Measure unit rows (n, d), in time n d^2.

    Raises:
        ValueError: there are no rows, or one of them is no unit vector.

    """
    n = len(vectors)
    if not n:
        raise ValueError("there is nothing to measure: no document is embedded")
    vectors = unit_rows(vectors)
    total = float(np.square(vectors.sum(axis=0, dtype=np.float64)).sum())
    mean = (total - n) / (n * (n - 1)) if n > 1 else 1.0
    # The n x n matrix of cosines and this d x d one have the same eigenvalues above 0.
    shares = np.linalg.eigvalsh((vectors.T @ vectors).astype(np.float64) / n)
    shares = shares[shares > 0] / shares[shares > 0].sum()
    return Diversity(n, max(0.0, 1 - mean), float(np.exp(-(shares * np.log(shares)).sum())))


def diverse(vectors: Vectors, n: int) -> list[int]:
    """Return the positions of n of the unit rows that differ most from each other.

    The first is the most central one, each next one that which is farthest from all before it
    (Gonzalez 1985: no choice has a nearest pair more than twice as far apart).

    Raises:
        ValueError: there are less than n rows, or one of them is no unit vector.

    """
    n = arguments.whole(n, "n")
    if not 0 < n <= len(vectors):
        raise ValueError(f"expected a sample of 1 to {len(vectors)} documents, got {n}")
    vectors = unit_rows(vectors)
    nearest = np.full(len(vectors), -np.inf, np.float32)
    chosen = added = [int((vectors @ vectors.sum(axis=0)).argmax())]
    while len(chosen) < n:
        for start in range(0, len(vectors), BATCH):
            part = slice(start, start + BATCH)
            cosines = vectors[part] @ vectors[added].T
            np.maximum(nearest[part], cosines.max(axis=1), out=nearest[part])
        nearest[added] = np.inf
        added = _farthest(vectors, nearest, n - len(chosen))
        chosen = chosen + added
    return chosen


def _farthest(vectors: Vectors, nearest: Vectors, n: int) -> list[int]:
    """Return up to n rows, each the farthest from what is chosen and from those before it.

    ``nearest`` are the rows' cosines to the nearest one chosen (n,). They can only grow, so those
    of rows outside the pool are still at least what they were; the first one that may be farther
    than all in the pool ends it.
    """
    order = np.argpartition(nearest, min(POOL, len(nearest) - 1))
    pool, outside = np.sort(order[:POOL]), nearest[order[POOL:]].min(initial=np.inf)
    rows, near = vectors[pool], nearest[pool]
    added: list[int] = []
    while len(added) < n:
        farthest = int(near.argmin())
        if added and near[farthest] >= outside:
            break
        added.append(int(pool[farthest]))
        np.maximum(near, rows @ rows[farthest], out=near)
        near[farthest] = np.inf
    return added
