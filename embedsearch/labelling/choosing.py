"""Which document to label next, so that few labels teach a classifier much."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.classify.fewshot import FewShotClassifier
from embedsearch.classify.logistic import STRENGTH
from embedsearch.labelling.examples import Examples
from embedsearch.vectors.neighbours import neighbours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Encoder
    from embedsearch.index import Index
    from embedsearch.store.filters import Where

CANDIDATES = 10_000
"""Among so many documents, drawn at random where there are more, the next one is chosen."""

DENSITY_NEIGHBOURS = 20
"""How many of the nearest make out how typical a document is."""

FIRST = 10
"""So many labels are chosen before a classifier is asked what it is unsure of."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A document worth labelling; ``guesses`` are the likeliest labels so far, the best first."""

    document_id: str
    guesses: tuple[str, ...] = ()


class Chooser:
    """Chooses documents to label, one after the other.

    The next one has the highest product of three scores: how *typical* it is (the mean cosine to
    its 20 nearest neighbours, squared), how *new* (1 - the highest cosine to a labelled one) and,
    once there are ten labels of two kinds, how *unsure* a classifier is (1 - the margin between
    the two likeliest labels, squared: "breaking ties", Luo et al. 2005; where documents have
    several labels, that between yes and no to the most doubtful one). On banking77 50, 100 and 200
    labels chosen so gave an accuracy of .49, .69 and .78 where random ones gave .37, .51 and .65,
    and breaking ties alone .43, .58 and .70 (``benchmarks/choosing.py``). What the classifier warns
    of is told once, though it learns anew each time.
    """

    def __init__(self, encoder: Encoder, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Take the candidates: documents by id, their unit vectors (n, d), and what made these."""
        self._encoder = encoder
        self._ids = list(ids)
        self._vectors = vectors
        self._told = set[str]()
        k = min(DENSITY_NEIGHBOURS + 1, len(vectors))
        similarities, _ = neighbours(vectors, k) if k else (np.ones((0, 1)), None)
        self._typical = np.maximum(similarities[:, 1:].mean(axis=1) if k > 1 else 1.0, 0.0) ** 2

    def next(
        self, labels: Mapping[str, tuple[str, ...]], skipped: frozenset[str] = frozenset()
    ) -> Choice | None:
        """Return the best of those that have no label yet, ``None`` where all have one."""
        known = np.array([id in labels for id in self._ids], dtype=bool)
        passed = known | np.array([id in skipped for id in self._ids], dtype=bool)
        if passed.all():
            return None
        probabilities, names, exclusive = self._guessed(labels, known)
        score = self._typical * self._new(known) * _unsure(probabilities, exclusive=exclusive) ** 2
        best = int(np.argmax(np.where(passed, -1.0, score)))
        likeliest = np.argsort(-probabilities[best])[:5].tolist()
        return Choice(self._ids[best], tuple(str(names[n]) for n in likeliest))

    def _new(self, known: NDArray[np.bool_]) -> Any:
        if not known.any():
            return 1.0
        similarities, _ = neighbours(self._vectors[known], 1, queries=self._vectors)
        return np.maximum(1 - similarities[:, 0], 0)

    def _guessed(
        self, labels: Mapping[str, tuple[str, ...]], known: NDArray[np.bool_]
    ) -> tuple[NDArray[Any], Any, bool]:
        """Return what a classifier makes of each candidate: (n, classes), and the classes.

        And whether these exclude each other.
        """
        rows = np.flatnonzero(known)
        learned = Examples(
            [self._ids[row] for row in rows],
            self._vectors[rows],
            [labels[self._ids[row]] for row in rows],
        )
        if len(rows) < FIRST or len(learned.counts) < 2:
            return np.empty((len(self._ids), 0)), (), True
        classifier = FewShotClassifier(strength=STRENGTH, embedder=self._encoder)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            classifier.fit(learned.vectors, learned.y)
        for said in dict.fromkeys(str(warning.message) for warning in heard):
            if said not in self._told:
                self._told.add(said)
                warnings.warn(said, stacklevel=3)
        shares = classifier.predict_proba(self._vectors)
        return shares, classifier.classes_, classifier.exclusive_


def _unsure(probabilities: NDArray[Any], *, exclusive: bool) -> Any:
    if probabilities.shape[1] < 2:
        return 1.0
    if not exclusive:
        return 1 - np.abs(2 * probabilities - 1).min(axis=1)
    likeliest = np.sort(probabilities, axis=1)
    return 1 - (likeliest[:, -1] - likeliest[:, -2])


def chooser(
    index: Index, *, where: Where = None, glob: Sequence[str] | None = None, seed: int = 0
) -> Chooser:
    """Return a chooser among the documents that meet the conditions, labelled ones included."""
    found = index.document_vectors(where=where, glob=glob)
    rows = np.arange(len(found.ids))
    if len(rows) > CANDIDATES:
        labels = index.labels()
        drawn = np.random.default_rng(seed).permutation(len(rows))[:CANDIDATES]
        labelled = [n for n, id in enumerate(found.ids) if id in labels]
        rows = np.unique(np.concatenate([drawn, np.array(labelled, dtype=int)]))
    return Chooser(index, [found.ids[row] for row in rows], found.vectors[rows])
