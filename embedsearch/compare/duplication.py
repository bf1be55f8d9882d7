"""Duplicates: texts that are the same, or nearly so, and which of them to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    Vectors = NDArray[np.float32]

THRESHOLD = 0.95
"""From this cosine on two texts say the same for the packaged model; paraphrases are at 0.8."""

NEAREST = 16
"""How many near ones of a text are looked at first; four times as many while all of them are."""

FARTHEST = 1_024
"""More near ones of one text are not looked at: so many hang together by each other."""


@dataclass(frozen=True, slots=True)
class Group:
    """Texts of which one is enough: ``keep`` is its position, ``others`` are the rest's.

    ``similarities`` are the cosines of the others to the one to keep, 1 for ``exact`` copies.
    """

    keep: int
    others: tuple[int, ...]
    similarities: tuple[float, ...]
    exact: bool


def duplicates(
    vectors: Vectors, texts: Sequence[str], *, threshold: float = THRESHOLD
) -> list[Group]:
    """Return groups of unit rows (n, d) whose texts are the same or have a cosine of ``threshold``.

    What is near to something near is in the same group. The longest text is kept, of equally long
    ones the first: it is the least likely to lack something. Blank texts are no duplicates.

    Raises:
        ValueError: the threshold is not above 0 and at most 1, or the lengths differ.

    """
    if not 0 < threshold <= 1:
        raise ValueError(f"expected a threshold above 0 and at most 1, got {threshold}")
    if len(vectors) != len(texts):
        raise ValueError(f"expected a text for each vector, got {len(texts)} for {len(vectors)}")
    found = []
    for rows in components(vectors, texts, threshold):
        keep = max(rows, key=lambda row: (len(texts[row]), -row))
        others = tuple(row for row in rows if row != keep)
        similarities = vectors[list(others)] @ vectors[keep]
        exact = all(texts[row] == texts[keep] for row in others)
        found.append(Group(keep, others, tuple(map(float, similarities)), exact))
    return sorted(found, key=lambda group: group.keep)


def components(vectors: Vectors, texts: Sequence[str], threshold: float) -> list[list[int]]:
    """Return the groups of two rows or more that are joined by equal texts or near vectors."""
    kept = np.array([row for row, text in enumerate(texts) if text.strip()], dtype=np.int64)
    if len(kept) < 2:
        return []
    first = dict[str, int]()
    same = np.array([first.setdefault(texts[row], place) for place, row in enumerate(kept)])
    pairs = [(np.arange(len(kept)), same), *_near(vectors[kept], threshold)]
    ends = tuple(np.concatenate(side) for side in zip(*pairs, strict=True))
    links = coo_array((np.ones(len(ends[0]), bool), ends), shape=(len(kept), len(kept)))
    _, component = connected_components(links, directed=False)
    order = np.argsort(component, kind="stable")
    parts = np.split(kept[order], np.flatnonzero(np.diff(component[order])) + 1)
    return [sorted(map(int, part)) for part in parts if len(part) > 1]


def _near(vectors: Vectors, threshold: float) -> Iterator[tuple[Rows, Rows]]:
    """Yield pairs of rows that join all whose cosine is ``threshold`` or more.

    A row that has only near ones among its nearest may have more, so it is asked again: else two
    tight clumps of many rows each would be taken for unlike.
    """
    _, kept, of = np.unique(vectors, axis=0, return_index=True, return_inverse=True)
    yield np.arange(len(vectors)), kept[of.ravel()]  # equal rows are compared once
    asked, k = np.arange(len(kept)), NEAREST
    while len(asked):
        k = min(k, len(kept))
        similarities, found = neighbours(vectors[kept], k, queries=vectors[kept[asked]])
        near = (similarities >= threshold) & (found >= 0)
        yield kept[asked[np.nonzero(near)[0]]], kept[found[near]]
        asked = asked[near[:, -1] & (k < min(len(kept), FARTHEST))]
        k *= 4
