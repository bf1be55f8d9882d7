"""Folds that do not leak: what is alike is never on both sides."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from embedsearch.classify.checking import is_missing
from embedsearch.compare.duplication import THRESHOLD, components

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.folds import Split

    Rows = NDArray[np.int64]

COPY = 0.999
"""From this cosine on texts are the same, as FAISS's lists of two bytes a component round it."""

FEW = 10
"""Examples of which nothing is concluded about their space."""


def leakproof_groups(
    vectors: NDArray[np.float32],
    groups: ArrayLike | None = None,
    *,
    texts: Sequence[str] | NDArray[Any] | None = None,
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
    words = list(map(str, range(n)) if texts is None else texts)
    alike = components(vectors, words, threshold)
    one = [np.arange(n), *(np.array(rows) for rows in alike)]
    other = [first[member], *(np.full(len(rows), rows[0]) for rows in alike)]
    ends = np.concatenate(one), np.concatenate(other)
    links = coo_array((np.ones(len(ends[0]), bool), ends), shape=(n, n))
    found: Rows = connected_components(links, directed=False)[1].astype(np.int64)
    return found


@dataclass(frozen=True, slots=True)
class Alike:
    """What must not be on both sides of a split, as numbers from 0, both (n,).

    A text is held out with all of its group in ``groups``. What is one of ``near`` with it, in
    another group, is only kept from what is learned: groups that near duplicates join would grow
    into one, as soon as a few are of two groups each.
    """

    groups: Rows
    near: Rows

    @property
    def across(self) -> NDArray[np.bool_]:
        """Which texts, (n,), have a near duplicate in another group."""
        pairs = np.unique(np.stack([self.near, self.groups]), axis=1)
        found: NDArray[np.bool_] = (np.bincount(pairs[0]) > 1)[self.near]
        return found

    def part(self, rows: NDArray[Any]) -> Alike:
        """Return what is alike of some rows, numbered anew."""
        own = (np.unique(one[rows], return_inverse=True)[1] for one in (self.groups, self.near))
        return Alike(*own)

    def apart(self, splits: Iterable[Split]) -> list[Split]:
        """Return splits whose rows to learn from have no near duplicate that is held out."""
        return [
            (train[~np.isin(self.near[train], self.near[held])], held) for train, held in splits
        ]


def alike(
    vectors: NDArray[np.float32],
    groups: ArrayLike | None = None,
    *,
    texts: Sequence[str] | None = None,
    threshold: float = THRESHOLD,
) -> Alike:
    """Return what unit rows (n, d) are alike; without ``groups`` near duplicates are these.

    Raises ValueError as ``leakproof_groups`` does.
    """
    near = leakproof_groups(vectors, texts=texts, threshold=threshold)
    return Alike(near if groups is None else grouped(groups, len(vectors)), near)


def alike_as_evidence(vectors: NDArray[np.float32], groups: ArrayLike | None = None) -> Alike:
    """Return the same for examples, by which they are counted as evidence.

    Where most would be near duplicates their space is too narrow to tell these, as it is of few
    components; then copies alone are alike, which a warning says where no groups tell it.
    """
    found = alike(vectors, groups)
    if not is_most(int(np.bincount(found.near).max()), len(vectors)):
        return found
    copies = alike(vectors, groups, threshold=COPY)
    if is_most(int(np.bincount(copies.near).max()), len(vectors)):
        return found  # it is not the space
    if groups is None:
        warn_of_narrow_space(stacklevel=3)
    return copies


def is_most(part: int, count: int) -> bool:
    """Tell whether so many of some examples are most of them, be they more than a few."""
    return part > max(FEW, count / 2)


def warn_of_narrow_space(*, stacklevel: int) -> None:
    """Say that near duplicates are not looked for."""
    warnings.warn(
        f"most examples are within a cosine of {THRESHOLD} of each other, so that near duplicates"
        " can't be told from others: if there are versions of the same text, give groups, else"
        " probabilities are too sure",
        stacklevel=stacklevel + 1,
    )


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
    if missing := [place for place, group in enumerate(given) if is_missing(group)]:
        raise ValueError(
            f"expected a group for each text, got {given[missing[0]]} at position {missing[0]}:"
            " give what stands alone a group of its own"
        )
    numbers: Rows = np.unique(given.tolist(), return_inverse=True)[1]
    return numbers
