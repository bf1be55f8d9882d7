"""Texts with any number of labels each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import validate_data

from embedsearch.classify.checking import (
    LISTS,
    as_indicator,
    checked_labels,
    one_label_each,
    tell_zeros,
    to_learn_from,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.inputs import Vectors

    Indicator = NDArray[np.bool_]


def learned_several(estimator: Any, X: Any, y: Any) -> tuple[Vectors, Indicator, NDArray[Any]]:
    """Return vectors (n, d), the indicator (n, classes) and the classes.

    Raises:
        TypeError: labels of some text are no list.
        ValueError: the lengths differ, a label is missing, or there are less than two.

    """
    vectors: Vectors = validate_data(estimator, to_learn_from(estimator, X), dtype=np.float32)
    tell_zeros(vectors)
    right, classes = indicator(y)
    if len(right) != len(vectors):
        raise ValueError(f"expected labels for each of {len(vectors)} texts, got {len(right)}")
    return vectors, right, classes


def indicator(y: Any) -> tuple[Indicator, NDArray[Any]]:
    """Return which of the classes each text has, (n, classes), and the classes.

    ``y`` are lists of labels, or such an indicator of 0 and 1, nested lists too, whose classes are
    its columns.

    Raises:
        TypeError: labels of some text are no list.
        ValueError: a label is missing, there are less than two, or not all are 0 or 1.

    """
    array = as_indicator(y)
    if array is not None:
        if not np.isin(array, (0, 1)).all():
            raise ValueError("expected an indicator of 0 and 1, shape (n, classes)")
        return array.astype(np.bool_), np.arange(array.shape[1])
    _refuse_no_list(y)
    flat = [label for row in y for label in row]
    classes, columns = np.unique(checked_labels(flat, len(flat)), return_inverse=True)
    right = np.zeros((len(y), len(classes)), np.bool_)
    right[np.repeat(np.arange(len(y)), [len(row) for row in y]), columns] = True
    return right, classes


def label_sets(y: Any, columns: NDArray[Any] | None = None) -> NDArray[np.object_]:
    """Return the labels of each text as a sorted tuple, (n,).

    ``y`` are lists of labels, or an indicator of 0 and 1, shape (n, classes): of ``columns``, which
    else are numbers.

    Raises:
        TypeError: labels of some text are no list.
        ValueError: a label is missing, they are of several kinds, or the columns are not as many.

    """
    array = as_indicator(y)
    if array is not None:
        columns = np.arange(array.shape[1]) if columns is None else columns
        if len(columns) != array.shape[1]:
            raise ValueError(
                f"expected an indicator of {len(columns)} classes, got {array.shape[1]} columns:"
                " give labels that are 0 and 1 as sets"
            )
        return told(array > 0, columns)
    _refuse_no_list(y)
    one_label_each([label for row in y for label in row])
    return np.fromiter((tuple(sorted({*row})) for row in y), object, len(y))


def as_lists(rows: Iterable[Iterable[Any]]) -> list[Any]:
    """Return the labels of each text as a list, as a set where lists would be an indicator."""
    lists = [list(row) for row in rows]
    return lists if as_indicator(lists) is None else [set(row) for row in lists]


def told(indicator: NDArray[np.bool_], classes: NDArray[Any]) -> NDArray[np.object_]:
    """Return those of the sorted classes that each row (n, classes) has, as tuples, (n,)."""
    return np.fromiter((tuple(classes[row].tolist()) for row in indicator), object, len(indicator))


def among(sets: NDArray[np.object_], classes: NDArray[Any]) -> Indicator:
    """Return which of the classes are among each text's labels, (n, classes)."""
    column = {name: place for place, name in enumerate(classes.tolist())}
    found = np.zeros((len(sets), len(classes)), np.bool_)
    for row, names in enumerate(sets):
        found[row, [column[name] for name in names if name in column]] = True
    return found


def whole_accuracy(
    said: NDArray[Any], y: Any, classes: NDArray[Any], sample_weight: ArrayLike | None
) -> float:
    """Return the share of texts that are said to have all their labels and no other.

    ``said`` is an indicator of ``classes`` (n, classes), ``y`` are lists of labels or such an
    indicator.
    """
    whole = told(said > 0, classes) == label_sets(y, classes)
    weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    return float(np.average(np.asarray(whole, np.float64), weights=weights))


def label_weights(
    class_weight: str | Mapping[Any, float], right: Indicator, classes: NDArray[Any]
) -> NDArray[np.float32]:
    """Return how much each label of each text counts, (n, classes).

    ``"balanced"``: texts with a label as much as those without it, all together.

    Raises:
        ValueError: it is another word, or names what is no label.

    """
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"expected class_weight 'balanced' or weights, got {class_weight!r}")
        counts = np.maximum(np.stack([(~right).sum(axis=0), right.sum(axis=0)]), 1)
        without, having = len(right) / 2 / counts
        return np.asarray(np.where(right, having, without), np.float32)
    names = classes.tolist()
    if strange := class_weight.keys() - {*names}:
        raise ValueError(f"expected weights of labels, got one of {strange.pop()!r}")
    own = np.array([class_weight.get(name, 1) for name in names], np.float32)
    return np.where(right, own, np.float32(1))


def _refuse_no_list(y: Any) -> None:
    for place, row in enumerate(y):
        if not isinstance(row, LISTS):
            raise TypeError(
                f"expected a list of labels for each text, got {row!r:.40} at position {place}:"
                " write [] for none"
            )
