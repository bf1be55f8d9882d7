"""How good a classifier is where texts have any number of labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from embedsearch.classify.checking import is_texts, units
from embedsearch.classify.defaults import to_measure
from embedsearch.classify.folds import parts
from embedsearch.classify.inputs import local, vectors_of
from embedsearch.classify.several import indicator
from embedsearch.classify.threads import one_thread
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.evaluate.scores import Bootstrap, Estimate, LabelScore, estimate, label_scores
from embedsearch.evaluate.splitting import leakproof_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.inputs import Encoder, Vectors

    Indicator = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SeveralEvaluation:
    """How good a classifier is at texts it has not learned from; shares are 0 to 1.

    ``subset_accuracy`` is the share of texts all of whose labels are told, and no others.
    ``micro_f1`` counts each label of each text alike, ``macro_f1`` each label. ``majority`` is the
    micro F1 of giving every text the most frequent label, ``gain`` what is won over that.
    """

    estimator: str
    texts: int
    groups: int
    folds: int
    seed: int
    threshold: float
    subset_accuracy: Estimate
    micro_f1: Estimate
    macro_f1: Estimate
    majority: Estimate
    gain: Estimate
    labels: tuple[LabelScore, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON holds."""
        return {"schema_version": 1, **asdict(self)}


def evaluate_several(  # noqa: PLR0913 -- all but two have a default
    given: Sequence[str] | ArrayLike,
    labels: Sequence[Any] | NDArray[Any],
    estimator: Any = None,
    *,
    texts: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
    embedder: Encoder | str | None = None,
    folds: int = 5,
    seed: int = 0,
    threshold: float = THRESHOLD,
) -> SeveralEvaluation:
    """Measure a classifier of texts with any number of labels each, by its folds.

    ``labels`` are lists of them or an indicator of 0 and 1, shape (n, classes), and the estimator
    gets them as they came. All else is as in ``evaluate``. Labels are not spread evenly over the
    folds: one with few texts may be missing in a training, and is not told then.

    Raises:
        TypeError: labels of some text are no list.
        ValueError: nothing can be held out, a text is blank, a label is missing, there are less
            than two, lengths differ, or vectors are not finite.

    """
    if folds < 2:
        raise ValueError(f"expected at least 2 folds, got {folds}")
    right, classes = indicator(labels)
    vectors = units(vectors_of(given, embedder))
    if len(right) != len(vectors):
        raise ValueError(f"expected labels for each of {len(vectors)} texts, got {len(right)}")
    words = _spoken(given if is_texts(given) else texts)
    together = leakproof_groups(vectors, groups, texts=words, threshold=threshold)
    held = parts(right, together, folds, seed)
    if held.max() < 1:
        raise ValueError("nothing can be held out: label other texts, that differ more")
    if embedder is None and is_texts(given):
        embedder = local()
    model = to_measure(estimator, right.sum(axis=0).tolist(), embedder)
    with one_thread(vectors.size * len(classes)):
        said = _predicted(model, vectors, labels, classes, held)
    draw = Bootstrap(right, together, seed=seed)
    own, rival = draw.draws(said), draw.draws(_commonest(right, held))
    counts = (right & said).sum(axis=0), right.sum(axis=0), said.sum(axis=0)
    return SeveralEvaluation(
        estimator=type(model).__name__,
        texts=len(vectors),
        groups=int(together.max()) + 1,
        folds=int(held.max()) + 1,
        seed=seed,
        threshold=threshold,
        subset_accuracy=estimate(own.accuracy),
        micro_f1=estimate(own.micro_f1),
        macro_f1=estimate(own.macro_f1),
        majority=estimate(rival.micro_f1),
        gain=estimate(own.micro_f1 - rival.micro_f1),
        labels=label_scores(*counts, classes.tolist()),
    )


def _spoken(texts: Any) -> Sequence[str] | None:
    for place, text in enumerate(() if texts is None else texts):
        if not text.strip():
            raise ValueError(f"expected words, got {text!r} at position {place}: leave it out")
    return texts  # type: ignore[no-any-return]  # they are texts


def _predicted(
    estimator: Any, vectors: Vectors, labels: Any, classes: NDArray[Any], held: NDArray[np.int64]
) -> Indicator:
    """Return out-of-fold predictions, an indicator (n, classes)."""
    said = np.zeros((len(vectors), len(classes)), np.bool_)
    for train, test in _folds(held):
        fitted = clone(estimator).fit(vectors[train], _of(labels, train))
        told = np.asarray(fitted.predict(vectors[test]), np.bool_)
        said[np.ix_(test, np.searchsorted(classes, fitted.classes_))] = told
    return said


def _commonest(right: Indicator, held: NDArray[np.int64]) -> Indicator:
    said = np.zeros_like(right)
    for train, test in _folds(held):
        said[test, right[train].sum(axis=0).argmax()] = True
    return said


def _folds(held: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the rows to learn from and those to judge."""
    for fold in range(held.max() + 1):
        yield np.flatnonzero(held != fold), np.flatnonzero(held == fold)


def _of(labels: Any, rows: NDArray[np.int64]) -> Any:
    """Return the labels of some texts, lists or an indicator as all are."""
    if getattr(labels, "ndim", 1) == 2:
        return np.asarray(labels)[rows]
    every = list(labels)
    return [list(every[row]) for row in rows.tolist()]
