"""How well a ranking finds what is relevant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Means over the queries, 0 to 1: recall@k, reciprocal rank within k, nDCG@k."""

    queries: int
    k: int
    recall: float
    mrr: float
    ndcg: float


def retrieval(
    run: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]], *, k: int = 10
) -> Retrieval:
    """Return how good a run is: of each query the ids it found, the best first.

    ``qrels`` holds of each query how relevant documents are, 0 for not at all. A query that has
    relevant documents and no ranking counts 0; one without any is left out, as TREC does.

    Raises:
        ValueError: k is below 1, no query has a relevant document, or a ranking names one twice.

    """
    if k < 1:
        raise ValueError(f"expected k of 1 or more, got {k}")
    relevant = {q: {id: g for id, g in graded.items() if g > 0} for q, graded in qrels.items()}
    judged = {query: graded for query, graded in relevant.items() if graded}
    if not judged:
        raise ValueError("expected a query with a relevant document, got none")
    for query, found in run.items():
        if len(set(found)) < len(found):
            raise ValueError(f"the ranking of query {query!r} names a document twice")
    rows = [_measured(run.get(query, ())[:k], graded, k) for query, graded in judged.items()]
    recall, mrr, ndcg = (fmean(column) for column in zip(*rows, strict=True))
    return Retrieval(len(judged), k, recall, mrr, ndcg)


def _measured(
    found: Sequence[str], graded: Mapping[str, int], k: int
) -> tuple[float, float, float]:
    """Return recall, reciprocal rank and nDCG (Jaervelin & Kekaelaeinen 2002, linear gains)."""
    gain = sum(graded.get(id, 0) / math.log2(rank + 2) for rank, id in enumerate(found))
    ranked = sorted(graded.values(), reverse=True)[:k]
    ideal = sum(grade / math.log2(rank + 2) for rank, grade in enumerate(ranked))
    first = next((1 / rank for rank, id in enumerate(found, 1) if id in graded), 0.0)
    return sum(id in graded for id in found) / len(graded), first, gain / ideal
