"""Learning curves: what more labels would bring, and of what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import nnls
from sklearn.base import clone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Vectors
    from embedsearch.evaluate.folding import Fold

    Floats = NDArray[np.float64]
    Columns = NDArray[np.int64]

SHARES = (0.1, 0.2, 0.35, 0.6, 1.0)
"""Of the texts of each label that a fold trains on."""

EXPONENTS = np.linspace(0.1, 1.5, 29)
"""What is tried for c in error = a + b n^-c."""

WORTH = 0.02
"""A gain in recall below this is not advised for."""

LEAST = 8
"""Of labels with fewer texts nothing can be told."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The accuracy (0 to 1) with so many examples to learn from."""

    examples: int
    accuracy: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """error = ``a`` + ``b`` n^-``c`` with n examples (Figueroa et al. 2012)."""

    a: float
    b: float
    c: float

    def accuracy(self, examples: float) -> float:
        """Return the accuracy to expect of so many examples."""
        return float(np.clip(1 - self.a - self.b * examples**-self.c, 0, 1))


@dataclass(frozen=True, slots=True)
class Advice:
    """So many more examples of a label would bring its recall from one figure to another."""

    label: str
    more: int
    recall: float
    expected: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A learning curve; no forecast, and no advice, where it is too short or too rough."""

    points: list[CurvePoint]
    forecast: Forecast | None
    advice: list[Advice]


def learning_curve(
    estimator: Any,
    vectors: Vectors,
    labels: NDArray[Any],
    folds: Sequence[Fold],
    predicted: Columns,
    *,
    seed: int,
) -> Curve:
    """Train on growing shares of each fold's texts, each within the next, and fit a power law.

    ``predicted`` are the columns of the sorted labels that all of the texts gave.
    """
    classes, columns = np.unique(labels, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(labels))
    rank = _ranks(columns, order)
    hits = np.zeros((len(SHARES), len(classes)))
    sizes = np.zeros(len(SHARES))
    for train, test in folds:
        counts = np.bincount(columns[train], minlength=len(classes))
        within = _ranks(columns[train], np.argsort(rank[train]))
        for n, share in enumerate(SHARES[:-1]):
            kept = train[within < np.maximum(1, np.round(share * counts))[columns[train]]]
            fitted = clone(estimator).fit(vectors[kept], labels[kept])
            right = fitted.predict(vectors[test]) == labels[test]
            hits[n] += np.bincount(columns[test][right], minlength=len(classes))
            sizes[n] += len(kept) / len(folds)
        sizes[-1] += len(train) / len(folds)
    hits[-1] = np.bincount(columns[predicted == columns], minlength=len(classes))
    tested = np.bincount(columns, minlength=len(classes))
    accuracies = hits.sum(axis=1) / tested.sum()
    points = [CurvePoint(round(size), float(a)) for size, a in zip(sizes, accuracies, strict=True)]
    forecast = fitted_power_law(sizes, 1 - accuracies)
    if forecast is None:
        return Curve(points, None, [])
    recalls = hits / tested
    return Curve(points, forecast, _advice(classes, tested, recalls, len(folds), forecast.c))


def _ranks(columns: Columns, order: NDArray[Any]) -> Columns:
    """Return each row's place among the rows of its column, in an order of all rows."""
    ranks = np.empty(len(columns), np.int64)
    shuffled = columns[order]
    by_class = order[np.argsort(shuffled, kind="stable")]
    sizes = np.bincount(columns)
    ranks[by_class] = np.arange(len(columns)) - (np.cumsum(sizes) - sizes)[columns[by_class]]
    return ranks


def fitted_power_law(sizes: Floats, errors: Floats) -> Forecast | None:
    """Return the law that fits best, a and b not negative; ``None`` where the error does not fall.

    The squared differences are weighed by the number of examples: larger trainings say more.
    """
    if len(sizes) < 3 or not errors[-1] < errors[0]:
        return None
    weights = np.sqrt(sizes / sizes.sum())

    def fit(c: float) -> tuple[float, NDArray[Any]]:
        columns = np.column_stack([np.ones(len(sizes)), sizes**-c])
        found, rest = nnls(columns * weights[:, None], errors * weights)
        return rest, found

    c = min(EXPONENTS.tolist(), key=lambda c: fit(c)[0])
    a, b = fit(c)[1]
    return Forecast(float(a), float(b), float(c)) if b > 0 else None


def _advice(
    classes: NDArray[Any], tested: Columns, recalls: Floats, folds: int, c: float
) -> list[Advice]:
    """Say which labels would gain by as many examples again, those that gain most first.

    Each label's error is a + b n^-c with the exponent of all labels together: a few points a label
    would not tell three numbers.
    """
    found = []
    for column in np.flatnonzero(tested >= LEAST):
        trained = max(1, round(tested[column] * (folds - 1) / folds))
        sizes = np.maximum(1, np.round(np.array(SHARES) * trained))
        terms = np.column_stack([np.ones(len(sizes)), sizes**-c])
        weights = np.sqrt(sizes)
        (a, b), _ = nnls(terms * weights[:, None], (1 - recalls[:, column]) * weights)
        now, then = 1 - a - b * trained**-c, 1 - a - b * (2 * trained) ** -c
        if then - now >= WORTH:
            label = str(classes[column])
            found.append(Advice(label, int(tested[column]), float(now), float(then)))
    return sorted(found, key=lambda advice: advice.recall - advice.expected)
