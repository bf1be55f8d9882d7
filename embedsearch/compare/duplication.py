"""Duplicates: texts that are the same, or nearly so, and which of them to keep."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

THRESHOLD = 0.95
"""From this cosine on two texts say the same for the packaged model; paraphrases are at 0.8."""

NEAREST = 16
"""How many near ones of a text are looked at first; four times as many while all are near."""

MOST = 1_024
"""How many near ones of a text are looked at in the end: memory grows with it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Texts of which one is enough: ``keep`` is its position, ``others`` are the rest's.

    ``similarities`` are the cosines of the others to the one to keep, 1 for copies; ``exact`` says
    that all are copies.
    """

    keep: int
    others: tuple[int, ...]
    similarities: tuple[float, ...]
    exact: bool


def duplicates(
    vectors: Vectors, texts: Sequence[str], *, threshold: float = THRESHOLD
) -> list[Group]:
    """Return groups of unit rows (n, d): one to keep, and those that it makes superfluous.

    These have its text, or a cosine of at least ``threshold`` to it: what is only near to something
    near is not given up. The longest text is kept, of equally long ones the first, as it is
    the least likely to lack something; then the longest of what is left. Blank texts are no
    duplicates.

    Raises:
        ValueError: the threshold is not above 0 and at most 1, or the lengths differ.

    """
    if not 0 < threshold <= 1:
        raise ValueError(f"expected a threshold above 0 and at most 1, got {threshold}")
    if len(vectors) != len(texts):
        raise ValueError(f"expected a text for each vector, got {len(texts)} for {len(vectors)}")
    alike = _alike(vectors, texts)
    found = [
        _group(alike, kept, near, texts)
        for kept, near in _superfluous(_firsts(vectors, alike), threshold)
    ]
    return sorted((group for group in found if group.others), key=lambda group: group.keep)


def components(vectors: Vectors, texts: Sequence[str], threshold: float) -> list[list[int]]:
    """Return the groups of two rows or more that are joined by equal texts or near vectors.

    What is near to something near is in the same group. Blank texts are in none.
    """
    alike = _alike(vectors, texts)
    links = _links(_firsts(vectors, alike), threshold)
    joined = defaultdict[int, list[int]](list)
    for rows, component in zip(alike, connected_components(links)[1], strict=True):
        joined[int(component)] += rows
    return sorted(sorted(rows) for rows in joined.values() if len(rows) > 1)


def _alike(vectors: Vectors, texts: Sequence[str]) -> list[list[int]]:
    """Return the rows of texts that are not blank, those of one text or one vector together.

    The longest texts come first, within a group too; of equally long ones the first.
    """
    copies = defaultdict[str, list[int]](list)
    for row, text in enumerate(texts):
        if text.strip():
            copies[text].append(row)
    same = defaultdict[bytes, list[int]](list)
    for rows in sorted(copies.values(), key=lambda rows: (-len(texts[rows[0]]), rows[0])):
        same[sha256(vectors[rows[0]].tobytes()).digest()] += rows
    return list(same.values())


def _firsts(vectors: Vectors, alike: list[list[int]]) -> Vectors:
    return vectors[np.array([rows[0] for rows in alike], np.int64)]


def _group(
    alike: list[list[int]], kept: int, near: dict[int, float], texts: Sequence[str]
) -> Group:
    keep, *same = alike[kept]
    others = dict.fromkeys(same, 1.0)
    for other, cosine in near.items():
        others |= dict.fromkeys(alike[other], cosine)
    rows = sorted(others)
    exact = all(texts[row] == texts[keep] for row in rows)
    return Group(keep, tuple(rows), tuple(others[row] for row in rows), exact)


def _superfluous(vectors: Vectors, threshold: float) -> list[tuple[int, dict[int, float]]]:
    """Return the rows to keep, each with those that it covers, and their cosines.

    A row is kept unless one before it that is kept is near: every row left out has a kept one
    within the threshold, and no two kept ones are that near.
    """
    links = _links(vectors, threshold)
    linked = np.diff(links.indptr) > 0
    covered = np.zeros(len(vectors), bool)
    kept: list[tuple[int, dict[int, float]]] = [(int(row), {}) for row in np.flatnonzero(~linked)]
    for row in np.flatnonzero(linked):
        if not covered[row]:
            covered[row] = True
            near = links.indices[links.indptr[row] : links.indptr[row + 1]]
            near = near[~covered[near]]
            covered[near] = True
            cosines = np.minimum(vectors[near] @ vectors[row], 1).tolist()
            kept.append((int(row), dict(zip(near.tolist(), cosines, strict=True))))
    return kept


def _links(vectors: Vectors, threshold: float) -> csr_array:
    """Return which rows have a cosine of at least ``threshold``, (n, n), none with itself.

    A row that has only near ones among its nearest is asked again for more.
    """
    ends = [np.empty((2, 0), np.int64)]
    rows = np.arange(len(vectors))
    k = min(NEAREST, len(vectors))
    while len(rows):
        similarities, found = neighbours(vectors, k, vectors[rows])
        near = (similarities >= threshold) & (found >= 0) & (found != rows[:, None])
        more = (similarities[:, -1] >= threshold) & (k < min(MOST, len(vectors)))
        done, place = np.nonzero(near & ~more[:, None])
        ends.append(np.stack([rows[done], found[done, place]]))
        rows = rows[more]
        k = min(4 * k, MOST, len(vectors))
    one, other = np.concatenate(ends, axis=1)
    n = len(vectors)
    links = csr_array((np.ones(len(one), bool), (one, other)), shape=(n, n))
    return csr_array(links + links.T)
