"""Labels that are probably wrong, by confident learning (Northcutt et al. 2021, JAIR 70)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from embedsearch.classify.checking import are_several, checked_labels, tell_zeros, units
from embedsearch.classify.folds import copies, different, more_of, number, parts, split
from embedsearch.classify.inputs import is_texts, texts_of, vectors_of
from embedsearch.classify.logistic import Examples, fitted, logits
from embedsearch.classify.several import indicator
from embedsearch.classify.threads import one_thread
from embedsearch.vectors.neighbours import Neighbours

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.folds import Split
    from embedsearch.classify.inputs import Encoder, Vectors

    Floats = NDArray[np.float64]
    Positions = NDArray[np.int64]

STRENGTH = 8.0
"""scikit-learn's C of the regressions that judge."""

SEEN = 10
"""Neighbours that are looked at for some that disagree."""

SHOWN = 3

TINY = 1e-300
"""Keeps what is divided by, or has a logarithm, above 0."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An example near a suspect: its position, label, and cosine.

    Where texts have several labels, ``label`` is the one in doubt or ``None`` for without it.
    """

    position: int
    label: Any
    similarity: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """An example whose label is probably wrong.

    ``probability`` is that of the given label, ``suggested_probability`` that of the likeliest
    other one, by a classifier that has not seen the example. ``disagreeing`` are the nearest
    examples of other labels, among its ten nearest.

    Where texts have several labels, one of them is in doubt: either it is ``label``, which the
    example should not have, and ``suggested`` is ``None``; or it is ``suggested``, which the
    example lacks, and ``label`` is ``None``.
    """

    position: int
    label: Any
    suggested: Any
    probability: float
    suggested_probability: float
    disagreeing: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class Doubts:
    """Suspects, the most suspect first, and how many more labels another would be likelier than.

    Those are no suspects, as many right ones are as much in doubt.
    """

    suspects: list[Suspect]
    others: int


def suspects(
    given: Sequence[str] | ArrayLike,
    labels: ArrayLike | Sequence[Any],
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    embedder: Encoder | str | None = None,
) -> list[Suspect]:
    """Return the examples whose labels are probably wrong, the most suspect first.

    ``given`` are texts (n,) or vectors (n, d). Each example is judged by a classifier trained on
    the other folds; examples of one of ``groups`` (n,), the chunks of a document say, share a fold,
    without them copies do. Blank texts are left out, which a warning says. Where labels allow fewer
    folds, a warning says so. Where ``labels`` are lists of them, or an indicator (n, classes), each
    label is judged by itself, one against the rest, as cleanlab does.
    *How many* labels are wrong is what confident learning counts: examples that are as likely of
    another class as those are that bear its label. *Which ones* is told by the log odds of the
    given against the likeliest other label, which rank better than Northcutt's margins:
    ``benchmarks/suspects.py``.

    Raises:
        ValueError: a label is missing, there is one class only, lengths differ, or nothing can be
            held out.

    """
    return doubts(given, labels, groups=groups, folds=folds, embedder=embedder).suspects


def doubts(
    given: Sequence[str] | ArrayLike,
    labels: ArrayLike | Sequence[Any],
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    embedder: Encoder | str | None = None,
) -> Doubts:
    """Return ``suspects``, and how many more are told otherwise."""
    folds = number(folds)
    if (spoken := _spoken(given, labels)) is not None:
        rows = spoken.tolist()
        of_spoken = doubts(
            _of(given, rows),
            _of(labels, rows),
            groups=None if groups is None else np.asarray(groups, object)[spoken],
            folds=folds,
            embedder=embedder,
        )
        return replace(of_spoken, suspects=[_moved(one, rows) for one in of_spoken.suspects])
    vectors = units(vectors_of(given, embedder))
    tell_zeros(vectors)
    together = copies(vectors) if groups is None else np.asarray(groups)
    if len(together) != len(vectors):
        raise ValueError(f"expected a group for each of {len(vectors)} texts, got {len(together)}")
    if are_several(labels):
        return _of_each_label(vectors, labels, together, folds)
    known = checked_labels(labels, len(vectors))
    alone = len(np.unique(together)) == len(together)
    cut = split(known, None if alone else together, folds)
    if cut.note:
        warnings.warn(cut.note, stacklevel=3)
    _tell_lone(different(known, together))
    classes, y = np.unique(known, return_inverse=True)
    probabilities = _foretold(vectors, y, len(classes), cut.splits)
    places, otherwise = _doubted(probabilities, y)
    found = _described(places, probabilities, Neighbours(vectors), classes.tolist(), y)
    return Doubts(found, otherwise - len(found))


def _spoken(given: Any, labels: Any) -> Positions | None:
    """Return the positions of the texts that have words, ``None`` where all have, or for vectors.

    Raises:
        ValueError: there are not as many labels.

    """
    texts = texts_of(given) if is_texts(given) else []
    spoken = np.array([bool(text.strip()) for text in texts], np.bool_)
    if spoken.all():
        return None
    count = labels.shape[0] if hasattr(labels, "shape") else len(labels)
    if count != len(texts):
        raise ValueError(f"expected a label for each of {len(texts)} texts, got {count}")
    blank = np.flatnonzero(~spoken)
    warnings.warn(
        f"{len(blank):,} of {len(texts):,} texts left out: they have no words, the first at"
        f" position {blank[0]}",
        stacklevel=3,
    )
    return np.flatnonzero(spoken)


