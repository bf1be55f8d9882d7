"""Labels that are probably wrong, by confident learning (Northcutt et al. 2021, JAIR 70)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from embedsearch.classify.checking import checked_labels, units
from embedsearch.classify.folds import split
from embedsearch.classify.inputs import vectors_of
from embedsearch.classify.threads import one_thread
from embedsearch.vectors.neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.folds import Split
    from embedsearch.classify.inputs import Encoder, Vectors

    Floats = NDArray[np.float64]
    Positions = NDArray[np.int64]

SEEN = 10
"""Neighbours that are looked at for some that disagree."""

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An example near a suspect: its position, label, and cosine."""

    position: int
    label: Any
    similarity: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """An example whose label is probably wrong.

    ``probability`` is that of the given label, ``suggested_probability`` that of the likeliest
    other one, by a classifier that has not seen the example. ``disagreeing`` are the nearest
    examples of other labels, among its ten nearest.
    """

    position: int
    label: Any
    suggested: Any
    probability: float
    suggested_probability: float
    disagreeing: tuple[Neighbour, ...]


def suspects(
    given: Sequence[str] | ArrayLike,
    labels: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    embedder: Encoder | str | None = None,
) -> list[Suspect]:
    """Return the examples whose labels are probably wrong, the most suspect first.

    ``given`` are texts (n,) or vectors (n, d). Each example is judged by a classifier trained on
    the other folds; examples of one group (the chunks of a document, copies) share a fold. Where
    labels allow fewer folds, a warning says so.
    *How many* labels are wrong is what confident learning counts: examples that are as likely of
    another class as those are that bear its label. *Which ones* is told by the log odds of the
    given against the likeliest other label, which rank better than Northcutt's margins:
    ``benchmarks/suspects.py``.

    Raises:
        ValueError: a label is missing, there is one class only, or nothing can be held out.

    """
    vectors = units(vectors_of(given, embedder))
    known = checked_labels(labels, len(vectors))
    cut = split(known, None if groups is None else np.asarray(groups), folds)
    if cut.note:
        warnings.warn(cut.note, stacklevel=2)
    classes, y = np.unique(known, return_inverse=True)
    probabilities = _foretold(vectors, y, len(classes), cut.splits)
    places = _doubted(probabilities, y)
    return _described(places, probabilities, vectors, classes, y)


def _foretold(vectors: Vectors, y: Positions, classes: int, splits: Sequence[Split]) -> Floats:
    """Return out-of-sample probabilities (n, classes)."""
    probabilities = np.zeros((len(y), classes))
    with one_thread(vectors.size * classes):
        for train, held in splits:
            model = LogisticRegression(C=8, max_iter=1_000, tol=1e-3).fit(vectors[train], y[train])
            probabilities[np.ix_(held, model.classes_)] = model.predict_proba(vectors[held])
    return probabilities


def _doubted(probabilities: Floats, y: Positions) -> Positions:
    """Return positions of suspects, worst first.

    A label that was in no other fold has no probability, so it can't be judged.
    """
    n = len(y)
    own = probabilities[np.arange(n), y]
    judged = own > 0
    counts = np.bincount(y[judged], minlength=probabilities.shape[1])
    sums = np.bincount(y[judged], own[judged], probabilities.shape[1])
    typical = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    confident = np.where(probabilities >= typical, probabilities, -1)
    elsewhere = (confident.max(axis=1) > 0) & (confident.argmax(axis=1) != y) & judged
    odds = np.log(np.where(judged, own, 1)) - np.log(_others(probabilities, y).max(axis=1) + 1e-300)
    odds = np.where(judged, odds, np.inf)
    worst = np.argsort(odds, kind="stable")[: int(elsewhere.sum())]
    return worst[odds[worst] < 0]


def _others(probabilities: Floats, y: Positions) -> Floats:
    others = probabilities.copy()
    others[np.arange(len(y)), y] = 0
    return others


def _described(
    places: Positions,
    probabilities: Floats,
    vectors: Vectors,
    classes: NDArray[Any],
    y: Positions,
) -> list[Suspect]:
    if not len(places):
        return []
    found = Neighbours(vectors).search(vectors[places], min(SEEN + 1, len(vectors)))
    others = _others(probabilities[places], y[places])
    names = classes.tolist()
    return [
        Suspect(
            position=int(place),
            label=names[y[place]],
            suggested=names[int(other.argmax())],
            probability=float(probabilities[place, y[place]]),
            suggested_probability=float(other.max()),
            disagreeing=tuple(
                Neighbour(int(near), names[y[near]], float(similarity))
                for similarity, near in zip(similarities, rows, strict=True)
                if y[near] != y[place]
            )[:SHOWN],
        )
        for place, other, similarities, rows in zip(places, others, *found, strict=True)
    ]
