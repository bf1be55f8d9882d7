"""Which label stands at which position, and which rows are live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.vectors.rows import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Labels prepared as a filter by ``VectorIndex.selection``, to be used many times.

    ``positions`` ascend and are live; ``bitmap`` has a bit a position, lowest first. When the
    index has changed since, a search prepares ``labels`` anew.
    """

    labels: Labels
    positions: NDArray[np.int64]
    bitmap: NDArray[np.uint8]
    revision: int

    def __len__(self) -> int:
        return len(self.positions)


class Register:
    """Labels by position and positions by label; a tombstone keeps its label until it is reused.

    Positions by label are an array as long as the largest label: 4 bytes each.
    """

    def __init__(
        self, labels: Labels | None = None, alive: NDArray[np.bool_] | None = None
    ) -> None:
        labels = np.empty(0, np.int64) if labels is None else labels
        alive = np.ones(len(labels), np.bool_) if alive is None else alive
        if labels.shape != alive.shape or labels.ndim != 1:
            raise ValueError(f"labels of shape {labels.shape}, tombstones of {alive.shape}")
        self._labels = Table(labels)
        self._alive = Table(alive)
        self._places = np.full(int(labels.max(initial=0)) + 1, -1, np.int32)
        self._places[labels] = np.arange(len(labels), dtype=np.int32)
        self._live: Selection | None = None
        self._revision = 0
        self.dead = len(alive) - int(np.count_nonzero(alive))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def labels(self) -> Labels:
        """The label at each position; 0 where a tombstone's label was given to another row."""
        return self._labels.rows

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Whether the row at each position is live."""
        return self._alive.rows

    @property
    def live(self) -> Selection | None:
        """All live rows; None when no row is dead, so that nothing needs filtering."""
        if self.dead and self._live is None:
            self._live = self.select(self.labels[self.alive])
        return self._live

    def places(self, labels: Labels) -> NDArray[np.int64]:
        """Return the position of each label's row, dead or live, -1 for an unknown label."""
        labels = np.asarray(labels, np.int64)
        inside = (labels > 0) & (labels < len(self._places))
        places = np.full(len(labels), -1, np.int64)
        places[inside] = self._places[labels[inside]]
        return places

    def live_places(self, labels: Labels) -> NDArray[np.int64]:
        """Return the position of each label's row, -1 for an unknown or tombstoned label."""
        places = self.places(labels)
        known = _known(places)
        places[places >= 0] = np.where(self.alive[known], known, -1)
        return places

    def select(self, labels: Labels) -> Selection:
        """Prepare ``labels``, in any order and some perhaps unknown, as a filter."""
        mask = np.zeros(len(self), np.bool_)
        mask[_known(self.places(labels))] = True
        mask &= self.alive
        bitmap = np.packbits(mask, bitorder="little")
        return Selection(labels, np.flatnonzero(mask), bitmap, self._revision)

    def current(self, allowed: Labels | Selection | None) -> Selection | None:
        """Return ``allowed`` as an up-to-date filter; None when every row may be found."""
        if allowed is None:
            return self.live
        if not isinstance(allowed, Selection):
            return self.select(allowed)
        return allowed if allowed.revision == self._revision else self.select(allowed.labels)

    def check_new(self, labels: Labels) -> None:
        """Raise ``ValueError`` unless ``labels`` are positive, all different, and none is live."""
        if labels.min(initial=1) < 1:
            raise ValueError(f"labels must be positive, not {labels.min()}")
        if len(np.unique(labels)) < len(labels):
            raise ValueError("labels must differ from each other")
        taken = labels[self.live_places(labels) >= 0]
        if len(taken):
            raise ValueError(f"label {taken[0]} is already in the index")

    def append(self, labels: Labels) -> None:
        """Add live rows at the end; a tombstone of the same label stays without a label."""
        self._labels.rows[_known(self.places(labels))] = 0
        start = len(self)
        self._labels.append(labels)
        self._alive.append(np.ones(len(labels), np.bool_))
        missing = int(labels.max(initial=0)) + 1 - len(self._places)
        if missing > 0:
            spare = max(missing, len(self._places) // 2)
            self._places = np.append(self._places, np.full(spare, -1, np.int32))
        self._places[labels] = np.arange(start, len(self), dtype=np.int32)
        self._changed()

    def remove(self, labels: Labels) -> None:
        """Turn rows into tombstones; unknown labels are ignored."""
        self._alive.rows[_known(self.places(labels))] = False
        self.dead = len(self) - int(np.count_nonzero(self.alive))
        self._changed()

    def kept(self) -> Register:
        """Return a register of the live rows alone, in the same order."""
        register = Register(self.labels[self.alive])
        register._revision = self._revision + 1
        return register

    def _changed(self) -> None:
        self._revision += 1
        self._live = None


def _known(places: NDArray[np.int64]) -> NDArray[np.int64]:
    return places[places >= 0]
