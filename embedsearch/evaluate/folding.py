"""Predictions for every text by a classifier that has not seen it, nor one like it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Vectors

    Floats = NDArray[np.float64]
    Columns = NDArray[np.int64]
    Fold = tuple[Columns, Columns]


def folds_of(columns: Columns, groups: Columns, folds: int, seed: int) -> list[Fold]:
    """Return the rows to train on and to test on of each fold: no group is in both.

    Fewer folds than asked for, with a warning, where there are fewer groups of some label.

    Raises:
        ValueError: ``folds`` is below 2, or a label's texts are all in one group.

    """
    if folds < 2:
        raise ValueError(f"expected at least 2 folds, got {folds}")
    several = [len(np.unique(groups[columns == column])) for column in np.unique(columns)]
    most = max(min(several), 2)
    if len(np.unique(groups)) < most:
        raise ValueError("all texts say nearly the same: nothing is left to test on")
    if folds > most:
        warnings.warn(
            f"{most} folds instead of {folds}: a label has {min(several)} texts that differ",
            stacklevel=3,
        )
    splitter = StratifiedGroupKFold(min(folds, most), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        parts = list(splitter.split(columns, columns, groups))
    return [(train, test) for train, test in parts if len(np.unique(columns[train])) > 1]


def out_of_fold(
    estimator: Any, vectors: Vectors, labels: NDArray[Any], folds: Sequence[Fold]
) -> Floats:
    """Return probabilities of the sorted labels (n, classes), each row's by a fold without it.

    A label that a fold has not learned has probability 0 there.
    """
    classes = np.unique(labels)
    probabilities = np.zeros((len(vectors), len(classes)))
    for train, test in folds:
        fitted = clone(estimator).fit(vectors[train], labels[train])
        places = np.searchsorted(classes, fitted.classes_)
        probabilities[np.ix_(test, places)] = fitted.predict_proba(vectors[test])
    return probabilities
