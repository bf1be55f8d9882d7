"""Folds that labels allow: what is judged is not learned from, and something is left to learn."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from embedsearch import arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    Split = tuple[Rows, Rows]

NAMED = 5
"""So many labels are named in a message."""


@dataclass(frozen=True, slots=True)
class Folds:
    """Rows to learn from and rows to judge, of each fold; ``note`` says why they are fewer."""

    splits: list[Split]
    note: str


def number(folds: int) -> int:
    """Return how many folds are wanted; raises where that is no whole number of at least 2."""
    wanted = arguments.whole(folds, "folds")
    if wanted < 2:
        raise ValueError(f"expected at least 2 folds, got {wanted}")
    return wanted


def split(labels: NDArray[Any], groups: NDArray[Any] | None, folds: int, *, seed: int = 0) -> Folds:
    """Return ``folds`` folds, or as many as there are; no group is on both sides of one.

    There are at most as many as any label, (n,), has groups, (n,), and at least two labels are
    learned from in each. A rarer label does not lower their number: it is judged in some of them.
    Labels are as frequent in each fold as groups allow (scikit-learn's StratifiedGroupKFold).

    Raises:
        ValueError: nothing can be held out.

    """
    counts = different(labels, groups)
    label, most = max(counts.items(), key=lambda item: item[1])
    for parts in range(min(folds, most), 1, -1):
        splits = _cut(labels, groups, parts, seed)
        if all(len(held) and len(np.unique(labels[train])) > 1 for train, held in splits):
            return Folds(splits, _note(parts, folds, label, most))
    few = [label for label, count in counts.items() if count == 1]
    raise ValueError(
        "nothing can be held out, as then a single label, or none, is left to learn from:"
        f" {more_of(few) if few else 'label other texts, that differ more'}"
    )


def copies(vectors: NDArray[np.floating]) -> Rows:
    """Return a number for each row of (n, d), the same for equal ones, shape (n,)."""
    numbers: Rows = np.unique(vectors.round(5), axis=0, return_inverse=True)[1]
    return numbers


def parts(targets: NDArray[Any], groups: Rows, folds: int, seed: int | np.random.Generator) -> Rows:
    """Return in which of ``folds`` folds each row is held out, (n,), -1 for in none.

    The rows of one of ``groups`` (n,), numbers from 0, are held out together. ``targets`` are
    columns (n,), which are spread evenly over the folds, and of which none is held out where none
    has two groups; or an indicator (n, classes), of which nothing is asked. A group counts as one
    row of its first row's column, which takes 2 ms for 10,000 rows of 77 columns; ``split``, which
    weighs each group against all labels, takes 3 s.
    """
    generator = np.random.default_rng(seed)
    firsts = np.unique(groups, return_index=True)[1]
    n = len(firsts)
    order = generator.permutation(n)
    found = np.empty(n, np.int64)
    if targets.ndim == 2:
        found[order] = np.arange(n) % folds if n > 1 else -1
        return found[groups]
    own = targets[firsts]
    by_class = order[np.argsort(own[order], kind="stable")]
    columns = own[by_class]
    sizes = np.bincount(columns)
    ranks = np.arange(n) - (np.cumsum(sizes) - sizes)[columns]
    offsets = generator.integers(folds, size=len(sizes))
    found[by_class] = (ranks + offsets[columns]) % folds if sizes.max() > 1 else -1
    return found[groups]


def different(labels: NDArray[Any], groups: NDArray[Any] | None) -> Counter[Any]:
    """Return how many texts each label has, those of one group counted once."""
    own = range(len(labels)) if groups is None else np.asarray(groups).tolist()
    pairs = set(zip(labels.tolist(), own, strict=True))
    return Counter(sorted(label for label, _ in pairs))


def more_of(labels: Sequence[Any]) -> str:
    """Return what to do about labels with a single text."""
    return f"label 1 more of {'each of ' if len(labels) > 1 else ''}{listed(labels)}"


def listed(labels: Sequence[Any]) -> str:
    """Return labels as a message names them, the first few of many."""
    more = len(labels) - NAMED
    said = ", ".join(repr(label) for label in labels[:NAMED])
    return f"{said} and {more:,} more" if more > 0 else said


def _note(parts: int, folds: int, label: Any, most: int) -> str:
    if parts == folds:
        return ""
    head = f"{parts} folds instead of {folds}"
    if parts < most:
        return f"{head}: with more a single label would be left to learn from"
    return (
        f"{head}, as {label!r} has {most} different texts and no label has more:"
        f" label {folds - most} more of each"
    )


def _cut(labels: NDArray[Any], groups: NDArray[Any] | None, folds: int, seed: int) -> list[Split]:
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        warnings.filterwarnings("ignore", "The number of unique classes is greater")
        cut = kind(folds, shuffle=True, random_state=seed)
        # A constant X: only its length is looked at.
        return list(cut.split(np.zeros(len(labels)), labels, groups))