def _of(labels: Any, rows: list[int]) -> Any:
    """Return the labels of some texts, lists or an indicator as all are."""
    if hasattr(labels, "tocsr"):
        return labels.tocsr()[rows]
    if getattr(labels, "ndim", 1) == 2:
        return np.asarray(labels)[rows]
    every = list(labels)
    return [every[row] for row in rows]


def _moved(suspect: Suspect, rows: list[int]) -> Suspect:
    """Return a suspect with the positions of before some rows were left out."""
    near = (replace(other, position=rows[other.position]) for other in suspect.disagreeing)
    return replace(suspect, position=rows[suspect.position], disagreeing=tuple(near))


def _of_each_label(vectors: Vectors, labels: Any, groups: NDArray[Any], folds: int) -> Doubts:
    """Return what is in doubt of texts with any number of labels: each label against the rest."""
    right, classes = indicator(labels)
    if len(right) != len(vectors):
        raise ValueError(f"expected labels for each of {len(vectors)} texts, got {len(right)}")
    held = parts(right, np.unique(groups, return_inverse=True)[1], folds, 0)
    if held.max() < 1:
        raise ValueError("nothing can be held out: label other texts, that differ more")
    rows, columns = np.nonzero(right)
    _tell_lone(different(classes[columns], groups[rows]))
    probabilities, judged = _foretold_each(vectors, right, held)
    ready = Neighbours(vectors)
    found: list[Suspect] = []
    otherwise = 0
    for column, label in enumerate(classes.tolist()):
        shares = np.stack([1 - probabilities[:, column], probabilities[:, column]], axis=1)
        shares[~judged[:, column]] = 0
        y = right[:, column].astype(np.int64)
        elsewhere, odds = _elsewhere(shares, y)
        # Not as many of the lowest odds: these are the texts that have a rare label.
        places = np.flatnonzero(elsewhere & (odds < 0))
        found += _described(places, shares, ready, [None, label], y)
        otherwise += int((odds < 0).sum())
    found.sort(key=lambda s: s.probability / (s.suggested_probability + TINY))
    return Doubts(found, otherwise - len(found))


def _tell_lone(counts: Counter[Any]) -> None:
    """Warn of labels that one text alone has: where it is judged, nothing was learned of them."""
    lone = [label for label, count in counts.items() if count < 2]
    if lone:
        warnings.warn(
            f"{len(lone)} of {len(counts)} labels can't be judged, as they have a single text, or"
            f" copies of it: {more_of(lone)}",
            stacklevel=4,
        )


def _foretold_each(
    vectors: Vectors, right: NDArray[np.bool_], held: Positions
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return out-of-sample probabilities of each label, and which are known, (n, classes).

    A label that all or none of the other folds' examples have can't be judged.
    """
    probabilities = np.zeros(right.shape)
    judged = np.zeros(right.shape, np.bool_)
    for fold in range(held.max() + 1):
        train, test = held != fold, held == fold
        some = right[train].any(axis=0) & ~right[train].all(axis=0)
        seen = Examples(
            vectors[train],
            right[np.ix_(train, some)],
            np.ones(int(train.sum()), np.float32),
            int(some.sum()),
        )
        probabilities[np.ix_(test, some)] = expit(logits(fitted(seen, STRENGTH), vectors[test]))
        judged[np.ix_(test, some)] = True
    return probabilities, judged


def _foretold(vectors: Vectors, y: Positions, classes: int, splits: Sequence[Split]) -> Floats:
    """Return out-of-sample probabilities (n, classes)."""
    probabilities = np.zeros((len(y), classes))
    with one_thread(vectors.size * classes):
        for train, held in splits:
            model = LogisticRegression(C=STRENGTH, max_iter=1_000, tol=1e-3).fit(
                vectors[train], y[train]
            )
            probabilities[np.ix_(held, model.classes_)] = model.predict_proba(vectors[held])
    return probabilities


def _doubted(probabilities: Floats, y: Positions) -> tuple[Positions, int]:
    """Return positions of suspects, worst first: as many as are elsewhere, of the lowest odds.

    And how many examples another label is likelier of.
    """
    elsewhere, odds = _elsewhere(probabilities, y)
    worst = np.argsort(odds, kind="stable")[: int(elsewhere.sum())]
    return worst[odds[worst] < 0], int((odds < 0).sum())


def _elsewhere(probabilities: Floats, y: Positions) -> tuple[NDArray[np.bool_], Floats]:
    """Return which examples are as likely of another class as those that bear its label, (n,).

    And the log odds of the given against the likeliest other label, (n,). A label that was in no
    other fold has no probability, so it can't be judged.
    """
    n = len(y)
    own = probabilities[np.arange(n), y]
    judged = own > 0
    counts = np.bincount(y[judged], minlength=probabilities.shape[1])
    sums = np.bincount(y[judged], own[judged], probabilities.shape[1])
    typical = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    confident = np.where(probabilities >= typical, probabilities, -1)
    elsewhere = (confident.max(axis=1) > 0) & (confident.argmax(axis=1) != y) & judged
    odds = np.log(np.where(judged, own, 1)) - np.log(_others(probabilities, y).max(axis=1) + TINY)
    return elsewhere, np.where(judged, odds, np.inf)


def _others(probabilities: Floats, y: Positions) -> Floats:
    others = probabilities.copy()
    others[np.arange(len(y)), y] = 0
    return others


def _described(
    places: Positions,
    probabilities: Floats,
    ready: Neighbours,
    names: Sequence[Any],
    y: Positions,
) -> list[Suspect]:
    if not len(places):
        return []
    found = ready.search(ready.vectors[places], min(SEEN + 1, len(ready.vectors)))
    others = _others(probabilities[places], y[places])
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
