"""Accuracy, precision, recall and F1, and how far each may be off by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Columns = NDArray[np.int64]

RESAMPLES = 1_000
"""How often the groups of texts are drawn anew, with replacement."""

AT_ONCE = 100
"""Resamples that are counted at a time: memory is this times the number of groups."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and the interval that holds 95 % of it when the texts are drawn anew."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How one label fares: of ``support`` texts that bear it, and those said to."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


def scores(actual: Columns, predicted: Columns, classes: tuple[str, ...]) -> list[LabelScore]:
    """Return each label's scores; a precision or recall of nothing is 0, as in scikit-learn."""
    hits, said, support = _counts(actual, predicted, len(classes))
    precision, recall, f1 = _rates(hits, said, support)
    return [
        LabelScore(label, float(precision[n]), float(recall[n]), float(f1[n]), int(support[n]))
        for n, label in enumerate(classes)
    ]


def confusion(actual: Columns, predicted: Columns, classes: int) -> Columns:
    """Return how many texts of each label (rows) were said to be of each (columns)."""
    flat = np.bincount(actual * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes)


@dataclass(frozen=True, slots=True)
class Resampled:
    """Figures of the texts as they are, and of each resample, (RESAMPLES,)."""

    accuracy: tuple[float, Floats]
    macro_f1: tuple[float, Floats]


def resampled(
    actual: Columns, predicted: Columns, groups: Columns, classes: int, *, seed: int
) -> Resampled:
    """Draw groups of texts anew, with replacement, and count again (Efron 1979).

    The same seed draws the same groups, so that two classifiers are compared pair by pair.
    """
    of = np.unique(groups, return_inverse=True)[1]
    n = int(of.max()) + 1
    generator = np.random.default_rng(seed)
    tables = [
        _by_group(of, column, kept, n, classes)
        for column, kept in ((actual, actual == predicted), (predicted, None), (actual, None))
    ]
    accuracies, f1s = [], []
    for _ in range(RESAMPLES // AT_ONCE):
        drawn = generator.multinomial(n, np.full(n, 1 / n), size=AT_ONCE).astype(np.float64)
        hits, said, support = (drawn @ table for table in tables)
        accuracies.append(hits.sum(axis=1) / support.sum(axis=1))
        f1s.append(_macro(hits, said, support))
    whole = _counts(actual, predicted, classes)
    return Resampled(
        (float((actual == predicted).mean()), np.concatenate(accuracies)),
        (float(_macro(*(count[None] for count in whole))[0]), np.concatenate(f1s)),
    )


def interval(value: float, drawn: Floats) -> Estimate:
    """Return a figure with the middle 95 % of its resamples (the percentile interval)."""
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(value, float(low), float(high))


def _by_group(of: Columns, columns: Columns, kept: Any, groups: int, classes: int) -> Any:
    """Return how many texts of each group have each column: sparse (groups, classes)."""
    from scipy.sparse import coo_array

    rows = np.arange(len(of)) if kept is None else np.flatnonzero(kept)
    places = of[rows], columns[rows]
    return coo_array((np.ones(len(rows)), places), shape=(groups, classes)).tocsr()


def _counts(actual: Columns, predicted: Columns, classes: int) -> tuple[Floats, Floats, Floats]:
    return (
        np.bincount(actual[actual == predicted], minlength=classes).astype(np.float64),
        np.bincount(predicted, minlength=classes).astype(np.float64),
        np.bincount(actual, minlength=classes).astype(np.float64),
    )


def _rates(hits: Floats, said: Floats, support: Floats) -> tuple[Floats, Floats, Floats]:
    precision = hits / np.maximum(said, 1)
    recall = hits / np.maximum(support, 1)
    return precision, recall, 2 * hits / np.maximum(said + support, 1)


def _macro(hits: Floats, said: Floats, support: Floats) -> Floats:
    """Return the mean F1 (resamples,) of the labels that a resample holds or has said."""
    there = (said + support) > 0
    f1: Floats = 2 * hits / np.where(there, said + support, 1)
    return np.asarray((f1 * there).sum(axis=1) / there.sum(axis=1), np.float64)
