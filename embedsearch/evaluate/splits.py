"""Splits for an evaluation: near duplicates kept apart, notes on what is learned from little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.classify.folds import listed
from embedsearch.evaluate.evaluation import NEAR
from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from embedsearch.classify.folds import Split
    from embedsearch.classify.inputs import Vectors
    from embedsearch.classify.splitting import Alike


def apart(same: Alike, splits: Iterable[Split], labels: NDArray[Any] | None = None) -> list[Split]:
    """Return splits that near duplicates do not leak through; some of two ``labels`` are left in.

    Raises:
        ValueError: of the texts of a fold all others are near duplicates, or those of all labels
            but one.

    """
    found = same.apart(splits)
    for train, _ in found:
        if len(train) < 2 or (labels is not None and len(np.unique(labels[train])) < 2):
            raise ValueError(
                "nothing can be measured: what is no near duplicate of the texts of a fold has a"
                " single label, or none: give a higher threshold, or other groups"
            )
    return found


def rare(counts: Mapping[Any, int], folds: int) -> list[str]:
    """Return a note if some labels have less different texts, though several, than folds."""
    few = [label for label, count in counts.items() if 1 < count < folds]
    if not few:
        return []
    note = (
        f"{len(few)} of {len(counts)} labels have less than {folds} texts, too few for figures of"
        f" their own: {listed(few)}"
    )
    return [note]


def starved(same: Alike, splits: Sequence[Split]) -> list[str]:
    """Return a note where some texts are told by what learned from few of the others."""
    n = len(same.groups)
    least = min(len(train) for train, _ in splits)
    if least >= n * (1 - 1 / len(splits)) / 2:
        return []
    group, near = (int(np.bincount(one).max()) for one in (same.groups, same.near))
    why = f"{group:,} are of one group"
    if near >= group:
        why = f"{near:,} are near duplicates of each other: a higher threshold parts them"
    note = f"some texts are told by what learned from {least:,} of {n:,} texts alone, as {why}"
    return [note]


def near_texts(vectors: Vectors, splits: Iterable[Split]) -> int:
    """Return how many texts, unit vectors (n, d), have one of a cosine of NEAR in another fold."""
    count = 0
    for train, test in splits:
        nearest, _ = neighbours(vectors[train], 1, queries=vectors[test])
        count += int((nearest >= NEAR).sum())
    return count
