"""Time the vector index against the bare FAISS call it stands on, quality beside speed.

    python benchmarks/vectors.py [--vectors REAL.npy] [--rows 100000] > vectors.json

Without a file the vectors are synthetic: 400 clusters in 24 latent dimensions, projected to 384
and blurred. With one, its unit rows are used; where they are fewer than ``--rows``, the rest are
interpolated between near neighbours. Queries are rows held out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from embedsearch.vectors import VectorIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Labels = NDArray[np.int64]
    Vectors = NDArray[np.float32]

K = 10
QUERIES = 300


def synthetic(rows: int, dimensions: int) -> Vectors:
    rng = np.random.default_rng(0)
    centres = 3 * rng.standard_normal((400, 24), dtype=np.float32)
    latent = centres[rng.integers(400, size=rows)] + rng.standard_normal(
        (rows, 24), dtype=np.float32
    )
    vectors = latent @ rng.standard_normal((24, dimensions), dtype=np.float32)
    vectors += 1.5 * rng.standard_normal((rows, dimensions), dtype=np.float32)
    return normalised(vectors)


def enlarged(vectors: Vectors, rows: int) -> Vectors:
    """Return at least ``rows`` rows: points between random rows and one of their 10 nearest."""
    rng = np.random.default_rng(0)
    missing = max(0, rows - len(vectors))
    _, near = faiss.knn(vectors, vectors, 11, metric=faiss.METRIC_INNER_PRODUCT)
    first = rng.integers(len(vectors), size=missing)
    second = near[first, rng.integers(1, 11, size=missing)]
    share = rng.uniform(0.2, 0.8, size=(missing, 1)).astype(np.float32)
    between = share * vectors[first] + (1 - share) * vectors[second]
    return np.concatenate([vectors, normalised(between)])


def normalised(vectors: Vectors) -> Vectors:
    result: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return result


def data(path: Path | None, rows: int, dimensions: int) -> tuple[Vectors, Vectors]:
    """Return the rows to index and the queries."""
    if path is None:
        vectors = synthetic(rows + QUERIES, dimensions)
        return vectors[QUERIES:], vectors[:QUERIES]
    vectors = np.load(path).astype(np.float32)
    np.random.default_rng(0).shuffle(vectors)
    return enlarged(vectors[QUERIES:], rows)[:rows], vectors[:QUERIES]


def bare_index(vectors: Vectors, factor: int) -> Any:
    """Return what FAISS itself offers of the same kind."""
    dimensions = vectors.shape[1]
    description = f"IVF1,PQ{dimensions // 2}x4fs,Refine(SQ8)"
    index: Any = faiss.index_factory(dimensions, description, faiss.METRIC_INNER_PRODUCT)
    faiss.omp_set_num_threads(1)
    index.train(vectors[:16_384])
    index.add(vectors)
    index.k_factor = factor
    return index


def milliseconds(*calls: Callable[[Vectors], object], queries: Vectors) -> list[float]:
    """Return the median time of each call; the calls take turns, so all meet the same noise."""
    times = np.empty((len(queries), len(calls)))
    for row, query in enumerate(queries):
        for column, call in enumerate(calls):
            start = time.perf_counter()
            call(query)
            times[row, column] = time.perf_counter() - start
    return [round(float(value), 4) for value in 1_000 * np.median(times[10:], axis=0)]


def recall(found: list[Labels], vectors: Vectors, queries: Vectors) -> float:
    """Return recall@10; the label of a row is its position + 1."""
    _, truth = faiss.knn(queries, vectors, K, metric=faiss.METRIC_INNER_PRODUCT)
    pairs = zip(found, truth, strict=True)
    return round(float(np.mean([np.isin(near + 1, labels).mean() for labels, near in pairs])), 4)


def unfiltered(index: VectorIndex, vectors: Vectors, queries: Vectors) -> dict[str, Any]:
    bare = bare_index(vectors, index._rung.calibration.factor)  # noqa: SLF001 -- the same work
    ours, theirs = milliseconds(
        lambda query: index.search(query, K),
        lambda query: bare.search(query[np.newaxis], K),
        queries=queries,
    )
    found = [index.search(query, K)[0] for query in queries]
    bare_found = list(bare.search(queries, K)[1] + 1)
    return {
        "p50_ms": ours,
        "bare_faiss_p50_ms": theirs,
        "ratio": round(ours / theirs, 3),
        "recall@10": recall(found, vectors, queries),
        "bare_faiss_recall@10": recall(bare_found, vectors, queries),
        "recall_measured_by_the_index": index.recall,
        "candidates_a_result": index._rung.calibration.factor,  # noqa: SLF001 -- reported only
    }


def filtered(
    index: VectorIndex, vectors: Vectors, queries: Vectors, share: float
) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    positions = np.sort(rng.choice(len(vectors), int(share * len(vectors)), replace=False))
    selection = index.selection(positions + 1)
    p50, p50_unprepared = milliseconds(
        lambda query: index.search(query, K, allowed=selection),
        lambda query: index.search(query, K, allowed=positions + 1),
        queries=queries,
    )
    _, truth = faiss.knn(queries, vectors[positions], K, metric=faiss.METRIC_INNER_PRODUCT)
    found = [index.search(query, K, allowed=selection)[0] for query in queries]
    right = [np.isin(positions[t] + 1, f).mean() for f, t in zip(found, truth, strict=True)]
    return {
        "p50_ms": p50,
        "p50_ms_unprepared": p50_unprepared,
        "recall@10": round(float(np.mean(right)), 4),
    }


def on_disk(index: VectorIndex, query: Vectors) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.faiss"
        start = time.perf_counter()
        index.save(path, {"generation": 1})
        saved = time.perf_counter()
        loaded, _ = VectorIndex.load(path)
        opened = time.perf_counter()
        loaded.search(query, K)
        return {
            "save_s": round(saved - start, 3),
            "open_ms": round(1_000 * (opened - saved), 2),
            "first_query_ms": round(1_000 * (time.perf_counter() - opened), 2),
            "bytes_a_vector": round(path.stat().st_size / len(index), 1),
        }


def run(vectors: Vectors, queries: Vectors) -> dict[str, Any]:
    start, cpu = time.perf_counter(), time.process_time()
    index = VectorIndex.build(np.arange(1, len(vectors) + 1), vectors)
    build = {
        "build_s": round(time.perf_counter() - start, 2),
        "build_cpu_s": round(time.process_time() - cpu, 2),
    }
    shares = (0.1, 0.01, 0.001)
    return {
        **build,
        "unfiltered": unfiltered(index, vectors, queries),
        "filtered": {str(share): filtered(index, vectors, queries, share) for share in shares},
        "file": on_disk(index, queries[0]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path, help="a .npy file of (n, d) unit rows")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=384, help="of the synthetic vectors")
    arguments = parser.parse_args()
    vectors, queries = data(arguments.vectors, arguments.rows, arguments.dimensions)
    about = {
        "vectors": arguments.vectors.name if arguments.vectors else "synthetic",
        "rows": len(vectors),
        "dimensions": vectors.shape[1],
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "faiss": faiss.__version__,
    }
    json.dump(about | run(vectors, queries), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
