"""Fusion: two rankings of the same texts become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DENSE_WEIGHT = 0.5
"""How much meaning counts against words; measured in ``benchmarks/retrieval.py``."""


def fuse(
    dense: NDArray[np.float32], lexical: NDArray[np.float32], *, weight: float = DENSE_WEIGHT
) -> NDArray[np.float32]:
    """Return one score a text from two, each standardised over the candidates.

    ``dense`` (n,) are cosines, NaN for a text not embedded yet, which then counts as average;
    ``lexical`` (n,) are BM25 scores, 0 where no word matches. Standardising (z-scores) keeps how
    far apart texts are, which reciprocal ranks throw away.
    """
    fused = weight * _standardised(dense) + (1 - weight) * _standardised(lexical)
    return np.asarray(fused, np.float32)


def _standardised(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    known = scores[~np.isnan(scores)]
    spread = known.std() if known.size else 0.0
    if spread == 0:
        return np.zeros_like(scores)
    return np.asarray(np.nan_to_num((scores - known.mean()) / spread, nan=0.0), np.float32)
