"""Answers with a promise, or none: abstention, sets of labels, texts unlike all examples."""

from __future__ import annotations

import math
import warnings
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.stats import binom
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    process_routing,
)
from sklearn.utils.validation import _check_method_params, check_is_fitted, has_fit_parameter

from embedsearch.classify.checking import (
    are_several,
    asked,
    check_share,
    generator,
    learned,
    one_label_each,
    sharing,
    units,
)
from embedsearch.classify.folds import copies, different, more_of
from embedsearch.classify.inputs import local
from embedsearch.classify.several import among, as_lists, label_sets, learned_several, told
from embedsearch.classify.splitting import Alike, alike, grouped
from embedsearch.classify.unlikeness import least_similarity
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.vectors.neighbours import Neighbours

if TYPE_CHECKING:
    from numpy.random import RandomState
    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.inputs import Encoder, Vectors

    Floats = NDArray[np.float64]
    Positions = NDArray[np.int64]

STEPS = 20
"""How many thresholds are tested, each of which lets the classifier answer 5 % more texts."""

SAME = 1 - 1e-6
"""From this cosine on two texts are the same, as float32 has it: both are at hand, unlike where
``splitting.COPY`` allows for what lists of two bytes a component round."""


class SelectiveClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """A classifier that answers ``None`` rather than too often wrongly.

    **The promise**: with probability 1 - ``delta`` (over the examples that are held out) at most
    the share ``error`` of what it answers is wrong, for texts drawn like the examples. Thresholds
    of confidence are tested from the strictest to the loosest on ``holdout`` of the examples,
    of which, and of near duplicates of which, ``estimator`` learns nothing: exact binomial tests,
    joined by the fallback procedure (Wiens 2003), so that all together err with probability
    ``delta`` (Angelopoulos et al. 2021, Learn then Test). It is assumed that more confidence never
    means more mistakes. Near duplicates have a cosine of ``alike`` or more, 1 for copies alone, and
    so has what they join.

    **Texts unlike all examples** are answered ``None``, too: those whose most similar example has
    a lower cosine than all but the share ``unlike`` of the examples have to their own most
    similar other one. ``None`` for ``unlike`` answers them like others.

    ``estimator`` is any classifier of vectors with ``predict_proba``. ``X`` are texts (n,),
    embedded by ``embedder``, or their vectors (n, d). ``random_state`` draws the examples that are
    held out; ``None``, and numpy's ``RandomState``, draw others each time.

    **Texts with several labels** are answered with a tuple of all of theirs, or ``None``. An answer
    is wrong as soon as a label is missing or too much: the strictest reading, so that the promise
    holds for any other.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        error: float = 0.05,
        delta: float = 0.05,
        unlike: float | None = 0.01,
        alike: float = THRESHOLD,
        holdout: float = 0.2,
        embedder: Encoder | str | None = None,
        random_state: int | RandomState | None = 0,
    ) -> None:
        self.estimator = estimator
        self.error = error
        self.delta = delta
        self.unlike = unlike
        self.alike = alike
        self.holdout = holdout
        self.embedder = embedder
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: ArrayLike | None = None, **params: Any) -> Self:
        """Train on a part of the examples, calibrate on the rest.

        Of near duplicates, and of the examples of one of ``groups`` (n,), one is held out or all
        are learned from: they say too little of new texts, and of each other too much. A class may
        be held out whole, and is not learned then, which a warning says. ``y`` is a label for each
        text, or lists of them, or an indicator of 0 and 1, shape (n, classes), which ``estimator``
        gets as lists, too. ``params`` are what it asks for by scikit-learn's metadata routing.

        Raises:
            TypeError: an option is no number, or ``estimator`` has no ``predict_proba``.
            ValueError: an option is not a share, a label is missing, there is one class only, or
                no class has two examples of different groups, or one class alone is left to learn.

        """
        for name in ("error", "delta", "holdout"):
            check_share(getattr(self, name), name)
        if self.unlike is not None:
            check_share(self.unlike, "unlike")
        if self.alike != 1:
            check_share(self.alike, "alike")
        if not hasattr(self.estimator, "predict_proba"):
            raise TypeError(
                f"expected an estimator with predict_proba, got {type(self.estimator).__name__}:"
                " wrap it in scikit-learn's CalibratedClassifierCV"
            )
        self.exclusive_ = not are_several(y)
        vectors = (learned if self.exclusive_ else learned_several)(self, X, y)[0]
        labels = self._given(y)
        same = self._alike(vectors, groups)
        train, held = _split(labels, same, self.holdout, generator(self.random_state))
        self._tell_unlearned(labels, train, same.groups)
        texts = self.space_ is not None
        encoder = local() if texts and self.embedder is None else self.embedder
        own = labels[train] if self.exclusive_ else as_lists(labels[train])
        more = self._routed(vectors, params, same.groups, train)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the labels .* differ only by case")  # said above
            self.estimator_ = sharing(self.estimator, encoder).fit(vectors[train], own, **more)
        self.classes_ = self.estimator_.classes_
        rows = units(vectors[train])
        self._examples = Neighbours(rows)
        self.least_similarity_ = -1.0
        if self.unlike is not None:
            self.least_similarity_ = least_similarity(rows, self.unlike, same=same.part(train))
        return self._calibrate(vectors[held], labels[held])

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what it asks for itself, and what ``estimator`` does, for scikit-learn."""
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=to_fit)

    def _routed(
        self, vectors: Vectors, params: dict[str, Any], groups: Positions, train: Positions
    ) -> dict[str, Any]:
        """Return what ``estimator`` gets to learn from these rows, besides their labels."""
        _raise_for_params(params, self, "fit")
        found = dict(process_routing(self, "fit", **params).estimator.fit) if params else {}
        if has_fit_parameter(self.estimator, "groups"):
            found["groups"] = groups
        return _check_method_params(vectors, found, indices=train)  # type: ignore[no-any-return]  # sklearn has no types

    def calibrate(self, X: Any, y: Any, groups: ArrayLike | None = None) -> Self:
        """Choose the threshold anew, on examples that were not learned from: what is in use.

        Of near duplicates, and of the examples of one of ``groups`` (n,), one counts, and none that
        is a near duplicate of what was learned from, which a warning says.

        Raises:
            NotFittedError: ``fit`` was not called.
            TypeError: texts have several labels, and one of them no list.
            ValueError: the lengths differ, there are no examples, all were learned from, a label is
                missing, or a text has several where none had.

        """
        check_is_fitted(self)
        vectors, labels = asked(self, X), self._given(y)
        if len(vectors) != len(labels) or not len(labels):
            raise ValueError(
                f"expected texts and as many labels, got {len(vectors)} and {len(labels)}"
            )
        rows = units(vectors)
        same = self._alike(vectors, groups)
        nearest = self._examples.search(rows, 1)[0][:, 0]
        seen = nearest >= min(self.alike, SAME)
        known = np.isin(same.groups, same.groups[seen]) | np.isin(same.near, same.near[seen])
        if known.any():
            self._tell_known(int(known.sum()), len(rows))
        new = np.flatnonzero(~known)
        own = new[_firsts(same.part(new))]
        return self._calibrate(vectors[own], labels[own])

    def predict(self, X: Any) -> NDArray[np.object_]:
        """Return a label, or a tuple of several, or ``None`` for each text, (n,) objects."""
        check_is_fitted(self)
        vectors = asked(self, X)
        probabilities = self._probabilities(vectors)
        answers = self._answers(vectors, probabilities)
        answers[self._confidences(vectors, probabilities) <= self.threshold_] = None
        return answers

    def predict_proba(self, X: Any) -> Floats:
        """Return the estimator's probability of each of ``classes_``, shape (n, classes)."""
        check_is_fitted(self)
        return self._probabilities(asked(self, X))

    def predict_set(self, X: Any, *, alpha: float = 0.1) -> NDArray[np.bool_]:
        """Return which of ``classes_`` may be a text's label, shape (n, classes).

        **The promise**: the label, or all of several, are among them with probability 1 - ``alpha``
        or more, over held-out examples and texts drawn alike: split conformal prediction (Vovk et
        al. 2005) with the scores 1 - probability (Sadinle et al. 2019), whose sets are the smallest
        on average; of several labels the highest score counts. An empty set says that no label
        fits. Where more than ``alpha`` of the held-out examples have labels that were not learned,
        no set can keep it, which a warning says.
        """
        check_share(alpha, "alpha")
        probabilities = self.predict_proba(X)
        # Of n + 1 exchangeable texts this many may be less conforming than the bound.
        spared = int(np.floor(alpha * (len(self._conformity) + 1) + 1e-9))
        least = self._conformity[spared - 1] if spared else -np.inf
        strange = float(np.isneginf(self._conformity).mean())
        if strange > alpha:
            warnings.warn(
                f"no set keeps the promise: {strange:.0%} of the held-out examples have labels that"
                " were not learned; label more of these, or allow more than that",
                stacklevel=2,
            )
        may_be: NDArray[np.bool_] = probabilities >= least
        return may_be

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of right answers among those given; NaN where none is.

        Of two of these, the one that answers less is likely to have more: to choose between them,
        count what is right of all texts, as ``np.mean(model.predict(X) == y)`` does.
        """
        answers, labels = self.predict(X), self._given(y)
        given = np.array([answer is not None for answer in answers], np.bool_)
        weights = given * (1.0 if sample_weight is None else np.asarray(sample_weight))
        total = weights.sum()
        return float((weights * (answers == labels)).sum() / total) if total else float("nan")

    def _given(self, y: Any) -> NDArray[Any]:
        """Return the label of each text, or its labels as a tuple, (n,)."""
        return one_label_each(y) if self.exclusive_ else label_sets(y)

    def _alike(self, vectors: Vectors, groups: ArrayLike | None) -> Alike:
        if self.alike == 1:
            same = copies(vectors)
            return Alike(same if groups is None else grouped(groups, len(vectors)), same)
        return alike(units(vectors), groups, threshold=self.alike)

    def _tell_unlearned(self, labels: NDArray[Any], train: Positions, groups: NDArray[Any]) -> None:
        """Warn of labels that are not learned; raise where too little is, or nothing held out."""
        names, known = (
            {*some.tolist()} if self.exclusive_ else {*chain.from_iterable(some)}
            for some in (labels, labels[train])
        )
        lone = self.exclusive_ and max(different(labels, groups).values()) == 1
        if lone or len(known) < 2:
            raise ValueError(
                "expected examples to hold out for calibration, got"
                f" {len(np.unique(groups))} different ones (cosines below {self.alike}) of"
                f" {len(names)} classes: label more of each"
            )
        if unlearned := sorted(names - known):
            warnings.warn(
                f"{len(unlearned)} of {len(names)} labels are not learned, as all of their examples"
                f" are held out: {more_of(unlearned)}",
                stacklevel=3,
            )

    def _tell_known(self, count: int, total: int) -> None:
        """Warn of examples that were learned from; raise where that are all."""
        said = f"{count:,} of {total:,} examples were learned from, or say nearly the same"
        if count == total:
            raise ValueError(f"expected examples to calibrate on, but {said}: give others")
        warnings.warn(f"{said}: they prove nothing and are left out", stacklevel=3)

    def _answers(self, vectors: Vectors, probabilities: Floats) -> NDArray[np.object_]:
        if not self.exclusive_:
            return told(np.asarray(self.estimator_.predict(vectors)) > 0, self.classes_)
        return self.classes_[probabilities.argmax(axis=1)].astype(object)  # type: ignore[no-any-return]

    def _conforming(self, probabilities: Floats, labels: NDArray[Any]) -> Floats:
        """Return the least probability of a text's labels (n,), -inf where one is not learned."""
        if self.exclusive_:
            has, counts = labels[:, None] == self.classes_, np.ones(len(labels))
        else:
            has, counts = among(labels, self.classes_), np.array([len(own) for own in labels])
        least = np.where(has, probabilities, np.inf).min(axis=1)
        return np.where(has.sum(axis=1) < counts, -np.inf, least)

    def _calibrate(self, vectors: Vectors, labels: NDArray[Any]) -> Self:
        probabilities = self._probabilities(vectors)
        self._conformity = np.sort(self._conforming(probabilities, labels))
        wrong = self._answers(vectors, probabilities) != labels
        confidences = self._confidences(vectors, probabilities)
        self.threshold_ = _threshold(confidences, wrong, self.error, self.delta)
        if self.threshold_ == np.inf:
            why = self._hopeless(len(labels))
            warnings.warn(
                f"nothing will be answered: {why}; label more, or allow more errors", stacklevel=3
            )
        return self

    def _hopeless(self, held_out: int) -> str:
        """Return why no threshold keeps the promise."""
        promise = f"that at most {self.error * 100:g}% of the answers are wrong"
        fewest = math.ceil(math.log(self.delta) / math.log1p(-self.error))
        if held_out < fewest:
            return f"to show {promise} takes {fewest} held-out examples or more, got {held_out}"
        return f"of {held_out} held-out examples too few are surely told right to show {promise}"

    def _confidences(self, vectors: Vectors, probabilities: Floats) -> Floats:
        """Return how probable each answer is, -inf for a text unlike all examples.

        Of several labels it is as if each were decided by itself.
        """
        confidences: Floats = probabilities.max(axis=1, initial=0)
        if not self.exclusive_:
            confidences = np.maximum(probabilities, 1 - probabilities).prod(axis=1)
        if self.least_similarity_ > -1 and len(vectors):
            similarities, _ = self._examples.search(units(vectors), 1)
            confidences[similarities[:, 0] < self.least_similarity_] = -np.inf
        return confidences

    def _probabilities(self, vectors: Vectors) -> Floats:
        if not len(vectors):
            return np.empty((0, len(self.classes_)))
        return np.asarray(self.estimator_.predict_proba(vectors), np.float64)


