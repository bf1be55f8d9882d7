"""Probabilities that mean something: how far they are off, and how to bring them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

RANGE = (1e-3, 1e2)
"""Between what a temperature is looked for: cosines ask for 0.01 to 0.1, logits for 0.5 to 3."""

ROUNDS = 50
"""In which the share of what is usual is found."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the texts of which the classifier is at least ``confidence`` sure, all shares 0 to 1.

    They are the share ``coverage`` of all texts, and of them ``accuracy`` are answered rightly.
    """

    coverage: float
    confidence: float
    accuracy: float
    texts: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Texts of about the same confidence, and the share of them that was right."""

    confidence: float
    accuracy: float
    texts: int


def expected_calibration_error(
    confidences: ArrayLike, right: ArrayLike, *, bins: int = 15
) -> float:
    """Return how far confidence and accuracy are apart on average, 0 to 1.

    ``confidences`` (n,) are the probabilities of the predicted labels, ``right`` (n,) whether
    these were right. The error is the mean over texts of their bin's |accuracy - mean confidence|,
    in the bins of ``reliability``. (Guo et al. 2017, ICML, with bins of equal mass, as Nixon et al.
    2019 advise.)
    """
    parts = reliability(confidences, right, bins=bins)
    gaps = [part.texts * abs(part.accuracy - part.confidence) for part in parts]
    return float(sum(gaps) / sum(part.texts for part in parts))


def reliability(confidences: ArrayLike, right: ArrayLike, *, bins: int = 10) -> list[Bin]:
    """Return the texts sorted by confidence and parted into bins of equal numbers.

    Texts of equal confidence that are in two bins are as often right in the one as in the other:
    nothing orders them.
    """
    if bins < 1:
        raise ValueError(f"expected at least 1 bin, got {bins}")
    sure, true = _checked(confidences, right)
    _, level, texts = np.unique(sure, return_inverse=True, return_counts=True)
    shares = (np.bincount(level, true) / texts)[level]
    order = np.argsort(sure, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [Bin(float(sure[part].mean()), float(shares[part].mean()), len(part)) for part in parts]


def coverage_table(
    confidences: ArrayLike,
    right: ArrayLike,
    *,
    coverages: Sequence[float] = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0),
) -> list[Coverage]:
    """Return how accurate a classifier is when it answers only its surest share of the texts.

    Texts of equal confidence are answered together, so a row may cover more than was asked for.
    """
    sure, true = _checked(confidences, right)
    rows = []
    for wanted in coverages:
        if not 0 <= wanted <= 1:
            raise ValueError(f"expected coverages from 0 to 1, got {wanted}")
        count = max(1, round(wanted * len(sure)))
        least = np.partition(sure, len(sure) - count)[len(sure) - count]
        answered = sure >= least
        rows.append(
            Coverage(
                coverage=float(answered.mean()),
                confidence=float(least),
                accuracy=float(true[answered].mean()),
                texts=int(answered.sum()),
            )
        )
    return rows


def fitted_temperature(loss: Callable[[float], float], usual: float, count: float) -> float:
    """Return the temperature t of the least ``loss(t)``, a mean over ``count`` texts.

    It is the log loss of their scores divided by t, and the classifier has not learned from them
    (Guo et al. 2017). The logarithm of t is normal about that of ``usual``, with deviation 1,
    before any text is seen: two that are foretold rightly are no proof of certainty.
    """

    def doubted(exponent: float) -> float:
        known = (exponent - np.log(usual)) ** 2 / 2 / count
        return loss(float(np.exp(exponent))) + float(known)

    found: Any = minimize_scalar(doubted, bounds=tuple(np.log(RANGE)), method="bounded")
    return float(np.exp(found.x))


def share_of_usual(
    foretold: Floats,
    usual: Floats | float,
    start: float,
    *,
    before: tuple[float, float],
    weights: Floats | float = 1.0,
) -> float:
    """Return how much of what is ``usual``, mixed in with what is ``foretold``, explains labels.

    Both are probabilities of the right labels, (n,), of which each counts as its weight. The share
    is 0 to 1, by expectation and maximisation from ``start`` on, as if so many labels of either
    kind, usual ones first, had been seen ``before``.
    """
    share = start
    weights = np.broadcast_to(weights, foretold.shape)
    for _ in range(ROUNDS):
        rest = share * usual
        by_rest = weights @ (rest / (rest + (1 - share) * foretold))
        share = float(by_rest + before[0]) / (float(weights.sum()) + sum(before))
    return share


def softened(logits: Floats, temperature: float) -> Floats:
    """Return softmax(logits / temperature), shape (n, classes)."""
    probabilities: Floats = softmax(np.asarray(logits, np.float64) / temperature, axis=1)
    return probabilities


def _checked(confidences: ArrayLike, right: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    sure, true = np.asarray(confidences, np.float64), np.asarray(right, np.bool_)
    if sure.ndim != 1 or sure.shape != true.shape:
        raise ValueError(f"expected two arrays of shape (n,), got {sure.shape} and {true.shape}")
    if not len(sure):
        raise ValueError("expected at least one text to measure on, got none")
    if not (np.isfinite(sure).all() and (sure >= 0).all() and (sure <= 1).all()):
        raise ValueError("expected confidences from 0 to 1")
    return sure, true
