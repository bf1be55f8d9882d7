"""Classification without examples: a text is what its label says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from embedsearch.classify.calibration import fitted_temperature, softened
from embedsearch.classify.checking import asked, check_above_0, learned, units
from embedsearch.classify.inputs import named, vectors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Encoder, Vectors

    Floats = NDArray[np.float64]

Descriptions: TypeAlias = Mapping[Any, str | Sequence[str]]

TEMPERATURE = 0.05
"""A cosine that is so much lower means a probability of 1/e, where nothing is known; 0.06 fits
banking77 best."""


class ZeroShotClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """The label whose words are nearest to the text's, by cosine.

    ``labels`` are names (``_`` and ``-`` are read as blanks), or a mapping of each label to its
    description or several, or phrases as they are said; ``None`` takes the names from ``fit``'s y.
    Each phrase is put into each of ``templates`` at ``{}``, and a label's vector is the mean.

    The probabilities are softmax(cosines / temperature): with no examples 0.05, which is a guess;
    with ``fit(X, y)`` the temperature that foretells these labels best, near 0.05 where they are
    few. The predictions are the same.

    ``X`` are texts (n,), embedded by ``embedder`` as the labels are, or their vectors (n, d).
    """

    def __init__(
        self,
        labels: Sequence[Any] | Descriptions | None = None,
        *,
        templates: Sequence[str] = ("{}",),
        temperature: float | None = None,
        embedder: Encoder | str | None = None,
    ) -> None:
        self.labels = labels
        self.templates = templates
        self.temperature = temperature
        self.embedder = embedder

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Embed the labels; with texts and their labels, calibrate the probabilities, too.

        Raises:
            ValueError: there are less than two labels, one is blank or twice there, a template
                has no ``{}``, the temperature is not above 0, or ``y`` holds a label that is not
                one of them.

        """
        check_above_0(self.temperature, "temperature")
        vectors = None
        if y is not None:
            vectors, y = learned(self, X, y)
        phrases = _phrases(_names(y) if self.labels is None else self.labels)
        self.classes_ = np.array(sorted(phrases))
        self.label_vectors_ = self._embedded([phrases[label] for label in sorted(phrases)])
        if vectors is None:
            self.n_features_in_ = self.label_vectors_.shape[1]
        self.space_ = named(self.embedder).space
        self.temperature_ = self.temperature or TEMPERATURE
        if vectors is not None and self.temperature is None:
            own = np.arange(len(vectors)), self._columns(y)
            cosines = self._cosines(vectors)
            self.temperature_ = fitted_temperature(
                lambda t: -float(log_softmax(cosines / t, axis=1)[own].mean()),
                TEMPERATURE,
                len(vectors),
            )
        return self

    def decision_function(self, X: Any) -> Floats:
        """Return the cosine of each text with each of ``classes_``, shape (n, classes).

        Of two it is how much nearer the second one is, (n,), as scikit-learn wants it.
        """
        cosines = self._scores(X)
        return cosines[:, 1] - cosines[:, 0] if len(self.classes_) == 2 else cosines

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each of ``classes_``, shape (n, classes)."""
        return softened(self._scores(X), self.temperature_)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the nearest label of each text, shape (n,)."""
        best = self._scores(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def _scores(self, X: Any) -> Floats:
        check_is_fitted(self)
        return self._cosines(asked(self, X))

    def _cosines(self, vectors: Vectors) -> Floats:
        if vectors.shape[1] != self.label_vectors_.shape[1]:
            raise ValueError(
                f"expected vectors of the embedder of the labels, {self.label_vectors_.shape[1]}"
                f" components, got {vectors.shape[1]}: name it as embedder"
            )
        return np.float64(units(vectors) @ self.label_vectors_.T)  # type: ignore[return-value]

    def _embedded(self, phrases: list[list[str]]) -> Vectors:
        """Return the mean of each label's phrases in all templates, unit rows (labels, d)."""
        if isinstance(self.templates, str) or not len(self.templates):
            raise ValueError(f"expected a list of templates, got {self.templates!r}")
        for template in self.templates:
            if "{}" not in template:
                raise ValueError(f"expected a template with {{}} in it, got {template!r}")
        said = [[t.replace("{}", p) for p in own for t in self.templates] for own in phrases]
        rows = vectors_of([text for own in said for text in own], self.embedder)
        starts = np.cumsum([0, *map(len, said[:-1])])
        return units(np.add.reduceat(rows, starts, axis=0))

    def _columns(self, y: NDArray[Any]) -> NDArray[np.int64]:
        strange = np.setdiff1d(y, self.classes_).tolist()
        if strange:
            raise ValueError(f"{strange[0]!r} in y is none of the {len(self.classes_)} labels")
        return np.searchsorted(self.classes_, y)


def _names(y: Any) -> list[Any]:
    if y is None:
        raise ValueError("expected labels: name them, or give texts with theirs to fit")
    return list(np.unique(y).tolist())


def _phrases(labels: Sequence[Any] | Descriptions) -> dict[Any, list[str]]:
    """Return what is said of each label, at least one phrase."""
    if isinstance(labels, str):
        raise TypeError(f"expected several labels, got the text {labels!r}")
    if isinstance(labels, Mapping):
        found = {k: [v] if isinstance(v, str) else list(v) for k, v in labels.items()}
    else:
        found = {label: [str(label).replace("_", " ").replace("-", " ")] for label in labels}
    if len({isinstance(label, str) for label in found}) > 1:
        raise ValueError(f"expected labels of one kind, all texts or none, got {list(found)!r:.80}")
    if len(found) < max(2, len(labels)):
        raise ValueError(f"expected two labels or more, all different, got {list(labels)!r:.80}")
    for label, said in found.items():
        if not said or not all(str(phrase).strip() for phrase in (label, *said)):
            raise ValueError(f"expected words for the label {label!r}, got {said!r:.80}")
    return found
