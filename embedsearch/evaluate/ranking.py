"""How well a ranking finds what is relevant."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from statistics import fmean
from typing import TYPE_CHECKING, TypeVar

from embedsearch import arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


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
        TypeError: a ranking has no order, or documents have no grades that are numbers.
        ValueError: k is below 1, no query has a relevant document, or a ranking names one twice.

    """
    k = arguments.how_many(k)
    rankings = {query: _ranking(query, found) for query, found in _by_query("run", run)}
    relevant = {query: _relevant(query, graded) for query, graded in _by_query("qrels", qrels)}
    judged = {query: graded for query, graded in relevant.items() if graded}
    if not judged:
        raise ValueError("expected a query with a relevant document, got none")
    rows = [_measured(rankings.get(query, [])[:k], graded, k) for query, graded in judged.items()]
    recall, mrr, ndcg = (fmean(column) for column in zip(*rows, strict=True))
    return Retrieval(len(judged), k, recall, mrr, ndcg)


def _by_query(name: str, given: Mapping[str, T]) -> Iterable[tuple[str, T]]:
    if not isinstance(given, Mapping):
        raise TypeError(f"expected {name} by query, as {{'q': ...}}, got {given!r:.40}")
    return given.items()


def _ranking(query: str, found: Sequence[str]) -> list[str]:
    if isinstance(found, (str, set, frozenset, Mapping)) or not isinstance(found, Iterable):
        raise TypeError(
            f"expected the ids that query {query!r} found in a list, the best first, got"
            f" {found!r:.40}"
        )
    ranked = list(found)
    if len(set(ranked)) < len(ranked):
        raise ValueError(f"the ranking of query {query!r} names a document twice")
    return ranked


def _relevant(query: str, graded: Mapping[str, int]) -> dict[str, int]:
    """Return the grades above 0."""
    if not isinstance(graded, Mapping) or not all(isinstance(g, Real) for g in graded.values()):
        raise TypeError(
            f"expected grades of the documents relevant to query {query!r}, as {{'a': 1}}, got"
            f" {graded!r:.40}"
        )
    return {id: grade for id, grade in graded.items() if grade > 0}


def _measured(
    found: Sequence[str], graded: Mapping[str, int], k: int
) -> tuple[float, float, float]:
    """Return recall, reciprocal rank and nDCG (Jaervelin & Kekaelaeinen 2002, linear gains)."""
    gain = sum(graded.get(id, 0) / math.log2(rank + 2) for rank, id in enumerate(found))
    ranked = sorted(graded.values(), reverse=True)[:k]
    ideal = sum(grade / math.log2(rank + 2) for rank, grade in enumerate(ranked))
    first = next((1 / rank for rank, id in enumerate(found, 1) if id in graded), 0.0)
    return sum(id in graded for id in found) / len(graded), first, gain / ideal
