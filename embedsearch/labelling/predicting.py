"""What a trained classifier says of documents and texts, and which examples speak for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embedsearch.labelling.examples import Examples, examples
from embedsearch.labelling.training import trained
from embedsearch.records import Prediction, Reason
from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from embedsearch.index import Index
    from embedsearch.store.filters import Where

REASONS = 3
"""How many labelled neighbours are shown as the reason of a prediction."""


def classify_texts(
    index: Index, texts: Sequence[str], *, version: int | None = None, secrets: bool = False
) -> list[Prediction]:
    """Return what a trained classifier, the newest for ``None``, says of texts.

    Raises:
        ModelNotFound: nothing was trained.
        EmbedderMismatch: the classifier is of another space.
        ValueError: a text is blank.

    """
    for place, text in enumerate(texts):
        if not text.strip():
            raise ValueError(f"text {place} is blank: there is nothing to classify")
    vectors = index.embed(texts, secrets=secrets)
    return _predictions(index, vectors, [None] * len(texts), version)


def classify_documents(
    index: Index,
    *,
    where: Where = None,
    glob: Sequence[str] | None = None,
    version: int | None = None,
) -> list[Prediction]:
    """Return what a trained classifier says of those documents that are embedded, and keep it.

    Raises:
        ModelNotFound, EmbedderMismatch: as ``classify_texts`` does.

    """
    found = index.document_vectors(where=where, glob=glob)
    said = _predictions(index, found.vectors, found.ids, version)
    if said:
        rows = [
            (prediction.document_id or "", label, prediction.probability)
            for prediction in said
            for label in (prediction.labels or (None,))
        ]
        index.models.note(said[0].version, rows)
    return said


def _predictions(
    index: Index, vectors: NDArray[np.float32], ids: Sequence[str | None], version: int | None
) -> list[Prediction]:
    about, classifier = trained(index, version)
    if not len(vectors):
        return []
    labels, probabilities = _said(classifier, vectors)
    reasons = _reasons(examples(index), vectors, ids)
    return [
        Prediction(id, said, float(probability), near, about.version)
        for id, said, probability, near in zip(ids, labels, probabilities, reasons, strict=True)
    ]


def _said(
    classifier: Any, vectors: NDArray[np.float32]
) -> tuple[list[tuple[str, ...]], NDArray[Any]]:
    """Return the labels of each row, none where it abstains, and how probable they are."""
    probabilities = classifier.predict_proba(vectors)
    predicted = classifier.predict(vectors)
    best = probabilities.max(axis=1)
    if not getattr(classifier, "exclusive_", True):
        taken = [tuple(map(str, classifier.classes_[row.astype(bool)])) for row in predicted]
        return taken, best
    return [() if label is None else (str(label),) for label in predicted], best


def _reasons(
    known: Examples, vectors: NDArray[np.float32], ids: Sequence[str | None]
) -> list[tuple[Reason, ...]]:
    """Return the labelled documents nearest to each row, the row's own left out."""
    similarities, places = neighbours(
        known.vectors, min(REASONS + 1, len(known.ids)), queries=vectors
    )
    found = []
    for id, row, places_of_row in zip(ids, similarities, places, strict=True):
        near = [
            Reason(known.ids[place], known.labels[place], float(similarity))
            for similarity, place in zip(row, places_of_row, strict=True)
            if known.ids[place] != id
        ]
        found.append(tuple(near[:REASONS]))
    return found
