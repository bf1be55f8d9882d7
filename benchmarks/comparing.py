"""Time duplicates, outliers, clusters and the map on many vectors.

    python benchmarks/comparing.py [--rows 10000 100000 1000000] [--only duplicates "compare halves"]

Everything runs on so many synthetic vectors, each in a process of its own and in one thread, as
threads that wait for each other beside busy neighbours burn CPU time too (Linux: the peak of memory
is read from /proc); and the recall of the nearest is measured against an exact search.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
from vectors import synthetic

from embedsearch.classify import KNNClassifier
from embedsearch.compare import (
    clusters,
    diverse,
    diversity,
    drift,
    duplicates,
    layout,
    oddity,
    shifts,
)
from embedsearch.vectors.neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

K = 50
DIMENSIONS = 384
JUDGED = 300
DEPTHS = (1, 16, 101)


def texts_for(vectors: Any) -> list[str]:
    return [f"refund of order {n} to card {n % 97}" for n in range(len(vectors))]


def knn(vectors: Any) -> Any:
    half = len(vectors) // 2
    model = KNNClassifier().fit(vectors[:half], np.arange(half) % 77)
    return model.predict(vectors[half:])


WORK: dict[str, Callable[[Any], Any]] = {
    "clusters, k given": lambda vectors: clusters(vectors, texts_for(vectors), K),
    "clusters, k chosen": lambda vectors: clusters(vectors, texts_for(vectors)),
    "duplicates": lambda vectors: duplicates(vectors, texts_for(vectors)),
    "outliers": oddity,
    "diversity": diversity,
    "sample of 100": lambda vectors: diverse(vectors, 100),
    "compare halves": lambda vectors: drift(vectors[::2], vectors[1::2]),
    "compare halves of the same ids": lambda vectors: drift(
        vectors[::2], vectors[1::2], pairs=[(row, row) for row in range(len(vectors) // 2)]
    ),
    "shifts between halves, k given": lambda vectors: shifts(
        vectors[: len(vectors) // 2], vectors[len(vectors) // 2 :], texts_for(vectors), K
    ),
    "map": layout,
    "kNN: learn from half, label half": knn,
}


def measured(name: str, path: str) -> dict[str, Any]:
    vectors = np.load(path)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak begins anew
    before, wall = time.process_time(), time.perf_counter()
    WORK[name](vectors)
    cpu, seconds = time.process_time() - before, time.perf_counter() - wall
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return {
        "cpu_s": round(cpu, 1),
        "seconds": round(seconds, 1),
        "peak_mb": round(int(peak) * 1024 / 1e6),
        "peak_ratio": round(int(peak) * 1024 / vectors.nbytes, 2),
    }


def recall(path: str) -> dict[str, float]:
    vectors = np.load(path)
    queries = vectors[np.random.default_rng(0).permutation(len(vectors))[:JUDGED]]
    _, exact = faiss.knn(queries, vectors, max(DEPTHS), metric=faiss.METRIC_INNER_PRODUCT)
    _, found = Neighbours.for_queries(vectors, len(vectors)).search(queries, max(DEPTHS))
    return {
        str(k): round(
            float(
                np.mean(
                    [np.isin(a, b).mean() for a, b in zip(exact[:, :k], found[:, :k], strict=True)]
                )
            ),
            4,
        )
        for k in DEPTHS
    }


def alone(work: Callable[..., Any], *given: str) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        facts = process.submit(work, *given).result()
    print(*given[:-1], facts, file=sys.stderr)
    return facts


def sized(rows: int, folder: str, only: list[str]) -> dict[str, Any]:
    path = f"{folder}/vectors.npy"
    np.save(path, synthetic(rows, DIMENSIONS))
    return {
        "rows": rows,
        "vectors_mb": round(rows * DIMENSIONS * 4 / 1e6),
        "recall": {} if only else alone(recall, path),
        "work": {name: alone(measured, name, path) for name in only or WORK},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--only", nargs="+", choices=WORK, default=[], metavar="WORK")
    asked = parser.parse_args()
    os.environ |= {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }  # of the processes it starts
    with tempfile.TemporaryDirectory() as folder:
        sizes = [sized(rows, folder, asked.only) for rows in asked.rows]
    json.dump({"sizes": sizes}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
