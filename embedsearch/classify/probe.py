"""Classification by logistic regression on vectors."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from embedsearch.classify.checking import (
    are_several,
    asked,
    check_above_0,
    generator,
    learned,
    units,
    weights_of,
)
from embedsearch.classify.folds import parts
from embedsearch.classify.logistic import (
    FOLDS,
    STRENGTHS,
    Calibration,
    Examples,
    chosen,
    fitted,
    logits,
    probabilities,
)
from embedsearch.classify.several import label_weights, learned_several, whole_accuracy
from embedsearch.classify.splitting import alike_as_evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import RandomState
    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.inputs import Encoder, Vectors

    Floats = NDArray[np.float64]


class ProbeClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Logistic regression on the vectors: the choice where there are many examples.

    ``strength`` is scikit-learn's C; ``None`` chooses it by the log loss of held-out examples,
    on which the probabilities are calibrated, too; where examples times classes are
    more than 20 million, by those of some of the classes. After ``fit``, ``temperature_`` is what
    scores are divided by, and ``noise_`` the share of labels, 0 to 1, that are explained best as
    any of the classes, whatever the text: so much of each probability is shared out evenly. Of
    several labels a text it is 0. ``class_weight`` is
    ``"balanced"`` or a weight for each label, as in scikit-learn; of several labels a text each is
    weighted by itself, a label's weight being that of the texts that have it.

    ``X`` are texts (n,), embedded by ``embedder`` (None: the packaged model; a name; an
    ``Embedder``; an ``Index``), or their vectors (n, d). ``y`` is a label for each text, or, where
    texts have any number of labels, lists of them or an indicator of 0 and 1, shape (n, classes):
    then each label is decided on its own, and ``predict`` returns an indicator of ``classes_``.
    ``random_state`` deals the examples that are held out, near duplicates (a cosine of .95)
    together; ``None``, and numpy's ``RandomState``, deal others each time.
    """

    noise_ = 0.0
    """That of a classifier that was saved before there was such a share."""

    def __init__(
        self,
        *,
        strength: float | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        embedder: Encoder | str | None = None,
        random_state: int | RandomState | None = 0,
    ) -> None:
        self.strength = strength
        self.class_weight = class_weight
        self.embedder = embedder
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Learn from texts or vectors and their labels, each as often as ``sample_weight`` (n,).

        What is of one of ``groups`` (n,), and without these near duplicates, is held out together
        where strength and confidence are chosen.

        Raises:
            ValueError: ``strength`` is not above 0, a label is missing, there is one class only, a
                weight is negative, or there is no group for each text.

        """
        check_above_0(self.strength, "strength")
        self.exclusive_ = not are_several(y)
        targets: NDArray[Any]
        if self.exclusive_:
            vectors, labels = learned(self, X, y)
            self.classes_, targets = np.unique(labels, return_inverse=True)
        else:
            vectors, targets, self.classes_ = learned_several(self, X, y)
        weights = weights_of(sample_weight, vectors)
        if self.class_weight is not None and self.exclusive_:
            weights = weights * compute_sample_weight(self.class_weight, labels)
        elif self.class_weight is not None:
            each = label_weights(self.class_weight, targets.astype(np.bool_), self.classes_)
            weights = weights[:, np.newaxis] * each
        same = alike_as_evidence(units(vectors), groups)
        held = parts(targets, same.groups, FOLDS, generator(self.random_state))
        held[same.across] = -1  # learned from in every fold
        self.mean_ = vectors.mean(axis=0)
        examples = Examples(
            vectors - self.mean_, targets, weights.astype(np.float32), len(self.classes_)
        )
        self._weigh(examples, self._known(examples), held)
        return self

    def _weigh(self, examples: Examples, known: Examples, held: NDArray[np.int64]) -> None:
        strengths = STRENGTHS if self.strength is None else (float(self.strength),)
        found = chosen(examples, known, strengths, held)
        self.strength_ = found.strength
        self.temperature_, self.noise_ = astuple(found.calibration)
        self.coef_ = fitted(examples.followed_by(known), found.strength, found.start)

    def _known(self, examples: Examples) -> Examples:
        """Return what is known besides the examples: nothing."""
        return examples.part(np.empty(0, np.int64))

    def decision_function(self, X: Any) -> Floats:
        """Return scores, shape (n, classes); for two exclusive classes (n,), as scikit-learn."""
        scores = self._scores(X)
        if self.exclusive_ and len(self.classes_) == 2:
            return scores[:, 1] - scores[:, 0]
        return scores

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each of ``classes_``, shape (n, classes)."""
        scores = self._scores(X)
        calibration = Calibration(self.temperature_, self.noise_)
        return probabilities(scores, calibration, exclusive=self.exclusive_)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each text, or an indicator (n, classes)."""
        scores = self._scores(X)
        if not self.exclusive_:
            return (scores > 0).astype(np.int64)
        labels: NDArray[Any] = self.classes_[scores.argmax(axis=1)]
        return labels

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy; of several labels the share of texts with all right, no other."""
        check_is_fitted(self)
        if self.exclusive_:
            return float(super().score(X, y, sample_weight))
        return whole_accuracy(self.predict(X), y, self.classes_, sample_weight)

    def _scores(self, X: Any) -> Floats:
        check_is_fitted(self)
        return self._scored(asked(self, X) - self.mean_)

    def _scored(self, vectors: Vectors) -> Floats:
        return logits(self.coef_, vectors)
