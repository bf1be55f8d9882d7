"""How good a classifier is on texts that it has not seen, and how sure one can be of that."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.classify.calibration import Coverage, coverage_table, expected_calibration_error
from embedsearch.classify.checking import checked_labels, units
from embedsearch.classify.defaults import classifier_for
from embedsearch.classify.inputs import named, vectors_of
from embedsearch.classify.zero_shot import ZeroShotClassifier
from embedsearch.evaluate.folding import folds_of, out_of_fold
from embedsearch.evaluate.grouping import leakproof_groups
from embedsearch.evaluate.learning import Curve, learning_curve
from embedsearch.evaluate.measures import (
    Estimate,
    LabelScore,
    confusion,
    interval,
    resampled,
    scores,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.inputs import Encoder, Vectors
    from embedsearch.evaluate.folding import Columns, Floats, Fold

SCHEMA = 1

BINS = 10
"""Bins of the reliability curve, of as many texts each."""

CONFUSIONS = 20
MISTAKES = 20


@dataclass(frozen=True, slots=True)
class Baseline:
    """A simpler way, on the same texts: its accuracy, and by how much the classifier is better."""

    name: str
    accuracy: Estimate
    gain: Estimate


@dataclass(frozen=True, slots=True)
class Confused:
    """So many texts of one label were taken for another."""

    label: str
    predicted: str
    texts: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Texts of nearly the same confidence, and how many of these answers were right, 0 to 1."""

    confidence: float
    accuracy: float
    texts: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """A text of which the classifier was sure and wrong: its position, and what it said."""

    position: int
    label: str
    predicted: str
    probability: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured, all shares 0 to 1; ``matrix`` has a row for each label, as ``labels``."""

    estimator: str
    texts: int
    groups: int
    folds: int
    accuracy: Estimate
    macro_f1: Estimate
    baselines: list[Baseline]
    labels: list[LabelScore]
    matrix: list[list[int]]
    confused: list[Confused]
    calibration_error: float
    reliability: list[Bin]
    coverage: list[Coverage]
    curve: Curve
    mistakes: list[Mistake]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {"schema_version": SCHEMA, **asdict(self)}


def evaluate(
    given: Sequence[str] | ArrayLike,
    labels: ArrayLike,
    estimator: Any = None,
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
    embedder: Encoder | str | None = None,
) -> Evaluation:
    """Measure a classifier, by default the one that is best for so many labels, by its folds.

    ``given`` are texts (n,) or unit vectors (n, d). No text is judged by a classifier that has
    learned from it, from one of its group (``groups``, (n,)), or from one that says nearly the
    same. Intervals are of 95 %, by drawing such groups anew.

    Raises:
        ValueError: a label is missing, there is one label only, or all texts say the same.

    """
    vectors = units(vectors_of(given, embedder))
    known = np.asarray(checked_labels(labels, len(vectors))).astype(str)
    classes, columns = np.unique(known, return_inverse=True)
    if estimator is None:
        estimator = classifier_for(np.bincount(columns).tolist(), embedder=embedder)
    together = leakproof_groups(vectors, groups)
    parts = folds_of(columns, together, folds, seed)
    probabilities = out_of_fold(estimator, vectors, known, parts)
    predicted, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    names = tuple(map(str, classes))
    own = resampled(columns, predicted, together, len(names), seed=seed)
    matrix = confusion(columns, predicted, len(names))
    right = predicted == columns
    return Evaluation(
        type(estimator).__name__,
        len(vectors),
        len(np.unique(together)),
        len(parts),
        interval(*own.accuracy),
        interval(*own.macro_f1),
        [
            _baseline(name, said, columns, together, own.accuracy, seed=seed)
            for name, said in _simpler(vectors, known, columns, parts, embedder)
        ],
        scores(columns, predicted, names),
        matrix.tolist(),
        _confused(matrix, names),
        expected_calibration_error(sure, right),
        _reliability(sure, right),
        coverage_table(sure, right),
        learning_curve(estimator, vectors, known, parts, predicted, seed=seed),
        _mistakes(columns, predicted, sure, names),
    )


def _simpler(
    vectors: Vectors,
    labels: NDArray[Any],
    columns: Columns,
    folds: Sequence[Fold],
    embedder: Encoder | str | None,
) -> list[tuple[str, Columns]]:
    """Return what simpler ways say of each text: the commonest label, and the nearest name."""
    commonest = np.zeros(len(columns), np.int64)
    for train, test in folds:
        commonest[test] = np.bincount(columns[train]).argmax()
    found = [("the commonest label", commonest)]
    if named(embedder).embed([]).shape[1] == vectors.shape[1]:
        by_name = ZeroShotClassifier(np.unique(labels).tolist(), embedder=embedder).fit()
        found.append(("labels' names, no examples", by_name.decision_function(vectors).argmax(1)))
    return found


def _baseline(
    name: str,
    said: Columns,
    columns: Columns,
    groups: Columns,
    own: tuple[float, Floats],
    *,
    seed: int,
) -> Baseline:
    classes = int(columns.max()) + 1
    value, drawn = resampled(columns, said, groups, classes, seed=seed).accuracy
    return Baseline(name, interval(value, drawn), interval(own[0] - value, own[1] - drawn))


def _confused(matrix: Columns, names: tuple[str, ...]) -> list[Confused]:
    wrong = matrix * ~np.eye(len(names), dtype=bool)
    order = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSIONS]
    places = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [Confused(names[a], names[b], int(wrong[a, b])) for a, b in places if wrong[a, b]]


def _reliability(sure: Floats, right: NDArray[np.bool_]) -> list[Bin]:
    order = np.argsort(sure, kind="stable")
    parts = [part for part in np.array_split(order, min(BINS, len(sure))) if len(part)]
    return [Bin(float(sure[p].mean()), float(right[p].mean()), len(p)) for p in parts]


def _mistakes(
    columns: Columns, predicted: Columns, sure: Floats, names: tuple[str, ...]
) -> list[Mistake]:
    wrong = np.flatnonzero(predicted != columns)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MISTAKES]
    return [Mistake(int(n), names[columns[n]], names[predicted[n]], float(sure[n])) for n in worst]
