"""Which classifier to take where none is named."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from embedsearch.classify.fewshot import FewShotClassifier
from embedsearch.classify.probe import ProbeClassifier

if TYPE_CHECKING:
    from collections.abc import Collection

    from embedsearch.classify.inputs import Encoder

FEW = 16
"""Up to so many examples a label (the median label's) the names of labels are worth knowing."""


def classifier_for(
    counts: Collection[int], *, embedder: Encoder | str | None = None
) -> ProbeClassifier:
    """Return the classifier, not fitted, that is best for so many examples of each label."""
    kind = FewShotClassifier if median(counts) <= FEW else ProbeClassifier
    return kind(embedder=embedder)
