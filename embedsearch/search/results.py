"""Results: from ranked texts to the hits that a user sees."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from embedsearch.records import Hit
from embedsearch.store import hits as stored
from embedsearch.store import sources
from embedsearch.store.metadata import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from embedsearch.search.ranking import Ranking
    from embedsearch.store.database import Database
    from embedsearch.store.filters import Filter

GroupBy: TypeAlias = Literal["document"] | None

PAGE = 1_000
"""How many ranked texts are looked up at a time."""


def collect(
    database: Database,
    rank: Callable[[int], Ranking],
    k: int,
    *,
    condition: Filter,
    group_by: GroupBy = None,
) -> list[Hit]:
    """Return the k best chunks, or the best chunk of each of the k best documents.

    ``rank(depth)`` gives the best texts; it is asked for more while chunks are wanting.
    """
    depth = k = min(k, sys.maxsize)
    while True:
        ranking = rank(depth)
        rows = _rows(database, ranking, condition)
        chosen = list(islice(_best_of_each(rows) if group_by else rows, k))
        if (
            len(chosen) == k
            or len(ranking.texts) < depth
            or (group_by and len(chosen) == stored.counts(database, condition).documents)
        ):
            return _hits(database, chosen)
        depth *= 4


def _rows(
    database: Database, ranking: Ranking, condition: Filter
) -> Iterator[tuple[float, stored.Row]]:
    for begin in range(0, len(ranking.texts), PAGE):
        texts = ranking.texts[begin : begin + PAGE].tolist()
        scores = dict(zip(texts, ranking.scores[begin : begin + PAGE].tolist(), strict=True))
        for row in stored.chunks_of(database, texts, condition):
            yield scores[row.text_id], row


def _best_of_each(
    rows: Iterable[tuple[float, stored.Row]],
) -> Iterator[tuple[float, stored.Row]]:
    seen = set()
    for score, row in rows:
        if row.document not in seen:
            seen.add(row.document)
            yield score, row


def _hits(database: Database, chosen: Sequence[tuple[float, stored.Row]]) -> list[Hit]:
    from_files = any(row.source is not None for _, row in chosen)
    roots = sources.roots(database) if from_files else {}
    ids, stored_metadata = [r.document for _, r in chosen], [r.metadata for _, r in chosen]
    metadata = decoded(database.path, ids, stored_metadata)
    return [
        _hit(rank, score, row, roots, known)
        for rank, ((score, row), known) in enumerate(zip(chosen, metadata, strict=True), 1)
    ]


def _hit(
    rank: int, score: float, row: stored.Row, roots: Mapping[int, Path], metadata: dict[str, Any]
) -> Hit:
    return Hit(
        rank,
        score,
        row.document,
        f"{row.document}#{row.position}",
        row.text,
        row.start,
        row.end,
        row.start_line,
        row.end_line,
        row.page,
        row.heading,
        metadata,
        _path(row, roots),
        row.seconds,
    )


def _path(row: stored.Row, roots: Mapping[int, Path]) -> str | None:
    """Return the file's path, ``None`` without a file or where damage took its folder."""
    if row.source is None or row.source not in roots:
        return None
    return f"{roots[row.source]}/{row.path}"
