"""Comparison: what is alike, what is odd, what a collection is made of.

Everything here works on the unit vectors that ``Index.document_vectors`` returns.
"""

from __future__ import annotations

from embedsearch.compare.changing import Change, Odd, change
from embedsearch.compare.clustering import Cluster, clusters
from embedsearch.compare.drifting import Drift, Move, Shift, drift, paired, shifts
from embedsearch.compare.duplication import Group, duplicates
from embedsearch.compare.oddities import oddity
from embedsearch.compare.placing import layout
from embedsearch.compare.recommending import wanted
from embedsearch.compare.variety import Diversity, diverse, diversity

__all__ = [
    "Change",
    "Cluster",
    "Diversity",
    "Drift",
    "Group",
    "Move",
    "Odd",
    "Shift",
    "change",
    "clusters",
    "diverse",
    "diversity",
    "drift",
    "duplicates",
    "layout",
    "oddity",
    "paired",
    "shifts",
    "wanted",
]
