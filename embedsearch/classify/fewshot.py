"""Classification from a few examples a label, and what the labels' names say."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.classify.checking import units
from embedsearch.classify.folds import listed
from embedsearch.classify.inputs import dimensions_of, named, vectors_of
from embedsearch.classify.logistic import Examples, log_loss, logits
from embedsearch.classify.nearness import nearness, whitening
from embedsearch.classify.probe import ProbeClassifier

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.random import RandomState
    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Encoder, Vectors

    Floats = NDArray[np.float64]

TEMPLATES = ("{}", "This is about {}.", "{}?")
"""A name's vector is the mean of it in these."""

SLOPE = 10.0
"""How firmly names are believed when the examples are asked about them: cosines times this."""

FEW = 1_000
"""Examples and names to which nearness is looked at, at most: with more, accuracy was within a
point of that of plain vectors on sections and banking77, and the cost grows with the square."""

BLOCK = 4_096
"""Texts judged at a time: 33 MB of nearness to 1,000 examples."""


class FewShotClassifier(ProbeClassifier):
    """Logistic regression on nearness to examples, with a label's name for one more of them.

    A text is judged by how near it is to each example and name (``nearness``). It is judged by
    its vector, as ``ProbeClassifier`` does, where examples and names are more than 1,000, or
    there are less than two examples a label: their surroundings tell no more then.

    ``names`` are words for each label; ``None`` takes the labels themselves (``_`` and ``-`` read
    as blanks). Names without words, as ``0`` or ``label_3``, are left out, and so are all
    names where the examples speak against them: where the cosines of examples and names
    foretell the labels worse than chance. ``names={}`` uses none.

    The other options, and ``X`` and ``y``, are those of ``ProbeClassifier``. Names are embedded by
    ``embedder``; if ``X`` are vectors of another length, they are not used, and if they are vectors
    and no embedder is named, it is warned that the packaged model is taken.
    """

    def __init__(
        self,
        *,
        names: Mapping[Any, str] | None = None,
        strength: float | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        embedder: Encoder | str | None = None,
        random_state: int | RandomState | None = 0,
    ) -> None:
        super().__init__(
            strength=strength,
            class_weight=class_weight,
            embedder=embedder,
            random_state=random_state,
        )
        self.names = names

    def _known(self, examples: Examples) -> Examples:
        """Return the names as examples, one a class; none where they say nothing."""
        nothing = super()._known(examples)
        columns, said = worded(self.classes_.tolist(), self.names)
        if strange := unknown(self.names, self.classes_.tolist()):
            warnings.warn(strange, stacklevel=4)
        self.named_ = False
        if len(said) < 2 or not self._may_embed(examples.vectors.shape[1]):
            return nothing
        vectors = self._embedded(said) - self.mean_
        self.named_ = _believed(examples, vectors, columns)
        if not self.named_:
            return nothing
        if self.space_ is None and self.embedder is None:
            warnings.warn(
                "the labels' names are embedded by the packaged model: if it did not make these"
                " vectors, name as embedder what did, or say names={}",
                stacklevel=4,
            )
        targets: NDArray[Any] = columns
        if examples.targets.ndim == 2:
            targets = np.eye(examples.classes, dtype=np.bool_)[columns]
        weights = np.ones((len(said), *examples.weights.shape[1:]), np.float32)
        return Examples(vectors, targets, weights, examples.classes)

    def _weigh(self, examples: Examples, known: Examples, held: NDArray[np.int64]) -> None:
        rows = examples.followed_by(known).vectors
        alone = len(examples.vectors) < 2 * examples.classes
        self.examples_ = rows[:0] if alone or len(rows) > FEW else rows
        if not len(self.examples_):
            super()._weigh(examples, known, held)
            return
        matrix = whitening(self.examples_)
        own, names = (_seen(part, self.examples_, matrix) for part in (examples, known))
        super()._weigh(own, names, held)
        self.coef_ = np.concatenate([matrix @ self.coef_[:-1], self.coef_[-1:]])

    def _scored(self, vectors: Vectors) -> Floats:
        if not len(self.examples_):
            return super()._scored(vectors)
        parts = (vectors[start : start + BLOCK] for start in range(0, len(vectors) or 1, BLOCK))
        return np.concatenate([logits(self.coef_, nearness(p, self.examples_)) for p in parts])

    def _may_embed(self, dimensions: int) -> bool:
        return self.space_ is not None or dimensions_of(named(self.embedder)) == dimensions

    def _embedded(self, names: Sequence[str]) -> Vectors:
        texts = [template.format(name) for name in names for template in TEMPLATES]
        rows = vectors_of(texts, self.embedder)
        return units(rows.reshape(len(names), len(TEMPLATES), -1).mean(axis=1))


def _seen(given: Examples, others: Vectors, matrix: Floats) -> Examples:
    """Return examples with features of how near they are to ``others`` for vectors."""
    features = nearness(given.vectors, others) @ matrix
    return replace(given, vectors=features.astype(np.float32))


def unknown(names: Mapping[Any, Any] | None, classes: Collection[Any]) -> str:
    """Return what to say of names of what is no label, "" where there are none."""
    strange = [label for label in names or {} if label not in classes]
    if not strange:
        return ""
    return f"names are given of what is no label, {listed(strange)}: write it as the label is"


def worded(
    classes: Sequence[Any], names: Mapping[Any, str] | None
) -> tuple[NDArray[np.int64], list[str]]:
    """Return the columns whose names say something of their own, and these names."""
    said = [
        str(label if names is None else names.get(label, "")).replace("_", " ").replace("-", " ")
        for label in classes
    ]
    bare = ["".join(c for c in name.casefold() if c.isalpha()) for name in said]
    columns = [i for i, letters in enumerate(bare) if len(letters) > 1 and bare.count(letters) == 1]
    return np.array(columns, np.int64), [said[column] for column in columns]


def _believed(examples: Examples, names: Vectors, columns: NDArray[np.int64]) -> bool:
    """Tell whether names foretell the labels of the examples that have one better than chance."""
    cosines = units(examples.vectors) @ units(names - names.mean(axis=0)).T
    scores: NDArray[Any] = np.multiply(SLOPE, cosines, dtype=np.float64)
    asked, scores = examples.only(columns), scores[examples.of_any(columns)]
    return len(scores) > 0 and log_loss(scores, asked) < log_loss(0 * scores, asked)
