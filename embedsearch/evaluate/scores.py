"""Figures of a classification, and how far chance could have moved them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Codes = NDArray[np.int64]
    Floats = NDArray[np.float64]

RESAMPLES = 1_000
"""Enough for the ends of a 95 % interval (Efron & Tibshirani 1993)."""

CELLS = 20_000_000
"""Resamples are drawn so many group counts at a time, 160 MB."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How well one label is told; ``support`` texts have it, ``predicted`` were said to."""

    label: Any
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


def confusion_matrix(true: Codes, said: Codes, classes: int) -> Codes:
    """Return how many texts of each label (rows) were said to be of each (columns)."""
    counts = np.bincount(true * classes + said, minlength=classes * classes)
    return counts.reshape(classes, classes)


def label_scores(matrix: Codes, names: Sequence[Any]) -> tuple[LabelScore, ...]:
    """Return precision, recall and F1 of each label, 0 where there is nothing to divide by."""
    hit, support, said = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    rows = zip(
        names,
        _ratio(hit, said).tolist(),
        _ratio(hit, support).tolist(),
        _ratio(2 * hit, support + said).tolist(),
        support.tolist(),
        said.tolist(),
        strict=True,
    )
    return tuple(LabelScore(*row) for row in rows)


class Bootstrap:
    """Draws groups of texts with replacement, the same draws for all that is measured.

    Whole groups are drawn, as their texts are no independent evidence (the cluster bootstrap of
    Field & Welsh 2007); intervals are the 2.5 and 97.5 percentiles.
    """

    def __init__(self, true: Codes, groups: Codes, *, seed: int = 0) -> None:
        self._true, self._groups, self._seed = true, groups, seed
        self._classes = int(true.max()) + 1
        self._count = int(groups.max()) + 1

    def draws(self, said: Codes) -> tuple[Floats, Floats]:
        """Return accuracy and macro F1 of predictions, of all texts first, then of each draw."""
        classes = max(self._classes, int(said.max()) + 1)
        right = said == self._true
        hit = self._summed(self._true[right], self._groups[right], classes)
        support = self._summed(self._true, self._groups, classes)
        predicted = self._summed(said, self._groups, classes)
        parts = [
            _both(weights @ hit, weights @ support, weights @ predicted)
            for weights in self._weights()
        ]
        accuracy, macro = (np.concatenate(part) for part in zip(*parts, strict=True))
        return accuracy, macro

    def _weights(self) -> Iterator[Any]:
        yield np.ones((1, self._count))
        draw = np.random.default_rng(self._seed)
        batch = max(1, CELLS // self._count)
        for start in range(0, RESAMPLES, batch):
            rows = min(batch, RESAMPLES - start)
            chosen = draw.integers(self._count, size=(rows, self._count))
            flat = chosen + self._count * np.arange(rows)[:, None]
            counts = np.bincount(flat.ravel(), minlength=rows * self._count)
            yield counts.reshape(rows, self._count).astype(np.float64)

    def _summed(self, codes: Codes, groups: Codes, classes: int) -> Any:
        """Return how many texts of each group are of each class, (groups, classes), sparse."""
        ones = np.ones(len(codes))
        return csr_array((ones, (groups, codes)), shape=(self._count, classes))


def estimate(draws: Floats) -> Estimate:
    """Return a figure of its value, the first one, and those of its draws."""
    low, high = np.percentile(draws[1:], [2.5, 97.5])
    return Estimate(float(draws[0]), float(low), float(high))


def _both(hit: Floats, support: Floats, said: Floats) -> tuple[Floats, Floats]:
    present = support + said
    f1 = _ratio(2 * hit, present)
    # Of the labels that a draw holds, as scikit-learn averages.
    macro = f1.sum(axis=1) / (present > 0).sum(axis=1)
    return hit.sum(axis=1) / support.sum(axis=1), macro


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
    return shares
