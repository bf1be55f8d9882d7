"""Find flipped labels, beside cleanlab on the same probabilities.

    python benchmarks/suspects.py --data ../shared/data/classification/banking77

5 % of the labels are flipped, three times. cleanlab is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.classify import confident_learning
from embedsearch.classify.checking import units
from embedsearch.classify.folds import split
from embedsearch.classify.inputs import vectors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEEDS = 3
SHARE = 0.05
FILTERS = (
    "prune_by_noise_rate",
    "both",
    "confident_learning",
    "low_normalized_margin",
    "low_self_confidence",
)


def flipped(labels: NDArray[Any], seed: int) -> NDArray[Any]:
    """Return the labels of which 5 % are others, evenly drawn."""
    rng = np.random.default_rng(seed)
    classes, y = np.unique(labels, return_inverse=True)
    chosen = rng.choice(len(y), round(SHARE * len(y)), replace=False)
    y[chosen] = (y[chosen] + rng.integers(1, len(classes), size=len(chosen))) % len(classes)
    return classes[y]


def found(positions: NDArray[Any], wrong: NDArray[np.bool_]) -> list[float]:
    right = wrong[positions].sum()
    return [len(positions), right / max(1, len(positions)), right / wrong.sum()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    lines = (parser.parse_args().data / "train.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    vectors = units(vectors_of([row["text"] for row in rows], None))
    true = np.array([row["label"] for row in rows])
    runs: dict[str, list[list[float]]] = {}
    for seed in range(SEEDS):
        classes, y = np.unique(flipped(true, seed), return_inverse=True)
        wrong = classes[y] != true
        splits = split(y, None, 5).splits
        foretold = confident_learning._foretold(vectors, y, len(classes), splits)  # noqa: SLF001 -- the same for both
        ours = confident_learning._doubted(foretold, y)  # noqa: SLF001 -- as suspects() does
        runs.setdefault("embedsearch", []).append(found(ours, wrong))
        if importlib.util.find_spec("cleanlab"):
            from cleanlab.filter import find_label_issues

            for name in FILTERS:
                mask = find_label_issues(y, foretold, filter_by=name, n_jobs=1)
                runs.setdefault(f"cleanlab {name}", []).append(found(np.flatnonzero(mask), wrong))
    columns = ("found", "precision", "recall")
    means = {
        name: dict(zip(columns, np.mean(values, axis=0).round(4).tolist(), strict=True))
        for name, values in runs.items()
    }
    print(json.dumps({"flipped": round(SHARE * len(rows)), "seeds": SEEDS, "sides": means}))


if __name__ == "__main__":
    main()
