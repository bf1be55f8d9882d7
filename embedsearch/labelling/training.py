"""Training a classifier on the labels of an index, and finding it again."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from embedsearch.classify import SelectiveClassifier, saving
from embedsearch.classify.defaults import classifier_for
from embedsearch.classify.folds import more_of
from embedsearch.errors import EmbedderMismatch, ModelNotFound
from embedsearch.labelling.examples import examples, told_of_several
from embedsearch.labelling.grouping import groups_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.index import Index
    from embedsearch.store.filters import Where
    from embedsearch.store.models import Trained


def train(
    index: Index,
    estimator: Any = None,
    *,
    max_error: float | None = None,
    group: str | None = None,
    where: Where = None,
    glob: Sequence[str] | None = None,
) -> Trained:
    """Fit an estimator to the labelled documents, and keep it in the index as its newest version.

    Without one it is that which is best for so many labels. It learns from the vectors that are
    there: nothing is embedded but, for some, the labels' names. With ``max_error`` it abstains
    rather than to be wrong more often than that (see ``SelectiveClassifier``). If a document has
    several labels, each label is decided by itself, which a warning says. Documents whose metadata
    says the same under the key ``group``, as a thread, are held out together.

    Raises:
        ValueError: there are no labels, or only one, or no document has that key.

    """
    found = examples(index, where=where, glob=glob)
    if found.multilabel:
        meant = "a document may get any number of them, or none"
        if max_error is not None:
            meant = "an answer with one missing, or one too much, counts as wrong"
        warnings.warn(f"{told_of_several(found)}: {meant}", stacklevel=2)
    if lone := [label for label, count in found.counts.items() if count < 2]:
        warnings.warn(
            f"{len(lone)} of {len(found.counts)} labels have a single document, so how well they"
            f" are told can't be judged: {more_of(lone)}",
            stacklevel=2,
        )
    fitted = estimator
    if fitted is None:
        fitted = classifier_for(found.counts.values(), embedder=index)
    if max_error is not None:
        fitted = SelectiveClassifier(fitted, error=max_error, embedder=index)
    groups = groups_by(index, group, found.ids)
    fitted.fit(found.vectors, found.y, **({"groups": groups} if groups else {}))
    name = type(fitted).__name__
    return index.models.put(index.space, name, found.counts, saving.dumps(fitted))


def trained(index: Index, version: int | None = None) -> tuple[Trained, Any]:
    """Return a trained classifier of an index, the newest for ``None``, and what is told of it.

    Raises:
        ModelNotFound: there is none, or what is kept of it is damaged.
        EmbedderMismatch: it was trained in another space.

    """
    about, state = index.models.get(version)
    if about.space != index.space:
        raise EmbedderMismatch(
            f"classifier {about.version} was trained in {about.space!r}, the index holds vectors of"
            f" {index.space!r}",
            hint="train it again: embedsearch train; in Python: labelling.train(index)",
        )
    try:
        return about, saving.loads(state, embedder=index)
    except ValueError as error:
        raise ModelNotFound(
            f"classifier {about.version} can't be used: {error}",
            hint="train it again: embedsearch train; in Python: labelling.train(index)",
        ) from error
