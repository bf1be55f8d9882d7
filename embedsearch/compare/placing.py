"""Two dimensions of many: where texts lie on a map."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from embedsearch.compare.checking import unit_rows
from embedsearch.errors import MissingDependency
from embedsearch.vectors.neighbours import BATCH, neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

Method = Literal["pca", "umap"]

LAID_OUT = 50_000
"""Rows, drawn at random of more, that UMAP lays out."""

AMONG = 3
"""Every row beyond them lies amid so many of the nearest of them."""


def layout(vectors: Vectors, method: Method = "pca", *, seed: int = 0) -> Vectors:
    """Return a place (n, 2) for each of the unit rows (n, d), from -1 to 1.

    ``pca`` keeps the two directions in which the rows vary most; ``umap`` (McInnes et al. 2018)
    keeps neighbours together, and needs the package umap-learn. Beyond 50,000 rows it lays out
    so many of them, and each row goes amid its three nearest of these.

    Raises:
        MissingDependency: umap-learn is not installed.
        ValueError: the method is unknown, there are less than three rows, or one of them is no unit
            vector.

    """
    if method not in {"pca", "umap"}:
        raise ValueError(f"unknown method {method!r}: choose 'pca' or 'umap'")
    if len(vectors) < 3:
        raise ValueError(f"expected at least three documents for a map, got {len(vectors)}")
    vectors = unit_rows(vectors)
    places = _pca(vectors) if method == "pca" else _umap(vectors, seed)
    places = places - (places.max(axis=0) + places.min(axis=0)) / 2
    return np.asarray(places / max(float(np.abs(places).max()), 1e-9), np.float32)


def _pca(vectors: Vectors) -> Vectors:
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    scatter = np.zeros((vectors.shape[1],) * 2)
    for start in range(0, len(vectors), BATCH):  # a centred copy of all would be as large as they
        centred = vectors[start : start + BATCH] - mean
        scatter += centred.T @ centred
    axes = np.linalg.eigh(scatter)[1][:, :-3:-1].astype(np.float32)  # ascending
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])  # one sign for one set of rows
    places: Vectors = vectors @ axes - mean @ axes
    return places


def _umap(vectors: Vectors, seed: int) -> Vectors:
    umap = _installed()
    drawn = np.random.default_rng(seed).permutation(len(vectors))[:LAID_OUT]
    some = vectors if len(vectors) <= LAID_OUT else vectors[drawn]
    reducer = umap.UMAP(
        n_neighbors=min(15, len(some) - 1),
        metric="cosine",
        init="spectral" if len(some) > 3 else "random",  # which needs three eigenvectors and one
        random_state=seed,
        n_jobs=1,
    )
    places: Vectors = reducer.fit_transform(some)
    if some is vectors:
        return places
    _, found = neighbours(some, AMONG, queries=vectors)
    every = np.median(places[found], axis=1)
    every[drawn] = places
    return np.asarray(every, np.float32)


def _installed() -> Any:
    try:
        with warnings.catch_warnings():
            # Of what umap could do besides with TensorFlow.
            warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
            return import_module("umap")
    except ImportError as error:
        raise MissingDependency(
            "a map by UMAP needs umap-learn",
            hint="pip install umap-learn, or take --method pca; in Python: method='pca'",
        ) from error
