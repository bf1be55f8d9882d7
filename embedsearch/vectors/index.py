"""Nearest neighbours over (label, unit vector) rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.errors import DimensionMismatch, IndexCorrupt
from embedsearch.heap import hand_back
from embedsearch.vectors import file
from embedsearch.vectors.calibration import Calibration
from embedsearch.vectors.labels import Register, Selection
from embedsearch.vectors.rows import best
from embedsearch.vectors.rungs import FLAT_BELOW, Flat, Rung, climbed, restored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from embedsearch.vectors.file import Parts

    Labels = NDArray[np.int64]
    Vectors = NDArray[np.float32]
    Stamp = Mapping[str, int | str]


class VectorIndex:
    """Rows of (label, unit vector), searched by inner product; a higher score is better.

    Labels are row ids of a database: positive, not much larger than their number, in any order.
    Below ``flat_below`` rows the search is exact; from there on a fast scan of quantised vectors
    proposes candidates, and vectors of two bytes a component rank them. Not to be changed in one
    thread while another searches.
    """

    def __init__(self, dimensions: int, *, flat_below: int = FLAT_BELOW) -> None:
        self.dimensions = dimensions
        self.flat_below = flat_below
        self._register = Register()
        self._rung: Rung = Flat.empty(dimensions)

    @classmethod
    def build(
        cls, labels: Labels, vectors: Vectors, *, flat_below: int = FLAT_BELOW
    ) -> VectorIndex:
        """Return an index of these rows; raises as ``add`` does."""
        index = cls(vectors.shape[1], flat_below=flat_below)
        index.add(labels, vectors)
        return index

    def __len__(self) -> int:
        return len(self._register) - self.dead

    @property
    def dead(self) -> int:
        """How many rows are tombstones: they take up space, and are never found."""
        return self._register.dead

    @property
    def wasted(self) -> float:
        """The share of rows that are tombstones, 0 to 1; ``compact`` near 0.2."""
        return self.dead / max(1, len(self._register))

    @property
    def recall(self) -> float:
        """Recall@10 on the index's own rows when last measured; 1 while the search is exact."""
        return self._rung.calibration.recall

    def reserve(self, more: int) -> None:
        """Make room for so many more rows; a growing index is twice in memory at times without."""
        self._rung.rows.reserve(len(self._register) + more)

    def add(self, labels: Labels, vectors: Vectors) -> None:
        """Add rows: (n,) labels and (n, d) vectors; a tombstoned label gets the new vector.

        Raises ``ValueError`` for a label that is live, repeated or not positive and for
        components that are not finite, ``DimensionMismatch`` for another d. A refused call
        changes nothing.
        """
        labels = np.ascontiguousarray(labels, np.int64)
        vectors = self._checked(vectors, ndim=2)
        if labels.shape != (len(vectors),):
            raise ValueError(f"expected {len(vectors)} labels, one a vector, not {labels.shape}")
        self._register.check_new(labels)
        self._rung = climbed(self._rung, vectors, self.flat_below)
        self._rung.append(vectors)
        self._register.append(labels)

    def remove(self, labels: Labels) -> None:
        """Turn rows into tombstones; unknown labels are ignored."""
        self._register.remove(labels)

    def compact(self) -> None:
        """Drop the tombstones for good, at no loss of accuracy."""
        self._rung.keep(self._register.alive)
        self._register = self._register.kept()

    def selection(self, labels: Labels) -> Selection:
        """Prepare ``labels`` (in any order, some perhaps unknown) as a filter for searches."""
        return self._register.select(labels)

    def search(
        self, query: Vectors, k: int, *, allowed: Labels | Selection | None = None
    ) -> tuple[Labels, Vectors]:
        """Return the labels and scores of the ``min(k, live allowed)`` best rows, best first.

        ``query`` has shape (d,); of equal scores the lower label comes first. Raises
        ``ValueError`` for k below 1 or a query that is not finite, ``DimensionMismatch``.
        """
        query = self._checked(query, ndim=1)
        selection = self._register.current(allowed)
        k = self._capped(k, selection)
        return self._ranked(*self._rung.search(query, k, selection), k)

    def scores(self, query: Vectors, labels: Labels) -> Vectors:
        """Return the inner product with each label's vector, NaN where it has no live one."""
        query = self._checked(query, ndim=1)
        places = self._register.live_places(labels)
        scores = np.full(len(places), np.nan, np.float32)
        scores[places >= 0] = self._rung.rows.scores(query, places[places >= 0])
        return scores

    def vectors(self, labels: Labels) -> Vectors:
        """Return each label's vector, as it is stored, (n, d): zeros where it has no live one."""
        places = self._register.live_places(labels)
        found = np.zeros((len(places), self.dimensions), np.float32)
        found[places >= 0] = self._rung.rows.vectors(places[places >= 0])
        return found

    def sample(self, most: int) -> Labels:
        """Return the labels of up to ``most`` live rows, evenly drawn, in the order of adding."""
        live = np.flatnonzero(self._register.alive)
        drawn = np.linspace(0, len(live) - 1, min(most, len(live))).astype(np.int64)
        return self._register.labels[live[drawn]]

    def save(self, path: Path, stamp: Stamp) -> None:
        """Write the index and the owner's ``stamp`` to one file, whole or not at all.

        Raises ``StorageFailed``; what was there is then untouched.
        """
        facts = {
            "dimensions": self.dimensions,
            "flat_below": self.flat_below,
            "calibration": asdict(self._rung.calibration),
            "stamp": dict(stamp),
        }
        hand_back()
        register = self._register
        arrays: Parts = {
            "labels": [register.labels],
            "alive": [register.alive],
            **self._rung.arrays(),
        }
        file.write(path, facts, arrays)

    @classmethod
    def load(cls, path: Path, *, verify: bool = False) -> tuple[VectorIndex, dict[str, int | str]]:
        """Return the index and the stamp that ``save`` wrote; the vectors stay on disk, mapped.

        Everything that could lead a search astray is checked; the vectors themselves only in a
        file up to 64 MB or when ``verify`` is set. Raises ``IndexCorrupt`` for a damaged or
        foreign file, ``FileNotFoundError`` for none.
        """
        facts, arrays = file.read(path, unchecked={"codes", "blocks"}, verify=verify)
        try:
            index = cls(facts["dimensions"], flat_below=facts["flat_below"])
            index._register = Register(arrays["labels"].copy(), arrays["alive"].copy())
            if arrays["codes"].shape != (len(index._register), index.dimensions):
                raise ValueError("as many vectors as labels were expected")  # noqa: TRY301 -- one door
            index._rung = restored(arrays, Calibration(**facts["calibration"]))
            return index, facts["stamp"]
        except (KeyError, TypeError, ValueError) as error:
            raise IndexCorrupt(f"{str(path)!r} holds no index: {error}") from error

    def _ranked(
        self, positions: NDArray[np.int64] | None, scores: Vectors, k: int
    ) -> tuple[Labels, Vectors]:
        labels = self._register.labels
        labels = labels if positions is None else labels[positions]
        order = best(scores, labels, k)
        return labels[order], scores[order]

    def _capped(self, k: int, selection: Selection | None) -> int:
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        return min(k, len(self) if selection is None else len(selection))

    def _checked(self, vectors: Vectors, *, ndim: int) -> Vectors:
        vectors = np.ascontiguousarray(vectors, np.float32)
        if vectors.ndim != ndim or vectors.shape[-1] != self.dimensions:
            wanted = f"({self.dimensions},)" if ndim == 1 else f"(n, {self.dimensions})"
            raise DimensionMismatch(f"expected the shape {wanted}, not {vectors.shape}")
        if not np.isfinite(vectors).all():
            raise ValueError("vectors must be finite, found NaN or infinity")
        return vectors
