"""Time duplicates, outliers, clusters and the map; judge the first two beside semhash.

    python benchmarks/comparing.py [TEXTS.jsonl STRANGERS.jsonl] [--rows 10000 100000 1000000]
        [--only duplicates "compare halves"]

Both files hold ``{"text"}`` a line. Of the texts near-duplicates are given up; what is judged is
how many of those have no kept text within the threshold, and how many kept ones are that near to
another. Strangers, texts of another kind, are mixed in to be found as outliers: as many are taken
to be odd as there are. semhash and LocalOutlierFactor get the same vectors. Then everything is
timed on so many synthetic vectors, each in a process of its own and in one thread, as threads that
wait for each other beside busy neighbours burn CPU time too (Linux: the peak of memory is read
from /proc); and the recall of the nearest is measured against an exact search.
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
from sklearn.neighbors import LocalOutlierFactor
from vectors import synthetic

from embedsearch.classify import KNNClassifier
from embedsearch.classify.inputs import vectors_of
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

THRESHOLDS = (0.95, 0.9, 0.85)
STRANGERS = 200
NEAREST = (10, 50, 100, 200)
K = 50
DIMENSIONS = 384
JUDGED = 300
DEPTHS = (1, 16, 101)


def read(path: Path) -> list[str]:
    return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    return work(), round(time.process_time() - started, 2)


def semhash_of(vectors: Any, texts: list[str]) -> Any:
    from semhash import SemHash

    class Unused:
        def encode(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError

    return SemHash.from_embeddings(vectors, texts, Unused())


def deduplicated(vectors: Any, spare: list[int], threshold: float, seconds: float) -> Any:
    kept = np.setdiff1d(np.arange(len(vectors)), spare)
    between = vectors[kept] @ vectors[kept].T
    np.fill_diagonal(between, -1)
    nearest = (vectors[spare] @ vectors[kept].T).max(axis=1)
    return {
        "given_up": len(spare),
        "given_up_without_a_near_one": int((nearest < threshold - 1e-5).sum()),
        "kept_near_another": int((between.max(axis=1) >= threshold + 1e-5).sum()),
        "cpu_s": seconds,
    }


def near_duplicates(vectors: Any, texts: list[str]) -> dict[str, Any]:
    first = {text: row for row, text in reversed(list(enumerate(texts)))}
    rows = sorted(first.values())  # each text once: copies are no question
    vectors, texts = vectors[rows], [texts[row] for row in rows]
    place = {text: row for row, text in enumerate(texts)}
    said: dict[str, Any] = {}
    for threshold in THRESHOLDS:
        ours, seconds = timed(lambda t=threshold: duplicates(vectors, texts, threshold=t))
        spare = [row for group in ours for row in group.others]
        theirs, longer = timed(
            lambda t=threshold: semhash_of(vectors, texts).self_deduplicate(t).filtered
        )
        known = [place[found.record] for found in theirs]
        said[str(threshold)] = {
            "ours": deduplicated(vectors, spare, threshold, seconds),
            "semhash": deduplicated(vectors, known, threshold, longer),
        }
    return said


def found(scores: Any, strange: Any, seconds: float) -> dict[str, Any]:
    odd = np.argsort(-scores, kind="stable")[: strange.sum()]
    return {"found": int(strange[odd].sum()), "of": int(strange.sum()), "cpu_s": seconds}


def outliers(vectors: Any, strangers: Any) -> dict[str, Any]:
    both = np.concatenate([vectors, strangers])
    strange = np.arange(len(both)) >= len(vectors)
    said = {}
    for k in NEAREST:
        scores, seconds = timed(lambda k=k: oddity(both, k))
        said[f"ours, {k} nearest"] = found(scores, strange, seconds)
    for k in (20, 100):
        model, seconds = timed(lambda k=k: LocalOutlierFactor(n_neighbors=k).fit(both))
        said[f"local outlier factor, {k} nearest"] = found(
            -model.negative_outlier_factor_, strange, seconds
        )
    theirs, seconds = timed(
        lambda: (
            semhash_of(both, [str(n) for n in range(len(both))])
            .self_filter_outliers(float(strange.mean()))
            .filtered
        )
    )
    odd = np.zeros(len(both))
    odd[[int(row) for row in theirs]] = 1
    return said | {"semhash": found(odd, strange, seconds)}


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


def judged(given: Path, strange: Path) -> dict[str, Any]:
    texts = read(given)
    others = sorted(set(read(strange)))
    chosen = np.random.default_rng(0).permutation(len(others))[:STRANGERS]
    vectors = vectors_of(texts, None)
    strangers = vectors_of([others[n] for n in chosen], None)
    return {
        "near_duplicates": near_duplicates(vectors, texts),
        "outliers": outliers(vectors, strangers),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path, nargs="?")
    parser.add_argument("strangers", type=Path, nargs="?")
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--only", nargs="+", choices=WORK, default=[], metavar="WORK")
    asked = parser.parse_args()
    os.environ |= {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }  # of the processes it starts
    result = judged(asked.texts, asked.strangers) if asked.strangers else {}
    with tempfile.TemporaryDirectory() as folder:
        result["sizes"] = [sized(rows, folder, asked.only) for rows in asked.rows]
    json.dump(result, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
