"""Clusters: which groups texts fall into, and what each is about."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import silhouette_score

from embedsearch import arguments
from embedsearch.compare.checking import unit_rows
from embedsearch.vectors.kmeans import kmeans
from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

CHOSEN_ON = 10_000
"""Rows, drawn at random of more, on which numbers of clusters are tried."""

SAMPLE = 2_500
"""Those of them on which each number is judged: the silhouette compares all pairs."""

NAMED_BY = 20_000
"""Texts, the most central of more, that name the clusters: an equal part of each cluster's."""

MOST_TRIED = 300
"""The highest number of clusters that is tried where none is given."""

WITHIN = 0.95
"""The smallest k is taken whose silhouette is at least this share of the best one's."""

TERMS = 5
REPRESENTATIVES = 3


@dataclass(frozen=True, slots=True)
class Cluster:
    """A group of rows.

    ``rows`` are their positions, the most central first; ``cohesion`` is their mean cosine to the
    centre, ``terms`` are words that set their texts apart from the others.
    """

    rows: NDArray[np.int64]
    cohesion: float
    terms: tuple[str, ...] = ()

    @property
    def representatives(self) -> list[int]:
        """The positions of the three most central rows."""
        return [int(row) for row in self.rows[:REPRESENTATIVES]]


def clusters(
    vectors: Vectors, texts: Sequence[str] | None = None, k: int | None = None, *, seed: int = 0
) -> list[Cluster]:
    """Part unit rows (n, d) into k clusters, the largest first, by k-means on the sphere.

    Without k that with the best mean silhouette (cosine; Rousseeuw 1987) is taken among some from
    2 to 300, or a smaller one that is nearly as good. With the rows' texts, clusters are named by
    their distinctive terms (class-based TF-IDF, Grootendorst 2022). A cluster that would be empty
    is left out. Beyond 10,000 rows k is chosen on so many of them, beyond 20,000 so many texts
    name the clusters; every row is put into the cluster of its nearest centre.

    Raises:
        TypeError: k or the seed is no whole number, or a text is no text.
        ValueError: k is not between 1 and the number of rows, there are no rows, one is no unit
            vector, or the lengths differ.

    """
    if not len(vectors):
        raise ValueError("there is nothing to cluster: no document is embedded")
    vectors = unit_rows(vectors)
    said = None if texts is None else arguments.several(texts, "texts")
    if said is not None and len(said) != len(vectors):
        raise ValueError(f"expected a text for each vector, got {len(said)} for {len(vectors)}")
    seed = arguments.whole(seed, "seed")
    k = None if k is None else arguments.whole(k)
    if k is not None and not 1 <= k <= len(vectors):
        raise ValueError(f"expected k from 1 to the {len(vectors)} documents there are, got {k}")
    centres = kmeans(vectors, k or _best_k(vectors, seed), seed=seed)
    similarities, of = (found[:, 0] for found in neighbours(centres, 1, queries=vectors))
    order = np.lexsort((-similarities, of))
    parts = np.split(order, np.flatnonzero(np.diff(of[order])) + 1)
    most = len(vectors) if len(vectors) <= NAMED_BY else NAMED_BY // len(parts)
    terms = distinctive([[said[row] for row in part[:most]] for part in parts]) if said else ()
    made = [
        Cluster(part, float(similarities[part].mean()), terms[n] if terms else ())
        for n, part in enumerate(parts)
    ]
    return sorted(made, key=lambda cluster: -len(cluster.rows))


def _best_k(vectors: Vectors, seed: int) -> int:
    drawn = np.random.default_rng(seed).permutation(len(vectors))
    some = vectors if len(vectors) <= CHOSEN_ON else vectors[drawn[:CHOSEN_ON]]
    most = min(len(some) // 4, MOST_TRIED)
    if most < 2:
        return 1
    judged = vectors[drawn[:SAMPLE]]
    apart = np.clip(1 - judged @ judged.T, 0, 2)
    np.fill_diagonal(apart, 0)
    scores = {}
    for k in _tried(most):
        labels = neighbours(kmeans(some, k, seed=seed), 1, queries=judged)[1][:, 0]
        if 1 < len(np.unique(labels)) < len(judged):
            scores[k] = silhouette_score(apart, labels, metric="precomputed")
    best = max(scores.values(), default=0.0)
    return min((k for k, score in scores.items() if score >= WITHIN * best), default=1)


def _tried(most: int) -> list[int]:
    """Return every number of clusters up to 12, and ten from there to the highest."""
    few = range(2, min(most, 12) + 1)
    many = (round(k) for k in np.geomspace(12, most, 10)) if most > 12 else ()
    return sorted({*few, *many})


def distinctive(groups: Sequence[Sequence[str]], n: int = TERMS) -> list[tuple[str, ...]]:
    """Return the n terms, words or pairs of words, that set each group of texts apart.

    A term's weight in a group is its share of the group's terms times log(1 + A / f), where f is
    its count in all groups and A the mean count of terms a group (Grootendorst 2022, BERTopic).
    """
    reader = CountVectorizer(stop_words="english", ngram_range=(1, 2), max_features=50_000)
    try:
        counts = reader.fit_transform([" \n ".join(group) for group in groups])
    except ValueError:  # there are stop words only
        return [() for _ in groups]
    rarity = np.log1p(counts.sum() / len(groups) / np.asarray(counts.sum(axis=0)).ravel())
    names = reader.get_feature_names_out()
    terms = []
    for first, end in pairwise(counts.indptr):
        places = counts.indices[first:end]  # a group's total divides all its weights: no matter
        likely = np.argsort(-counts.data[first:end] * rarity[places], kind="stable")[: 4 * n]
        terms.append(_apart([str(name) for name in names[places[likely]]])[:n])
    return terms


def _apart(terms: Sequence[str]) -> tuple[str, ...]:
    """Return those of the terms that share no word with one before them."""
    kept: list[str] = []
    for term in terms:
        words = set(term.split())
        if not any(words & set(other.split()) for other in kept):
            kept.append(term)
    return tuple(kept)
