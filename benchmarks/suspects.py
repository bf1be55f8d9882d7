"""Find flipped labels, beside cleanlab on the same probabilities.

    python benchmarks/suspects.py --data ../shared/data/classification/banking77

5 % of the labels are flipped, three times. cleanlab is left out where it is not installed.
With ``--several 10 1500`` so many texts are made of one or two of 10 labels, of which 5 % then have
a label more or less.
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


def several(rows: list[dict[str, Any]], labels: int, count: int) -> dict[str, Any]:
    """Return what is found among texts of one label or two, and how much of its beginning."""
    names = sorted({row["label"] for row in rows})[:labels]
    rows = [row for row in rows if row["label"] in names]
    runs = []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        drawn = [rng.choice(len(rows), rng.choice([1, 2]), replace=False) for _ in range(count)]
        true = np.zeros((count, labels), np.bool_)
        for text, parts in enumerate(drawn):
            true[text, [names.index(rows[part]["label"]) for part in parts]] = True
        given = true.copy()
        for n, text in enumerate(rng.choice(count, round(SHARE * count), replace=False)):
            less = n % 2 and true[text].sum() > 1
            given[text, rng.choice(np.flatnonzero(true[text] if less else ~true[text]))] ^= True
        texts = [" ".join(rows[part]["text"] for part in parts) for parts in drawn]
        told = confident_learning.suspects(
            texts, [[names[column] for column in np.flatnonzero(own)] for own in given]
        )
        columns = [names.index(s.suggested if s.label is None else s.label) for s in told]
        hits = (true != given)[[s.position for s in told], columns]
        runs.append([len(told), hits.mean(), hits[:50].mean(), hits.sum() / (true != given).sum()])
    figures = np.mean(runs, axis=0).round(4).tolist()
    return dict(zip(("found", "precision", "of the first 50", "recall"), figures, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--several", type=int, nargs=2, metavar=("LABELS", "TEXTS"))
    asked = parser.parse_args()
    rows = [json.loads(line) for line in (asked.data / "train.jsonl").read_text().splitlines()]
    if asked.several:
        print(json.dumps({"several": asked.several, **several(rows, *asked.several)}))
        return
    vectors = units(vectors_of([row["text"] for row in rows], None))
    true = np.array([row["label"] for row in rows])
    runs: dict[str, list[list[float]]] = {}
    for seed in range(SEEDS):
        classes, y = np.unique(flipped(true, seed), return_inverse=True)
        wrong = classes[y] != true
        splits = split(y, None, 5).splits
        foretold = confident_learning._foretold(vectors, y, len(classes), splits)  # noqa: SLF001 -- the same for both
        ours = [suspect.position for suspect in confident_learning.suspects(vectors, y)]
        runs.setdefault("embedsearch", []).append(found(np.array(ours), wrong))
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
