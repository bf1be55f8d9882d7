"""Numbers foretold from vectors by ridge regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from embedsearch.classify.checking import (
    asked,
    check_above_0,
    tell_zeros,
    to_learn_from,
    weights_of,
)
from embedsearch.classify.folds import copies

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.inputs import Encoder

    Floats = NDArray[np.float64]

PENALTIES = np.logspace(-3, 3, 25)
"""What is tried, in units of the vectors' mean eigenvalue times n."""


class ProbeRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Ridge regression on the vectors.

    ``penalty`` is scikit-learn's alpha; ``None`` chooses it by the squared error of each example
    foretold from all others but its copies, which has a closed form (Allen 1974, PRESS). ``X`` are
    texts (n,), embedded by ``embedder``, or their vectors (n, d); ``y`` are numbers, (n,) or
    (n, outputs).
    """

    def __init__(
        self, *, penalty: float | None = None, embedder: Encoder | str | None = None
    ) -> None:
        self.penalty = penalty
        self.embedder = embedder

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from texts or vectors and their numbers.

        Raises:
            ValueError: a number is missing, infinite or a word, ``penalty`` is not above 0, or
                a weight is negative.

        """
        check_above_0(self.penalty, "penalty")
        vectors, targets = validate_data(
            self,
            to_learn_from(self, X),
            _numbers(y),
            dtype=np.float64,
            multi_output=True,
            y_numeric=True,
        )
        tell_zeros(vectors)
        weights = weights_of(sample_weight, vectors)
        self._learn(vectors, np.asarray(targets, np.float64), weights)
        return self

    def _learn(self, vectors: Floats, targets: Floats, weights: Floats) -> None:
        there = weights > 0
        vectors, targets, weights = _distinct(vectors[there], targets[there], weights[there])
        means = np.average(vectors, 0, weights), np.average(targets, 0, weights)
        roots = np.sqrt(weights)[:, None]
        rows, wanted = (
            roots * (vectors - means[0]),
            roots * (targets - means[1]).reshape(len(targets), -1),
        )
        left, sizes, right = np.linalg.svd(rows, full_matrices=False)
        seen = left.T @ wanted
        if self.penalty is None:
            self.penalty_ = _least_error(left, sizes**2, seen, wanted, roots)
        else:
            self.penalty_ = float(self.penalty)
        slopes = right.T @ ((sizes / (sizes**2 + self.penalty_))[:, None] * seen)
        self.coef_ = slopes.T if targets.ndim == 2 else slopes[:, 0]
        self.intercept_ = means[1] - means[0] @ self.coef_.T

    def predict(self, X: Any) -> Floats:
        """Return a number for each text, or outputs (n, outputs)."""
        check_is_fitted(self)
        found: Floats = asked(self, X) @ self.coef_.T + self.intercept_
        return found


def _numbers(y: Any) -> Any:
    """Return numbers as an array, ``None`` in it as NaN; raise ValueError for a word, by itself."""
    if y is None or getattr(getattr(y, "dtype", None), "kind", "O") not in "OUT":
        return y  # which scikit-learn checks
    for each in np.asarray(y, dtype=object).ravel():
        try:
            float(each if isinstance(each, str) else 0)
        except ValueError as error:
            raise ValueError(
                f"expected a number for each text, got {each!r:.40}: labels are for ProbeClassifier"
            ) from error
    return np.asarray(y, np.float64)


def _distinct(vectors: Floats, targets: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return copies as one row of their mean number and of all their weight: that fits the same."""
    numbers = copies(vectors)
    firsts = np.unique(numbers, return_index=True)[1]
    if len(firsts) == len(vectors):
        return vectors, targets, weights
    total = np.asarray(np.bincount(numbers, weights), np.float64)
    columns = targets.reshape(len(targets), -1).T
    sums = np.stack([np.bincount(numbers, weights * column) for column in columns], axis=1)
    means = sums / total[:, None]
    return vectors[firsts], means.reshape(len(firsts), *targets.shape[1:]), total


def _least_error(
    left: Floats, squares: Floats, seen: Floats, wanted: Floats, roots: Floats
) -> float:
    """Return the penalty of the least squared error, each row foretold from the others."""
    means = roots[:, 0] ** 2 / (roots**2).sum()  # what a row has to say in the intercept

    def error(penalty: float) -> float:
        share = squares / (squares + penalty)
        rest = 1 - (left**2) @ share - means
        missed = (wanted - left @ (share[:, None] * seen)) / np.maximum(rest, 1e-10)[:, None]
        return float((missed**2).sum())

    scale = max(float(squares.mean()), 1e-12)
    tried: list[float] = (scale * PENALTIES).tolist()
    return min(tried, key=error)
