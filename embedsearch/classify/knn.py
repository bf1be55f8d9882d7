"""Classification by the nearest labelled examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from embedsearch import arguments
from embedsearch.classify.calibration import share_of_usual
from embedsearch.classify.checking import are_several, asked, check_above_0, learned, units
from embedsearch.classify.several import learned_several, whole_accuracy
from embedsearch.classify.splitting import COPY, grouped, is_most, warn_of_narrow_space
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.vectors.neighbours import PROBES, Neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.inputs import Encoder, Vectors

    Floats = NDArray[np.float64]
    Found = tuple[NDArray[np.float32], NDArray[np.int64]]
    Tried = tuple[tuple[float, ...], tuple[float, ...]]

EXACT_BELOW = 5_000
"""Examples below which every one is compared: 25 us a text at 384 dimensions."""

TEMPERATURES = (0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3)
"""What is tried: a cosine that is so much lower has a vote of 1/e."""

SHARPNESSES = (1.0, 1.25, 1.5, 1.75, 2.0)
"""What is tried: powers of a label's share of the votes. Below 1 they would answer for what is left
out: of two examples a label the other one alone."""

DEEPER = 4
"""So many times k neighbours of an example are looked at, for k that are not near duplicates."""

TRIED_ON = 10_000
"""Examples that the temperature is chosen on, evenly spread ones of more."""

VOTES_AT_ONCE = 2**24
"""Probabilities held at a time by ``predict``: 128 MB."""


class KNNClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """The weighted vote of the k nearest examples, by cosine: no training but an index.

    A neighbour's vote is exp(cosine / temperature), and a label's probability goes by its share of
    the votes to the power of a sharpness, as the votes of many say more than each by itself. Both
    are those under which each example's neighbours foretell its label best (log loss); its near
    duplicates (a cosine of .95) and what is of its group don't vote there. With a ``temperature``
    given, of which infinity makes all votes equal, the sharpness is 1, as it is of several labels a
    text. Every label gets, besides, its share of the examples, at the cost of the votes, by how
    much better that foretells labels: all, where votes say nothing.

    ``X`` are texts (n,), embedded by ``embedder`` (None: the packaged model; a name; an
    ``Embedder``; an ``Index``), or their vectors (n, d). ``y`` is a label for each text, or, where
    texts have any number of labels, lists of them or an indicator of 0 and 1, shape (n, classes):
    then a neighbour votes for all of its labels, and ``predict`` returns an indicator of those with
    more than half of the votes.

    From 5,000 examples on FAISS searches a part of them (``vectors.neighbours``): of the 20 nearest
    it finds 97 % on banking77, 94 % of 100,000 passages.

    Measured on banking77 with ``benchmarks/labelling.py``: accuracy .921 and calibration error
    .02 on full train; with equal votes .894 and .06.
    """

    def __init__(
        self,
        k: int = 20,
        *,
        temperature: float | None = None,
        embedder: Encoder | str | None = None,
    ) -> None:
        self.k = k
        self.temperature = temperature
        self.embedder = embedder

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any, groups: ArrayLike | None = None) -> Self:
        """Keep the examples, and choose the temperature; those of a group (n,) do not vote there.

        Raises:
            TypeError: k is no whole number, or the temperature none at all.
            ValueError: k or the temperature is too low, a label is missing, there is one class
                only, or there is no group for each text.

        """
        k = arguments.how_many(self.k)
        check_above_0(self.temperature, "temperature")
        self.exclusive_ = not are_several(y)
        self._labels: NDArray[Any]
        if self.exclusive_:
            vectors, labels = learned(self, X, y)
            self.classes_, self._labels = np.unique(labels, return_inverse=True)
        else:
            vectors, self._labels, self.classes_ = learned_several(self, X, y)
        rows = units(vectors)
        self._neighbours = Neighbours(rows, probes=None if len(rows) < EXACT_BELOW else PROBES)
        self._k = min(k, len(rows))
        foretold = self._left_out(rows, grouped(groups, len(rows)))
        counts = np.bincount(self._labels) if self.exclusive_ else self._labels.sum(axis=0)
        tried = _tried(self.temperature, exclusive=self.exclusive_)
        found = _chosen(foretold, counts / len(rows), tried)
        self.temperature_, self.sharpness_, missed = found
        self._kept, self._rest = 1 - missed, missed * counts / len(rows)
        return self

    def kneighbors(self, X: Any, k: int | None = None) -> Found:
        """Return the nearest examples: cosines and positions in ``fit``'s X, both (n, k)."""
        check_is_fitted(self)
        k = self._k if k is None else arguments.how_many(k)
        return self._neighbours.search(units(asked(self, X)), k)

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each of ``classes_``, shape (n, classes)."""
        check_is_fitted(self)
        batches = list(self._batches(asked(self, X)))
        return np.concatenate(batches) if batches else np.empty((0, len(self.classes_)))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each text, (n,), or an indicator (n, classes)."""
        check_is_fitted(self)
        if not self.exclusive_:
            return (self.predict_proba(X) > 0.5).astype(np.int64)
        best = [votes.argmax(axis=1) for votes in self._batches(asked(self, X))]
        labels: NDArray[Any] = self.classes_[np.concatenate([np.empty(0, np.intp), *best])]
        return labels

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy; of several labels the share of texts with all right, no other."""
        check_is_fitted(self)
        if self.exclusive_:
            return float(super().score(X, y, sample_weight))
        return whole_accuracy(self.predict(X), y, self.classes_, sample_weight)

    def _batches(self, vectors: Vectors) -> Iterator[Floats]:
        size = max(1, VOTES_AT_ONCE // len(self.classes_))
        for start in range(0, len(vectors), size):
            found = self._neighbours.search(units(vectors[start : start + size]), self._k)
            yield self._shares(*found)

    def _shares(self, similarities: Vectors, rows: NDArray[np.int64]) -> Floats:
        """Return the probabilities from what was found, both (n, k)."""
        shares = self._counted(_votes(similarities, rows >= 0, self.temperature_), rows)
        if self.sharpness_ != 1:
            shares **= self.sharpness_
            shares /= shares.sum(axis=1, keepdims=True)
        shares *= self._kept
        shares += self._rest
        return shares

    def _counted(self, votes: Floats, rows: NDArray[np.int64]) -> Floats:
        n, classes = len(rows), len(self.classes_)
        if self.exclusive_:
            places = np.arange(n)[:, None] * classes + self._labels[rows]
            counted = np.bincount(places.ravel(), votes.ravel(), n * classes)
            return np.asarray(counted, np.float64).reshape(n, classes)
        shares = np.zeros((n, classes))
        for near in range(rows.shape[1]):  # all at once they would be k times as much memory
            shares += votes[:, near, None] * self._labels[rows[:, near]]
        return shares

    def _left_out(self, rows: Vectors, groups: NDArray[np.int64]) -> _Foretold:
        """Return what neighbours say of each label of each example.

        Examples that only near duplicates and their own group are near to are left out.
        """
        tried = np.arange(0, len(rows), -(-len(rows) // TRIED_ON))
        deep = self._neighbours.search(rows[tried], min(DEEPER * self._k + 1, len(rows)))
        strange = (deep[1] >= 0) & (groups[deep[1]] != groups[tried, None])
        others = strange & (deep[0] < THRESHOLD)
        unlike = strange & (deep[0] < COPY)
        if is_most(int((unlike.any(axis=1) & ~others.any(axis=1)).sum()), len(tried)):
            warn_of_narrow_space(stacklevel=3)
            others = unlike
        first = np.argsort(~others, axis=1, kind="stable")[:, : self._k]
        similarities, found, others = (np.take_along_axis(a, first, 1) for a in (*deep, others))
        if self.exclusive_:
            examples, of = np.arange(len(tried)), self._labels[tried]
            own, votes_for = self._labels[found] == of[:, None], _numbered(self._labels[found])
        else:
            examples, of = np.nonzero(self._labels[tried])
            own = self._labels[found[examples], of[:, None]]
            votes_for = np.broadcast_to(np.arange(found.shape[1]), found.shape)
        near = np.asarray(others.any(axis=1))[examples]
        examples, own, of = examples[near], own[near], of[near]
        similarities = np.where(others, similarities, -np.inf)[examples]
        return _Foretold(similarities, own & others[examples], votes_for[examples], of)


@dataclass(frozen=True, slots=True)
class _Foretold:
    """Examples' neighbours, those left out that prove nothing: similarities (n, k), -inf for none.

    ``own`` tells who has the label in question, which is ``of`` (n,); ``votes_for`` are numbers
    below k, the same for neighbours that vote for the same one.
    """

    similarities: Vectors
    own: NDArray[np.bool_]
    votes_for: NDArray[np.int64]
    of: NDArray[np.int64]

    def part(self, rows: NDArray[np.bool_]) -> _Foretold:
        """Return some of the examples."""
        return _Foretold(
            self.similarities[rows], self.own[rows], self.votes_for[rows], self.of[rows]
        )

    def shares(self, temperature: float, sharpnesses: Sequence[float]) -> list[Floats]:
        """Return the share of the votes that own labels have, (n,), for each sharpness."""
        n, k = self.own.shape
        votes = _votes(self.similarities, np.isfinite(self.similarities), temperature)
        right = (votes * self.own).sum(axis=1)
        places = (np.arange(n)[:, None] * k + self.votes_for).ravel()
        each = np.bincount(places, votes.ravel(), n * k).reshape(n, k)
        return [right**sharpness / (each**sharpness).sum(axis=1) for sharpness in sharpnesses]


def _tried(temperature: float | None, *, exclusive: bool) -> Tried:
    """Return the temperatures and the sharpnesses to choose from."""
    if temperature is not None:
        return (temperature,), (1.0,)
    return TEMPERATURES, SHARPNESSES if exclusive else (1.0,)


def _votes(similarities: Vectors, there: NDArray[np.bool_], temperature: float) -> Floats:
    """Return votes (n, k) that add up to 1 for each text."""
    best = np.where(there, similarities, -np.inf).max(axis=1, keepdims=True)
    steps = np.where(there, np.float64(similarities) - best, 0)
    votes = np.exp(steps / temperature) * there
    shares: Floats = votes / votes.sum(axis=1, keepdims=True)
    return shares


def _numbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the labels of each row (n, k) as numbers from 0, equal where they are."""
    order = np.argsort(labels, axis=1)
    ordered = np.take_along_axis(labels, order, axis=1)
    steps = np.diff(ordered, axis=1, prepend=ordered[:, :1]) > 0
    numbers = np.empty_like(order)
    np.put_along_axis(numbers, order, steps.cumsum(axis=1), axis=1)
    return numbers


def _chosen(foretold: _Foretold, usual: Floats, tried: Tried) -> tuple[float, float, float]:
    """Return temperature and sharpness under which neighbours foretell own labels best.

    And how much of what is ``usual`` of labels, (classes,), is to be mixed in.
    """
    temperatures, sharpnesses = tried
    told = np.asarray(foretold.own.any(axis=1))
    missed = float((~told).sum() + 1) / (len(told) + 2)
    if not told.any():
        return temperatures[len(temperatures) // 2], 1.0, missed
    known = foretold.part(told)
    rest = missed * usual[known.of]
    losses = {}
    for temperature in temperatures:
        for sharpness, shares in zip(
            sharpnesses, known.shares(temperature, sharpnesses), strict=True
        ):
            loss = -float(np.log((1 - missed) * shares + rest).mean())
            losses[temperature, sharpness] = loss
    best = min(losses, key=lambda both: losses[both])
    (shares,) = foretold.shares(best[0], [best[1]])
    return *best, share_of_usual(shares, usual[foretold.of], missed, before=(1, 1))
