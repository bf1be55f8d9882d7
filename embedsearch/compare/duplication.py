"""Duplicates: texts that are the same, or nearly so, and which of them to keep."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from embedsearch import arguments
from embedsearch.compare.checking import unit_rows
from embedsearch.vectors.neighbours import BATCH, EXACT_PAIRS, Neighbours

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Vectors = NDArray[np.float32]
    Rows = NDArray[np.int64]
    Places = NDArray[np.int32]

PLACES = np.int32
"""Pairs of places are the largest thing here after the vectors: 16 million of a million texts."""

THRESHOLD = 0.95
"""From this cosine on two texts say the same for the packaged model; paraphrases are at 0.8."""

NEAREST = 16
"""How many near ones of a text are looked at first; four times as many while all are near."""

MOST = 1_024
"""How many near ones of a text are looked at in the end."""

COMPARED = 512
"""So many rows are compared with all others at a time: 20 MB of cosines to 10,000."""

LOOKED_AT = 2**25
"""How many near ones of all texts together are looked at at once: 1,024 each of 32,768 texts."""


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
    vectors: Vectors,
    texts: Sequence[str],
    *,
    threshold: float = THRESHOLD,
    unread: ArrayLike | None = None,
) -> list[Group]:
    """Return groups of unit rows (n, d): one to keep, and those that it makes superfluous.

    These have its text, or a cosine of at least ``threshold`` to it: what is only near to something
    near is not given up. The longest text is kept, of equally long ones the first, as it is
    the least likely to lack something; then the longest of what is left. Blank texts are no
    duplicates. One that is ``unread`` (n,), as ``embedders.unread`` tells, is like any other such
    to the model, so it is a duplicate of equal ones alone. Beyond 44,721 texts some near ones may
    be missed (``vectors.neighbours``), and those of a text that has very many.

    Raises:
        ValueError: the threshold is not above 0 and at most 1, the lengths differ, or a row is no
            unit vector.

    """
    if not 0 < threshold <= 1:
        raise ValueError(f"expected a threshold above 0 and at most 1, got {threshold}")
    texts = arguments.several(texts, "texts")
    if len(vectors) != len(texts):
        raise ValueError(f"expected a text for each vector, got {len(texts)} for {len(vectors)}")
    vectors = unit_rows(vectors)
    blind = np.zeros(len(texts), np.bool_) if unread is None else np.asarray(unread, np.bool_)
    if blind.shape != (len(texts),):
        raise ValueError(
            f"expected for each of {len(texts)} texts whether it is unread, got shape {blind.shape}"
        )
    told = ["" if b else text for b, text in zip(blind, texts, strict=True)]
    alike = _alike(vectors, told)
    covers = _covers(vectors, _firsts(alike), threshold)
    alike += _copies(texts, np.flatnonzero(blind).tolist())
    spare = {row for near in covers.values() for row in near}
    kept = covers.keys() | {row for row, same in enumerate(alike) if same[1:]} - spare
    found = [_group(alike, row, covers.get(row, {}), texts) for row in kept]
    return sorted((group for group in found if group.others), key=lambda group: group.keep)


def components(vectors: Vectors, texts: Sequence[str], threshold: float) -> list[list[int]]:
    """Return the groups of two rows or more that are joined by equal texts or near vectors.

    What is near to something near is in the same group. Blank texts are in none.
    """
    alike = _alike(vectors, texts)
    firsts = _firsts(alike)
    if len(firsts) ** 2 > EXACT_PAIRS:
        numbers = connected_components(_links(vectors, firsts, threshold))[1]
    else:
        numbers = _chained(vectors[firsts], threshold)
    joined = defaultdict[int, list[int]](list)
    for rows, number in zip(alike, numbers.tolist(), strict=True):
        joined[number] += rows
    return sorted(sorted(rows) for rows in joined.values() if len(rows) > 1)


def _chained(vectors: Vectors, threshold: float) -> Rows:
    """Return a number for each row (n, d), the same for those that near ones join, (n,).

    Each pair is compared once, and of what a part of the rows shows no more is kept than these
    numbers: half the time of asking for the nearest of each row, and all that are near count.
    """
    n = len(vectors)
    numbers = np.arange(n)
    for start in range(0, n, COMPARED):
        near = vectors[start : start + COMPARED] @ vectors[start:].T >= threshold
        one, other = np.nonzero(near)
        ends = np.concatenate([np.arange(n), one + start]), np.concatenate([numbers, other + start])
        links = coo_array((np.ones(len(ends[0]), bool), ends), shape=(n, n))
        found = connected_components(links, directed=False)[1]
        numbers = np.unique(found, return_index=True)[1][found]
    return numbers


def _alike(vectors: Vectors, texts: Sequence[str]) -> list[list[int]]:
    """Return the rows of texts that are not blank, those of one text or one vector together.

    The longest texts come first, within a group too; of equally long ones the first.
    """
    same = defaultdict[bytes, list[int]](list)
    copies = _copies(texts, range(len(texts)))
    for rows in sorted(copies, key=lambda rows: (-len(texts[rows[0]]), rows[0])):
        same[sha256(vectors[rows[0]].tobytes()).digest()] += rows
    return list(same.values())


def _copies(texts: Sequence[str], rows: Iterable[int]) -> list[list[int]]:
    """Return those of ``rows`` whose texts are not blank, those of one text together."""
    copies = defaultdict[str, list[int]](list)
    for row in rows:
        if texts[row].strip():
            copies[texts[row]].append(row)
    return list(copies.values())


def _firsts(alike: list[list[int]]) -> Rows:
    return np.array([rows[0] for rows in alike], np.int64)


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


def _covers(vectors: Vectors, firsts: Rows, threshold: float) -> dict[int, dict[int, float]]:
    """Return which of ``firsts`` make others superfluous: these, and their cosines.

    One is kept unless one before it that is kept is near: every one left out has a kept one
    within the threshold, and no two kept ones are that near.
    """
    links = _links(vectors, firsts, threshold)
    covered = np.zeros(len(firsts), bool)
    covers: dict[int, dict[int, float]] = {}
    for one in np.flatnonzero(np.diff(links.indptr)).tolist():
        if not covered[one]:
            near = links.indices[links.indptr[one] : links.indptr[one + 1]]
            near = near[~covered[near] & (near > one)]
            covered[near] = True
            cosines = np.minimum(vectors[firsts[near]] @ vectors[firsts[one]], 1).tolist()
            covers[one] = dict(zip(near.tolist(), cosines, strict=True))
    return covers


def _links(vectors: Vectors, firsts: Rows, threshold: float) -> csr_array:
    """Return which of n ``firsts`` are as near as ``threshold`` to which others, (n, n)."""
    order = np.argsort(firsts).astype(PLACES)
    distinct = vectors if len(firsts) == len(vectors) else vectors[firsts[order]]
    n = len(distinct)
    one, other = order[_pairs(Neighbours.for_queries(distinct, n), threshold)]
    links = csr_array((np.ones(len(one), bool), (one, other)), shape=(n, n))
    return csr_array(links + links.T)


def _pairs(ready: Neighbours, threshold: float) -> Places:
    """Return the pairs of near rows, (2, m).

    A row that has only near ones among its nearest is asked again for more.
    """
    n = len(ready.vectors)
    pairs = [np.empty((2, 0), PLACES)]
    rows, k = np.arange(n, dtype=PLACES), min(NEAREST, n)
    while len(rows):
        deeper = min(4 * k, MOST, n)
        near, full = _near(ready, rows, k, threshold)
        pairs.append(near)
        rows = full[: LOOKED_AT // deeper if deeper > k else 0]
        k = deeper
    return np.concatenate(pairs, axis=1)


def _near(ready: Neighbours, rows: Places, k: int, threshold: float) -> tuple[Places, Places]:
    """Return pairs (2, m) of the rows and near ones among their k nearest, and the rows with k."""
    pairs, full = [np.empty((2, 0), PLACES)], [rows[:0]]
    size = max(1, BATCH * NEAREST // k)
    for some in (rows[start : start + size] for start in range(0, len(rows), size)):
        similarities, found = ready.search(ready.vectors[some], k)
        near = (similarities >= threshold) & (found >= 0) & (found != some[:, None])
        one, place = np.nonzero(near)
        pairs.append(np.stack([some[one], found[one, place].astype(PLACES)]))
        full.append(some[similarities[:, -1] >= threshold])
    return np.concatenate(pairs, axis=1), np.concatenate(full)
