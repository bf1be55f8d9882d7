"""What a trained classifier says of documents and texts, and which examples speak for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.classify.unlikeness import least_similarity
from embedsearch.labelling.examples import Examples, labelled
from embedsearch.labelling.training import trained
from embedsearch.records import Prediction, Reason
from embedsearch.store.clock import now
from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from embedsearch.index import Index
    from embedsearch.store.filters import Where

REASONS = 3
"""How many labelled neighbours are shown as the reason of a prediction."""

UNLIKE = 0.01
"""The share of labelled documents that are as far from all others as what is said to be unlike
them: of banking77's test texts 2 in 100 are, at 1 to 20 labelled ones of each kind."""

LEAST_KNOWN = 20
"""With fewer labelled documents too many that are alike would be said to be unlike: 1 in 20."""

SAMPLE = 1_000
"""Labelled documents, drawn at random of more, that tell how near these are to each other."""


def classify_texts(
    index: Index, texts: Sequence[str], *, version: int | None = None, allow_secrets: bool = False
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
    vectors = index.embed(texts, allow_secrets=allow_secrets)
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
    read, generation = now(), index.models.generation
    found = index.document_vectors(where=where, glob=glob)
    said = _predictions(index, found.vectors, found.ids, version)
    if said:
        rows = [
            (p.document_id or "", label, probability)
            for p in said
            for label, probability in _told(p)
        ]
        index.models.note(said[0].version, rows, at=read, generation=generation)
    return said


def _told(said: Prediction) -> Iterable[tuple[str | None, float]]:
    if not said.labels:
        return [(None, said.probability)]
    return zip(said.labels, said.probabilities, strict=True)


def _predictions(
    index: Index, vectors: NDArray[np.float32], ids: Sequence[str | None], version: int | None
) -> list[Prediction]:
    about, classifier = trained(index, version)
    if not len(vectors):
        return []
    known = labelled(index)
    reasons, own = _reasons(known, vectors, ids), {*known.ids}
    least = least_similarity(known.vectors, UNLIKE, fewest=LEAST_KNOWN, sample=SAMPLE)
    return [
        Prediction(
            document_id=id,
            labels=tuple(said),
            probability=probability,
            probabilities=tuple(said.values()),
            reasons=near,
            version=about.version,
            unlike=bool(near) and id not in own and near[0].similarity < least,
        )
        for id, (said, probability), near in zip(
            ids, _said(classifier, vectors), reasons, strict=True
        )
    ]


def _said(
    classifier: Any, vectors: NDArray[np.float32]
) -> Iterator[tuple[dict[str, float], float]]:
    """Yield of each row its labels with their probabilities, and the highest of any label.

    The likeliest label comes first; there is none where the classifier abstains.
    """
    probabilities = classifier.predict_proba(vectors)
    predicted = classifier.predict(vectors)
    names = list(map(str, classifier.classes_))
    for own, said in zip(probabilities, predicted, strict=True):
        best = float(own.max())
        if said is None:
            yield {}, best
        elif getattr(classifier, "exclusive_", True):
            yield {str(said): best}, best
        else:
            has = [name in said for name in names] if isinstance(said, tuple) else said
            order = np.argsort(-own, kind="stable").tolist()
            yield {names[column]: float(own[column]) for column in order if has[column]}, best


def _reasons(
    known: Examples, vectors: NDArray[np.float32], ids: Sequence[str | None]
) -> list[tuple[Reason, ...]]:
    """Return the labelled documents nearest to each row, the row's own left out."""
    if not known.ids:  # their labels may be gone since the training
        return [()] * len(vectors)
    similarities, places = neighbours(
        known.vectors, min(REASONS + 1, len(known.ids)), queries=vectors
    )
    found = []
    for id, row, places_of_row in zip(ids, similarities, places, strict=True):
        near = [
            Reason(known.ids[place], known.labels[place], float(similarity))
            for similarity, place in zip(row, places_of_row, strict=True)
            if place >= 0 and known.ids[place] != id
        ]
        found.append(tuple(near[:REASONS]))
    return found
