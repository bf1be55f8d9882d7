"""Two dimensions of many: where texts lie on a map."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal

import numpy as np

from embedsearch.errors import MissingDependency

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

Method = Literal["pca", "umap"]


def layout(vectors: Vectors, method: Method = "pca", *, seed: int = 0) -> Vectors:
    """Return a place (n, 2) for each of the unit rows (n, d), from -1 to 1.

    ``pca`` keeps the two directions in which the rows vary most; ``umap`` (McInnes et al. 2018)
    keeps neighbours together, and needs the package umap-learn.

    Raises:
        MissingDependency: umap-learn is not installed.
        ValueError: the method is unknown, or there are less than three rows.

    """
    if method not in {"pca", "umap"}:
        raise ValueError(f"unknown method {method!r}: choose 'pca' or 'umap'")
    if len(vectors) < 3:
        raise ValueError(f"expected at least three documents for a map, got {len(vectors)}")
    places = _pca(vectors) if method == "pca" else _umap(vectors, seed)
    places = places - (places.max(axis=0) + places.min(axis=0)) / 2
    return np.asarray(places / max(float(np.abs(places).max()), 1e-9), np.float32)


def _pca(vectors: Vectors) -> Vectors:
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)  # ascending
    axes = directions[:, :-3:-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])  # one sign for one set of rows
    places: Vectors = centred @ axes
    return places


def _umap(vectors: Vectors, seed: int) -> Vectors:
    try:
        umap = import_module("umap")
    except ImportError as error:
        raise MissingDependency(
            "a map by UMAP needs umap-learn", hint="pip install umap-learn, or take --method pca"
        ) from error
    nearest = min(15, len(vectors) - 1)
    reducer = umap.UMAP(n_neighbors=nearest, metric="cosine", random_state=seed, n_jobs=1)
    places: Vectors = reducer.fit_transform(vectors)
    return places
