"""Training a classifier on the labels of an index, and finding it again."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from embedsearch.classify import FewShotClassifier, ProbeClassifier, SelectiveClassifier, saving
from embedsearch.errors import EmbedderMismatch
from embedsearch.labelling.examples import Examples, examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sklearn.base import BaseEstimator

    from embedsearch.classify.inputs import Encoder
    from embedsearch.index import Index
    from embedsearch.store.filters import Where
    from embedsearch.store.models import Trained

FEW = 16
"""Up to so many examples a label (the median label's) ``FewShotClassifier`` is the better one."""


def train(
    index: Index,
    estimator: BaseEstimator | None = None,
    *,
    max_error: float | None = None,
    where: Where = None,
    glob: Sequence[str] | None = None,
) -> Trained:
    """Fit an estimator to the labelled documents, and keep it in the index as its newest version.

    Without one it is that which is best for so many labels. It learns from the vectors that are
    there: nothing is embedded but, for some, the labels' names. With ``max_error`` it abstains
    rather than to be wrong more often than that (see ``SelectiveClassifier``).

    Raises:
        ValueError: there are no labels, or only one.

    """
    found = examples(index, where=where, glob=glob)
    fitted: Any = chosen(found, index) if estimator is None else estimator
    if max_error is not None:
        fitted = SelectiveClassifier(fitted, error=max_error, embedder=index)
    fitted.fit(found.vectors, found.y)
    name = type(fitted).__name__
    return index.models.put(index.space, name, found.counts, saving.dumps(fitted))


def chosen(found: Examples, encoder: Encoder) -> BaseEstimator:
    """Return the estimator, not fitted, that is best for so many labels."""
    if found.multilabel or median(found.counts.values()) > FEW:
        return ProbeClassifier(embedder=encoder)
    return FewShotClassifier(embedder=encoder)


def trained(index: Index, version: int | None = None) -> tuple[Trained, Any]:
    """Return a trained classifier of an index, the newest for ``None``, and what is told of it.

    Raises:
        ModelNotFound: there is none.
        EmbedderMismatch: it was trained in another space.

    """
    about, state = index.models.get(version)
    if about.space != index.space:
        raise EmbedderMismatch(
            f"classifier {about.version} was trained in {about.space!r}, the index holds vectors of"
            f" {index.space!r}",
            hint="train it again: embedsearch train",
        )
    return about, saving.loads(state, embedder=index)
