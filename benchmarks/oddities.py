"""Judge near duplicates and outliers beside semhash and LocalOutlierFactor, on the same vectors.

    python benchmarks/oddities.py TEXTS.jsonl STRANGERS.jsonl

Both files hold ``{"text"}`` a line. Of the texts near-duplicates are given up; what is judged is
how many of those have no kept text within the threshold, and how many kept ones are that near to
another. Strangers, texts of another kind, are mixed in to be found as outliers: as many are taken
to be odd as there are.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.neighbors import LocalOutlierFactor

from embedsearch.classify.inputs import vectors_of
from embedsearch.compare import duplicates, oddity

if TYPE_CHECKING:
    from collections.abc import Callable

THRESHOLDS = (0.95, 0.9, 0.85)
STRANGERS = 200
NEAREST = (10, 50, 100, 200)


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
    parser.add_argument("texts", type=Path)
    parser.add_argument("strangers", type=Path)
    asked = parser.parse_args()
    json.dump(judged(asked.texts, asked.strangers), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
