"""Texts with any number of labels each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import validate_data

from embedsearch.classify.checking import checked_labels, to_learn_from

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Vectors

    Indicator = NDArray[np.bool_]


def learned_several(estimator: Any, X: Any, y: Any) -> tuple[Vectors, Indicator, NDArray[Any]]:
    """Return vectors (n, d), the indicator (n, classes) and the classes.

    Raises:
        TypeError: labels of some text are no list.
        ValueError: the lengths differ, a label is missing, or there are less than two.

    """
    vectors: Vectors = validate_data(estimator, to_learn_from(estimator, X), dtype=np.float32)
    right, classes = indicator(y)
    if len(right) != len(vectors):
        raise ValueError(f"expected labels for each of {len(vectors)} texts, got {len(right)}")
    return vectors, right, classes


def indicator(y: Any) -> tuple[Indicator, NDArray[Any]]:
    """Return which of the classes each text has, (n, classes), and the classes.

    ``y`` are lists of labels, or such an indicator of 0 and 1, whose classes are its columns.

    Raises:
        TypeError: labels of some text are no list.
        ValueError: a label is missing, there are less than two, or not all are 0 or 1.

    """
    if getattr(y, "ndim", 1) == 2:
        array = np.asarray(y)
        if not np.isin(array, (0, 1)).all():
            raise ValueError("expected an indicator of 0 and 1, shape (n, classes)")
        return array.astype(np.bool_), np.arange(array.shape[1])
    for place, row in enumerate(y):
        if not isinstance(row, (list, tuple, set, frozenset, np.ndarray)):
            raise TypeError(
                f"expected a list of labels for each text, got {row!r:.40} at position {place}:"
                " write [] for none"
            )
    flat = [label for row in y for label in row]
    classes, columns = np.unique(checked_labels(flat, len(flat)), return_inverse=True)
    right = np.zeros((len(y), len(classes)), np.bool_)
    right[np.repeat(np.arange(len(y)), [len(row) for row in y]), columns] = True
    return right, classes