def _split(
    labels: NDArray[Any], same: Alike, share: float, chance: np.random.Generator
) -> tuple[Positions, Positions]:
    """Return which examples to learn from and which to hold out, each as likely as any other.

    One of each group stands for it. Held out is one in so many in the order of classes, which keeps
    their proportions. Classes of one group are no exception, though they are not learned then: that
    of a new text may have no example, too.
    """
    firsts = chance.permutation(_firsts(same))
    firsts = firsts[np.argsort(labels[firsts], kind="stable")]
    size = max(round(share * len(firsts)), 1)
    places = (np.arange(size) + chance.random()) * len(firsts) / size
    held = firsts[places.astype(np.int64)]
    rest = np.flatnonzero(~np.isin(same.groups, same.groups[held]))
    return same.apart([(rest, held)])[0]


def _firsts(same: Alike) -> Positions:
    """Return the first example of each group that no other has; else one of these alike."""
    order = np.argsort(same.across, kind="stable")
    own = order[np.unique(same.groups[order], return_index=True)[1]]
    found: Positions = own[np.unique(same.near[own], return_index=True)[1]]
    return found


def _threshold(confidences: Floats, wrong: NDArray[np.bool_], error: float, delta: float) -> float:
    """Return the lowest confidence that must be exceeded; inf where nothing may be answered.

    Of n texts the surest n/20, 2n/20, ... are looked at, as far as they are enough to show
    anything. Whether more than ``error`` of the answers above the last one are wrong is tested at
    the level that a rejected test hands on to the next; at every quarter of the texts an equal
    share of ``delta`` is added.
    """
    n = len(confidences)
    order = np.argsort(-confidences, kind="stable")
    steps = np.arange(1, STEPS + 1)
    steps = steps[binom.cdf(0, steps * n // STEPS, error) <= delta]
    quarters = steps % (STEPS // 4) == 0
    least, level = float("inf"), 0.0
    for step, quarter in zip(steps, quarters, strict=True):
        beyond = -np.inf if step == STEPS else float(confidences[order[step * n // STEPS]])
        answered = confidences > beyond
        level += quarter * delta / quarters.sum()
        if binom.cdf(wrong[answered].sum(), answered.sum(), error) > level:
            level = 0.0
        else:
            least = beyond
    return least
