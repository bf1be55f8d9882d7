"""Explaining: what a hit's score is made of, and what is usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedsearch.records import Explanation
from embedsearch.store import documents, fulltext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.records import Hit
    from embedsearch.search.dense import DenseIndex

    Vectors = NDArray[np.float32]


def explain(
    index: DenseIndex, query: str, vector: Vectors, hits: Sequence[Hit]
) -> list[Explanation]:
    """Say of each hit how near it is to a vector (d,), unless that is empty, and to the words.

    Raises:
        DocumentNotFound: the index does not hold a hit's chunk any more.

    """
    texts = [documents.text_of(index.database, hit) for hit in hits]
    cosines = _cosines(index, vector, texts)
    best = fulltext.best_score(index.database, query, fulltext.held_texts(index.database))
    scores = fulltext.scores_by_term(index.database, query, texts)
    asked = fulltext.terms(query)
    return [
        Explanation(
            meaning=cosine,
            words=sum(scores[text].values()) / best,
            terms={term: scores[text].get(term, 0.0) / best for term in asked},
        )
        for text, cosine in zip(texts, cosines, strict=True)
    ]


def usual(index: DenseIndex, vector: Vectors, most: int) -> Vectors:
    """Return a vector's cosines with up to ``most`` texts, evenly drawn from all; none of none."""
    held = index.current()
    return held.scores(vector, held.sample(most)) if len(vector) else vector


def _cosines(index: DenseIndex, vector: Vectors, texts: Sequence[int]) -> list[float | None]:
    if not len(vector):
        return [None] * len(texts)
    cosines = index.current().scores(vector, np.array(texts, np.int64)).tolist()
    return [None if np.isnan(cosine) else cosine for cosine in cosines]
