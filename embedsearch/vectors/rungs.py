"""The rungs of the ladder: vectors by position, scored exactly or found by a fast scan first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.heap import hand_back
from embedsearch.vectors.calibration import EXACT, Calibration, calibrate
from embedsearch.vectors.rows import CODES, FloatCodec, Rows, ShortCodec
from embedsearch.vectors.scan import FastScan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from embedsearch.vectors.file import Parts
    from embedsearch.vectors.labels import Selection

    Vectors = NDArray[np.float32]
    Positions = NDArray[np.int64] | None
    Scored = tuple[Positions, Vectors]

FLAT_BELOW = 20_000
"""Rows below which scoring every row, of 384 dimensions, takes about a millisecond."""

SCANNED_FROM = 16
"""Dimensions below which rows are scored about as fast as scanned."""

SAMPLE = 16_384
"""Rows to train on; the fast scan looks at some of them for each pair of components."""


class Flat:
    """Float vectors, every row scored."""

    calibration = EXACT

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    @classmethod
    def empty(cls, dimensions: int) -> Flat:
        """Return the rung that every index starts on."""
        return cls(Rows(FloatCodec(), np.empty((0, dimensions), np.float32)))

    def append(self, vectors: Vectors) -> None:
        """Add (n, d) vectors at the end."""
        self.rows.append(vectors)

    def keep(self, alive: NDArray[np.bool_]) -> None:
        """Drop the rows that are not alive."""
        self.rows = self.rows.kept(alive)

    def search(self, query: Vectors, k: int, selection: Selection | None) -> Scored:
        """Return positions (None: all), the ``k`` best allowed ones among them, and scores."""
        del k
        allowed = selection.positions if selection is not None else None
        return allowed, self.rows.scores(query, allowed)

    def arrays(self) -> Parts:
        """Return what ``restored`` needs, for a file."""
        return {"codes": self.rows.parts}


class Scanned:
    """Vectors of two bytes a component, ranked after a fast scan has proposed candidates."""

    def __init__(self, rows: Rows, scan: FastScan, calibration: Calibration) -> None:
        self.rows = rows
        self.calibration = calibration
        self._scan = scan

    @classmethod
    def train(cls, stored: Rows, added: Vectors) -> Scanned:
        """Return the rung trained on both, with the ``stored`` vectors in it."""
        sample = _sample(stored, added)
        rows = Rows(ShortCodec.fit(sample), np.empty((0, sample.shape[1]), CODES))
        rows.reserve(len(stored) + len(added))
        rung = cls(rows, FastScan.train(sample), EXACT)
        for vectors in stored.decoded():
            rung._extend(vectors)
        return rung

    def append(self, vectors: Vectors) -> None:
        """Add (n, d) vectors at the end, and measure anew when the rows have doubled."""
        self._extend(vectors)
        if len(self.rows) >= 2 * self.calibration.rows:
            self.calibration = calibrate(self.rows, self._scan)
            hand_back()

    def keep(self, alive: NDArray[np.bool_]) -> None:
        """Drop the rows that are not alive."""
        self.rows = self.rows.kept(alive)
        # Scanned anew, as FAISS's remove_ids leaves old codes behind for later rows to mix with.
        self._scan = self._scan.emptied()
        for vectors in self.rows.decoded():
            self._scan.append(vectors)

    def search(self, query: Vectors, k: int, selection: Selection | None) -> Scored:
        """Return positions (None: all), the ``k`` best allowed ones among them, and scores."""
        positions = selection.positions if selection is not None else None
        wanted = self._wanted(k, selection)
        if wanted:
            bitmap, share = None, 1.0
            if selection is not None:
                bitmap, share = selection.bitmap, len(selection) / len(self.rows)
            # The k nearest allowed rows are among more of all rows.
            within = self.calibration.within(k / share)
            found = self._scan.candidates(query[np.newaxis], wanted, within=within, bitmap=bitmap)
            positions = _enough(found[0], k, positions)
        return positions, self.rows.scores(query, positions)

    def arrays(self) -> Parts:
        """Return what ``restored`` needs, for a file."""
        codec = {name: [array] for name, array in self.rows.codec.arrays().items()}
        return {
            "codes": self.rows.parts,
            "trained": [self._scan.trained],
            **self._scan.arrays(),
            **codec,
        }

    def _extend(self, vectors: Vectors) -> None:
        self.rows.append(vectors)
        self._scan.append(vectors)

    def _wanted(self, k: int, selection: Selection | None) -> int:
        """Return how many candidates to scan for; 0 where scoring all allowed rows is faster.

        Measured at 384 dimensions: to scan a row takes 3 ns, to gather and score one 110 ns,
        to propose and score a candidate 200 ns.
        """
        rows = len(self.rows)
        wanted = self.calibration.candidates(k)
        allowed = len(selection) if selection is not None else rows
        return 0 if allowed <= rows // 32 + 2 * wanted else wanted


Rung = Flat | Scanned


def climbed(rung: Rung, added: Vectors, flat_below: int) -> Rung:
    """Return the rung for the rows of ``rung`` and those about to be added."""
    rows, dimensions = len(rung.rows) + len(added), added.shape[1]
    if isinstance(rung, Scanned) or rows < flat_below or dimensions < SCANNED_FROM:
        return rung
    return Scanned.train(rung.rows, added)


def restored(arrays: Mapping[str, NDArray[Any]], calibration: Calibration) -> Rung:
    """Return the rung whose ``arrays`` these were; raises ``ValueError`` and ``KeyError``."""
    codes = arrays["codes"]
    if "trained" not in arrays:
        return Flat(Rows(FloatCodec(), codes))
    scan = FastScan.restore(arrays["trained"], arrays["blocks"], arrays["rows"], arrays["sizes"])
    return Scanned(Rows(ShortCodec(arrays["low"], arrays["step"]), codes), scan, calibration)


def _enough(found: NDArray[np.int64], k: int, allowed: Positions) -> Positions:
    """Return the candidates if those are k, else all that are allowed."""
    if found[-1] < 0:  # fewer were there than asked for
        found = found[found >= 0]
    return found if len(found) >= k else allowed


def _sample(stored: Rows, added: Vectors) -> Vectors:
    """Return rows to train on, drawn from both; the same each time."""
    total = len(stored) + len(added)
    chosen = np.random.default_rng(0).choice(total, min(total, SAMPLE), replace=False)
    old, new = chosen[chosen < len(stored)], chosen[chosen >= len(stored)] - len(stored)
    return np.concatenate([stored.vectors(old), added[new]])
