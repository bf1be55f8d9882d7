"""Nearest neighbours over (label, unit vector) rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.errors import DimensionMismatch
from embedsearch.vectors.rows import FloatCodec, Rows, Table, best

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLAT_BELOW = 20_000
"""Rows below which an exact search takes no longer than a millisecond or two."""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Labels prepared as a filter by ``VectorIndex.selection``, to be used many times.

    It follows later changes of the index; ``search`` prepares it anew when it is out of date.
    """

    labels: NDArray[np.int64]
    positions: NDArray[np.int64]
    bitmap: NDArray[np.uint8]
    revision: int

    def __len__(self) -> int:
        return len(self.positions)


class VectorIndex:
    """Rows of (label, unit vector), searched by inner product; a higher score is better.

    Labels are row ids of a database: small positive integers, in any order. Below
    ``flat_below`` rows the search is exact; from there on a fast scan of quantised vectors
    proposes candidates and a byte a component ranks them. Not safe to change in one thread
    while another searches.
    """

    def __init__(self, dimensions: int, *, flat_below: int = FLAT_BELOW) -> None:
        self.dimensions = dimensions
        self.flat_below = flat_below
        self._labels = Table(np.empty(0, np.int64))
        self._alive = Table(np.empty(0, np.bool_))
        self._rows = Rows(FloatCodec(), np.empty((0, dimensions), np.float32))
        self._place = np.empty(0, np.int32)
        self._live: Selection | None = None
        self._revision = 0
        self.dead = 0
        """How many rows are tombstones: they cost space, and are never found."""

    @classmethod
    def build(
        cls,
        labels: NDArray[np.int64],
        vectors: NDArray[np.float32],
        *,
        flat_below: int = FLAT_BELOW,
    ) -> VectorIndex:
        """Return an index of these rows; raises as ``add`` does."""
        index = cls(vectors.shape[1], flat_below=flat_below)
        index.add(labels, vectors)
        return index

    def __len__(self) -> int:
        return len(self._rows) - self.dead

    @property
    def wasted(self) -> float:
        """The share of rows that are tombstones, 0 to 1; ``compact`` when near 0.2."""
        return self.dead / max(1, len(self._rows))

    def add(self, labels: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add rows: (n,) labels and (n, d) vectors; a tombstoned label gets the new vector.

        Raises ``ValueError`` for a label that is live, repeated or not positive and for
        components that are not finite, ``DimensionMismatch`` for another d.
        """
        labels = np.ascontiguousarray(labels, np.int64)
        vectors = self._checked(vectors, ndim=2)
        if len(labels) == 0:
            return
        self._check_new(labels, len(vectors))
        self._forget(labels)
        start = len(self._rows)
        self._rows.append(vectors)
        self._labels.append(labels)
        self._alive.append(np.ones(len(labels), np.bool_))
        self._locate(labels, np.arange(start, start + len(labels), dtype=np.int32))
        self._changed()

    def remove(self, labels: NDArray[np.int64]) -> None:
        """Turn rows into tombstones; unknown labels are ignored."""
        self._mark(labels, alive=False)

    def restore(self, labels: NDArray[np.int64]) -> None:
        """Make tombstones live again; unknown labels are ignored."""
        self._mark(labels, alive=True)

    def selection(self, labels: NDArray[np.int64]) -> Selection:
        """Prepare ``labels`` (in any order, some perhaps unknown) as a filter for searches."""
        mask = np.zeros(len(self._rows), np.bool_)
        mask[self._places(labels)] = True
        mask &= self._alive.rows
        bitmap = np.packbits(mask, bitorder="little")
        return Selection(labels, np.flatnonzero(mask), bitmap, self._revision)

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        allowed: NDArray[np.int64] | Selection | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the labels and scores of the ``min(k, live allowed)`` best rows, best first.

        ``query`` has shape (d,); of equal scores the lower label comes first. Raises
        ``ValueError`` for k below 1 or a query that is not finite, ``DimensionMismatch``.
        """
        query = self._checked(query, ndim=1)
        selection = self._allowed(allowed)
        k = self._capped(k, selection)
        positions = selection.positions if selection else None
        return self._ranked(self._rows.scores(query, positions), positions, k)

    def search_batch(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        allowed: NDArray[np.int64] | Selection | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Search (q, d) queries: labels and scores of shape (q, min(k, live rows))."""
        queries = self._checked(queries, ndim=2)
        results = [self.search(query, k, allowed=allowed) for query in queries]
        width = min(k, len(self))
        labels = np.full((len(queries), width), -1, np.int64)
        scores = np.full((len(queries), width), -np.inf, np.float32)
        for row, (found, found_scores) in enumerate(results):
            labels[row, : len(found)] = found
            scores[row, : len(found)] = found_scores
        return labels, scores

    def scores(self, query: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the inner product with each label's vector, NaN where it has no live one."""
        query = self._checked(query, ndim=1)
        positions = self._places(labels, keep_shape=True)
        known = positions >= 0
        known[known] = self._alive.rows[positions[known]]
        scores = np.full(len(positions), np.nan, np.float32)
        scores[known] = self._rows.scores(query, positions[known])
        return scores

    def _ranked(
        self, scores: NDArray[np.float32], positions: NDArray[np.int64] | None, k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        labels = self._labels.rows if positions is None else self._labels.rows[positions]
        order = best(scores, labels, k)
        return labels[order], scores[order]

    def _allowed(self, allowed: NDArray[np.int64] | Selection | None) -> Selection | None:
        if allowed is None:
            return self._all_live() if self.dead else None
        if not isinstance(allowed, Selection):
            return self.selection(allowed)
        return allowed if allowed.revision == self._revision else self.selection(allowed.labels)

    def _all_live(self) -> Selection:
        if self._live is None:
            self._live = self.selection(self._labels.rows[self._alive.rows])
        return self._live

    def _capped(self, k: int, selection: Selection | None) -> int:
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        return min(k, len(self) if selection is None else len(selection))

    def _mark(self, labels: NDArray[np.int64], *, alive: bool) -> None:
        self._alive.rows[self._places(labels)] = alive
        self.dead = len(self._rows) - int(np.count_nonzero(self._alive.rows))
        self._changed()

    def _changed(self) -> None:
        self._revision += 1
        self._live = None

    def _places(self, labels: NDArray[np.int64], *, keep_shape: bool = False) -> NDArray[np.int64]:
        """Return the position of each label; unknown ones are left out, or -1."""
        labels = np.asarray(labels, np.int64)
        inside = (labels > 0) & (labels < len(self._place))
        places = np.full(len(labels), -1, np.int64)
        places[inside] = self._place[labels[inside]]
        return places if keep_shape else places[places >= 0]

    def _locate(self, labels: NDArray[np.int64], positions: NDArray[np.int32]) -> None:
        missing = int(labels.max()) + 1 - len(self._place)
        if missing > 0:
            spare = max(missing, len(self._place) // 2)
            self._place = np.append(self._place, np.full(spare, -1, np.int32))
        self._place[labels] = positions

    def _forget(self, labels: NDArray[np.int64]) -> None:
        """Take the labels away from their tombstones, which stay in place without a label."""
        places = self._places(labels)
        self._labels.rows[places] = 0

    def _checked(self, vectors: NDArray[np.float32], *, ndim: int) -> NDArray[np.float32]:
        vectors = np.ascontiguousarray(vectors, np.float32)
        if vectors.ndim != ndim or vectors.shape[-1] != self.dimensions:
            wanted = ("n", str(self.dimensions))[-ndim:]
            raise DimensionMismatch(
                f"expected vectors of shape ({', '.join(wanted)}), not {vectors.shape}"
            )
        if not np.isfinite(vectors).all():
            raise ValueError("vectors must be finite, found NaN or infinity")
        return vectors

    def _check_new(self, labels: NDArray[np.int64], rows: int) -> None:
        if labels.shape != (rows,):
            raise ValueError(f"expected {rows} labels, one a vector, not shape {labels.shape}")
        if labels.min() < 1:
            raise ValueError(f"labels must be positive, not {labels.min()}")
        if len(np.unique(labels)) < len(labels):
            raise ValueError("labels must differ from each other")
        places = self._places(labels)
        if self._alive.rows[places].any():
            taken = self._labels.rows[places[self._alive.rows[places]]]
            raise ValueError(f"label {taken[0]} is already in the index")
