"""The map as one HTML page that needs nothing else."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.compare.clustering import clusters
from embedsearch.compare.head import HEAD
from embedsearch.compare.placing import layout
from embedsearch.store.models import NOTHING_CLASSIFIED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.compare.placing import Method
    from embedsearch.index import Index
    from embedsearch.store.vectors import DocumentVectors

EXCERPT = 240
"""How many characters of a document are shown beside its point."""

DRAWN = 50_000
"""How many documents a page shows, drawn at random of more: a browser draws them in 0.1 s."""

NONE = "(none)"
"""The group of documents that have no label, or not the key."""


@dataclass(frozen=True, slots=True)
class Points:
    """What a map shows: of each document its id, first words, place (n, 2) and group.

    ``total`` is how many documents they were drawn from.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    places: NDArray[Any]
    groups: Sequence[str]
    total: int


def points(
    index: Index, found: DocumentVectors, *, by: str = "cluster", method: Method = "pca"
) -> Points:
    """Return the documents of an index as points, grouped by a key.

    ``by`` is ``cluster``, ``label``, ``predicted`` (by the newest classifier) or a key of the
    metadata, as a condition names it: ``author.name`` may be in an object inside another. Of more
    than 50,000 documents so many are drawn at random, the same each time.

    Raises:
        ValueError: there are less than three documents, or none has the key.
        MissingDependency: ``umap`` is not installed.

    """
    total = len(found.ids)
    found = _drawn(found)
    places = layout(found.vectors, method)
    texts = index.texts(found.ids)
    groups = _clusters(found, texts) if by == "cluster" else _known(index, found.ids, by)
    return Points(found.ids, [" ".join(t.split())[:EXCERPT] for t in texts], places, groups, total)


def _drawn(found: DocumentVectors) -> DocumentVectors:
    if len(found.ids) <= DRAWN:
        return found
    rows = np.sort(np.random.default_rng(0).permutation(len(found.ids))[:DRAWN])
    return replace(found, ids=[found.ids[row] for row in rows], vectors=found.vectors[rows])


def _clusters(found: DocumentVectors, texts: Sequence[str]) -> list[str]:
    names = [""] * len(found.ids)
    for n, group in enumerate(clusters(found.vectors, texts), 1):
        name = ", ".join(group.terms[:3]) or f"cluster {n}"
        for row in group.rows:
            names[row] = name
    return names


def _known(index: Index, ids: Sequence[str], by: str) -> list[str]:
    if by in {"label", "@label"}:
        known = {id: " + ".join(labels) for id, labels in index.labels().items()}
    elif by in {"predicted", "@predicted"}:
        said: dict[str, list[str]] = {}
        version = index.models.get()[0].version
        if not (rows := index.models.predicted(version)):
            raise ValueError(NOTHING_CLASSIFIED.format(version))
        for row in rows:
            said.setdefault(row.document, []).append(row.label or NONE)
        known = {id: " + ".join(sorted(own)) for id, own in said.items()}
    else:
        try:
            known = {id: _said(value) for id, value in index.values(by).items()}
        except ValueError as error:
            raise ValueError(f"{error} (or colour by cluster, label, predicted)") from error
    return [known.get(id, NONE) for id in ids]


def _said(value: Any) -> str:
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value)


def page(drawn: Points, *, by: str = "cluster") -> str:
    """Return the page as HTML: points to hover and search, coloured by their groups."""
    counts = Counter(drawn.groups)
    names = [name for name, _ in counts.most_common() if name != NONE]
    data = {
        "by": by,
        "total": drawn.total,
        "groups": [{"name": n, "count": counts[n]} for n in [*names, NONE] if counts[n]],
        "ids": list(drawn.ids),
        "texts": list(drawn.texts),
        "x": [round(float(x), 4) for x in drawn.places[:, 0]],
        "y": [round(float(y), 4) for y in drawn.places[:, 1]],
        "of": _numbers(drawn.groups, [*names, *([NONE] if counts[NONE] else [])]),
    }
    # Nothing in a document may end the script that holds it.
    encoded = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    template = files("embedsearch.compare").joinpath("map.html").read_text(encoding="utf-8")
    return HEAD + template.replace("/*DATA*/null", encoded)


def _numbers(groups: Sequence[str], names: Sequence[str]) -> list[int]:
    place = {name: n for n, name in enumerate(names)}
    return [place[group] for group in groups]
