"""How hard the fast scan has to look: measured on the index's own rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.vectors.rows import best

if TYPE_CHECKING:
    from embedsearch.vectors.rows import Rows
    from embedsearch.vectors.scan import FastScan

FACTORS = (24, 32, 48, 64, 96)
"""Candidates for each of 10 results, to choose from; 12 do for most rows but not for queries."""

TARGET = 0.995
"""The recall at which a factor suffices."""

DEPTH = 10
"""Neighbours that recall is measured on; a search for fewer asks for as many candidates."""

PROBES = 64
"""Rows whose neighbours are looked for: 640 in all, so recall is known to about 0.003."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured when the index held ``rows`` rows.

    ``factor`` candidates for each result wanted gave ``recall`` of the 10 nearest.
    """

    factor: int
    recall: float
    rows: int

    def candidates(self, k: int) -> int:
        """Return how many candidates hold the ``k`` nearest as surely as those hold 10.

        The deeper, the fewer for each: measured recall is level or rises along k ** (2/3), from
        24 for each of 10 to 5 for each of 1,000.
        """
        deeper = max(1.0, k / DEPTH)
        return max(k, round(self.factor * DEPTH * math.pow(deeper, 2 / 3)))


EXACT = Calibration(factor=1, recall=1.0, rows=0)
"""A search that scores every row."""


def calibrate(rows: Rows, scan: FastScan) -> Calibration:
    """Choose the smallest factor that suffices.

    A sample of the rows is searched for, each without itself, and compared with an exact search
    of the rows as they are stored.
    """
    sample = np.random.default_rng(0).choice(len(rows), min(PROBES, len(rows)), replace=False)
    probes = rows.vectors(sample)
    candidates = scan.candidates(probes, min(len(rows), FACTORS[-1] * DEPTH))
    order = np.arange(len(rows))
    ranks = []
    for own, proposed, scores in zip(
        sample, candidates, rows.batch_scores(probes, None), strict=True
    ):
        near = best(scores, order, DEPTH + 1)
        ranks.append(np.flatnonzero(np.isin(proposed, near[near != own][:DEPTH])))
    needed = np.concatenate(ranks) // DEPTH + 1
    recalls = {
        factor: float(np.sum(needed <= factor)) / (DEPTH * len(sample)) for factor in FACTORS
    }
    factor = next((f for f, recall in recalls.items() if recall >= TARGET), FACTORS[-1])
    return Calibration(factor, recalls[factor], len(rows))
