"""Comparison: what is alike, what is odd, what a collection is made of.

Everything here works on the unit vectors that ``Index.document_vectors`` returns.
"""

from __future__ import annotations

from embedsearch.compare.clustering import Cluster, clusters
from embedsearch.compare.drifting import Drift, Shift, drift, shifts
from embedsearch.compare.duplication import Group, duplicates
from embedsearch.compare.oddities import oddity
from embedsearch.compare.placing import layout
from embedsearch.compare.recommending import wanted
from embedsearch.compare.variety import Diversity, diverse, diversity

__all__ = [
    "Cluster",
    "Diversity",
    "Drift",
    "Group",
    "Shift",
    "clusters",
    "diverse",
    "diversity",
    "drift",
    "duplicates",
    "layout",
    "oddity",
    "shifts",
    "wanted",
]
