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
    named = list(range(n)) if groups is None else np.asarray(groups, object).tolist()
    if missing := sum(map(is_missing, named)):
        raise ValueError(f"{missing:,} of {n:,} texts have no group: give each one of its own")
    given = np.asarray(named)
    if given.shape != (n,) or (texts is not None and len(texts) != n):
        raise ValueError(f"expected a group and a text for each of the {n} vectors")
    _, first, member = np.unique(given, return_index=True, return_inverse=True)
    alike = components(vectors, texts or [str(row) for row in range(n)], threshold)
    one = [np.arange(n), *(np.array(rows) for rows in alike)]
    other = [first[member], *(np.full(len(rows), rows[0]) for rows in alike)]
    ends = np.concatenate(one), np.concatenate(other)
    links = coo_array((np.ones(len(ends[0]), bool), ends), shape=(n, n))
    found: Rows = connected_components(links, directed=False)[1].astype(np.int64)
    return found
