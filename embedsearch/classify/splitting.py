"""Folds that do not leak: what is alike is never on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from embedsearch.classify.checking import is_missing
from embedsearch.compare.duplication import THRESHOLD, components

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Rows = NDArray[np.int64]


def leakproof_groups(
    vectors: NDArray[np.float32],
    groups: ArrayLike | None = None,
    *,
    texts: Sequence[str] | None = None,
    threshold: float = THRESHOLD,
) -> Rows:
    """Return for each unit row (n, d) the number of its group, from 0, shape (n,).

    Rows of one of ``groups`` (their document, say), of equal texts, or of a cosine of ``threshold``
    are in one group, and so is what is joined through others.

    Raises:
        ValueError: the lengths differ, a group is missing, or the threshold is not above 0 and at
            most 1.

    """
    n = len(vectors)
    if not 0 < threshold <= 1:
        raise ValueError(f"expected a threshold above 0 and at most 1, got {threshold}")
    if texts is not None and len(texts) != n:
        raise ValueError(f"expected a text for each of {n} vectors, got {len(texts)}")
    _, first, member = np.unique(grouped(groups, n), return_index=True, return_inverse=True)
    alike = components(vectors, texts or [str(row) for row in range(n)], threshold)
    one = [np.arange(n), *(np.array(rows) for rows in alike)]
    other = [first[member], *(np.full(len(rows), rows[0]) for rows in alike)]
    ends = np.concatenate(one), np.concatenate(other)
    links = coo_array((np.ones(len(ends[0]), bool), ends), shape=(n, n))
    found: Rows = connected_components(links, directed=False)[1].astype(np.int64)
    return found


def grouped(groups: ArrayLike | None, count: int) -> Rows:
    """Return the number of the group of each of ``count`` texts, (n,), without groups its own.

    Raises:
        ValueError: there are not as many groups, or one is missing.

    """
    if groups is None:
        return np.arange(count)
    given = np.asarray(groups, object)
    if given.shape != (count,):
        got = len(given) if given.ndim == 1 else f"shape {given.shape}"
        raise ValueError(f"expected a group for each of {count} texts, got {got}")
    if missing := sum(map(is_missing, given)):
        raise ValueError(f"{missing:,} of {count:,} texts have no group: give each one of its own")
    numbers: Rows = np.unique(given.tolist(), return_inverse=True)[1]
    return numbers
