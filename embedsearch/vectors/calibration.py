"""How hard and how far the fast scan has to look: measured on the index's own rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.vectors.rows import best

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.vectors.rows import Rows
    from embedsearch.vectors.scan import FastScan

    Positions = NDArray[np.int64]
    Vectors = NDArray[np.float32]
    Found = tuple[Vectors, Positions]

FACTORS = (40, 56, 80, 112)
"""Candidates for each of 10 results, to choose from. Twelve do for most rows, whose nearest may be
near copies, but not for queries: 24 lost 2 % of their neighbours, where 40 lose 1.5."""

TARGET = 0.99
"""A factor suffices that finds this share of what the largest one finds."""

DEPTH = 10
"""Neighbours that recall is measured on; a search for fewer asks for as many candidates."""

PROBES = 128
"""Rows whose neighbours are looked for: 1,280 in all, so recall is known to about 0.002."""

NEARLY_ALL = 0.995
"""Lists have to hold this share of the nearest thousandth of all rows, though 10 be wanted. The 10
nearest may all be near copies: a query that has none needs more lists than those do. With .998 a
fifth more rows of a mixed collection are scanned, and 3 to 8 more of 10,000 neighbours found."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured when the index held ``rows`` rows.

    ``factor`` candidates for each result wanted, of the lists with a gap up to ``reach``, gave
    ``recall`` of the 10 nearest.
    """

    factor: int
    recall: float
    rows: int
    reach: float

    def candidates(self, k: int) -> int:
        """Return how many candidates hold the ``k`` nearest as surely as those hold 10.

        The deeper, the fewer for each: along k ** (5/9), from 40 for each of 10 to 5 for each of
        1,000, where recall is as high as at 10.
        """
        deeper = max(1.0, k / DEPTH)
        return max(k, round(self.factor * DEPTH * math.pow(deeper, 5 / 9)))

    def within(self, depth: float) -> float:
        """Return the gap up to which lists hold the ``depth`` nearest rows.

        Measured at 100 and 1,000: .5 % of them are lost at most where passages and questions of
        several kinds are mixed.
        """
        deeper = max(1.0, depth / DEPTH)
        return self.reach * math.pow(deeper, 1 / 8)


EXACT = Calibration(factor=1, recall=1.0, rows=0, reach=0.0)
"""A search that scores every row."""


def calibrate(rows: Rows, scan: FastScan) -> Calibration:
    """Choose how far to look, and there the smallest factor that suffices.

    A sample of the rows is searched for, each without itself, and compared with an exact search
    of the rows as they are stored.
    """
    sample = np.random.default_rng(0).choice(len(rows), min(PROBES, len(rows)), replace=False)
    probes = rows.vectors(sample)
    near = _nearest(rows, sample, probes)
    reach = _reach(rows, scan, probes, near)
    near = near[:, :DEPTH]
    candidates = scan.candidates(probes, min(len(rows), FACTORS[-1] * DEPTH), within=reach)
    ranks = [
        np.flatnonzero(np.isin(proposed, nearest))
        for proposed, nearest in zip(candidates, near, strict=True)
    ]
    needed = np.concatenate(ranks) // DEPTH + 1
    recalls = {factor: float(np.sum(needed <= factor)) / near.size for factor in FACTORS}
    enough = TARGET * recalls[FACTORS[-1]]
    factor = next(f for f, recall in recalls.items() if recall >= enough)
    return Calibration(factor, recalls[factor], len(rows), reach)


def _nearest(rows: Rows, sample: Positions, probes: Vectors) -> Positions:
    """Return positions of the 100 to 1,000 rows nearest to each probe, not itself: (probes, n)."""
    count = min(max(len(rows) // 1_000, 100), 1_000)
    near = [(np.empty(0, np.float32), np.empty(0, np.int64))] * len(probes)
    start = 0
    for vectors in rows.decoded():
        scores = probes @ vectors.T
        near = [
            _merged(found, added, start, count + 1)
            for found, added in zip(near, scores, strict=True)
        ]
        start += len(vectors)
    return np.stack(
        [found[found != own][:count] for own, (_, found) in zip(sample, near, strict=True)]
    )


def _merged(found: Found, scores: Vectors, start: int, count: int) -> Found:
    """Return the ``count`` best of what was found and the rows from ``start`` on, best first."""
    held, positions = found
    least = held[-1] if len(held) == count else -np.inf
    # Of equal scores the first row's counts.
    added = np.flatnonzero(scores > least)
    held = np.append(held, scores[added])
    positions = np.append(positions, start + added)
    kept = best(held, positions, count)
    return held[kept], positions[kept]


def _reach(rows: Rows, scan: FastScan, probes: Vectors, near: Positions) -> float:
    """Return the gap up to which lists hold nearly all of the rows ``near`` to each probe."""
    held = np.stack([scan.gaps(rows.vectors(found)).argmin(axis=1) for found in near])
    needed = np.take_along_axis(scan.gaps(probes), held, axis=1)
    return float(np.quantile(needed, NEARLY_ALL))
