"""Which classifier to take where none is named."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from embedsearch.classify.checking import sharing
from embedsearch.classify.fewshot import FewShotClassifier
from embedsearch.classify.probe import ProbeClassifier

if TYPE_CHECKING:
    from collections.abc import Collection

    from embedsearch.classify.inputs import Encoder

FEW = 16
"""Up to so many examples a label (the median label's) the names of labels are worth knowing."""


def to_measure(estimator: Any, counts: Collection[int], encoder: Encoder | str | None) -> Any:
    """Return the estimator that is named, to be fitted, or else the best for so many examples.

    It embeds by ``encoder``. Without that the names of labels can't be embedded.
    """
    if estimator is None and encoder is None:
        return ProbeClassifier()
    if estimator is None:
        return classifier_for(counts, embedder=encoder)
    return sharing(estimator, encoder)


def classifier_for(
    counts: Collection[int], *, embedder: Encoder | str | None = None
) -> ProbeClassifier:
    """Return the classifier, not fitted, that is best for so many examples of each label."""
    kind = FewShotClassifier if median(counts) <= FEW else ProbeClassifier
    return kind(embedder=embedder)
