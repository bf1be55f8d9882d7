"""What labels chosen by the tool are worth: the interactive loop, replayed with known answers.

    python benchmarks/choosing.py TRAIN.jsonl TEST.jsonl

Both files hold ``{"text", "label"}`` a line. From 5,000 texts of TRAIN the tool chooses one after
the other, and gets its label; after 50, 100 and 200 a classifier trained on these is judged on
TEST, beside one that was trained on as many drawn at random, and one on those of which it was most
unsure ("breaking ties" alone).
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from embedsearch.classify import FewShotClassifier
from embedsearch.classify.inputs import local, vectors_of
from embedsearch.classify.logistic import STRENGTH
from embedsearch.labelling.choosing import Chooser

POOL = 5_000
BUDGETS = (50, 100, 200)


def read(path: Path) -> tuple[Any, Any]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return vectors_of([row["text"] for row in rows], None), np.array([r["label"] for r in rows])


def judged(vectors: Any, labels: Any, test: Any, known: Any) -> float:
    return float(FewShotClassifier(embedder="local").fit(vectors, labels).score(test, known))


def chosen(vectors: Any, labels: Any) -> list[int]:
    chooser = Chooser(local(), [str(n) for n in range(len(vectors))], vectors)
    given: dict[str, tuple[str, ...]] = {}
    for _ in range(max(BUDGETS)):
        choice = chooser.next(given)
        given[choice.document_id] = (str(labels[int(choice.document_id)]),)
    return [int(id) for id in given]


def unsure(vectors: Any, labels: Any, seed: int) -> list[int]:
    order = list(np.random.default_rng(seed).permutation(len(vectors))[:10])
    while len(order) < max(BUDGETS):
        model = FewShotClassifier(strength=STRENGTH, embedder="local").fit(
            vectors[order], labels[order]
        )
        likeliest = np.sort(model.predict_proba(vectors), axis=1)
        margins = likeliest[:, -1] - likeliest[:, -2]
        margins[order] = np.inf
        order.append(int(margins.argmin()))
    return order


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--seeds", type=int, default=1, help="how many pools are drawn")
    files = parser.parse_args()
    vectors, labels = read(files.train)
    test, known = read(files.test)
    runs: dict[str, dict[int, list[float]]] = {}
    for seed in range(files.seeds):
        pool = np.random.default_rng(seed).permutation(len(vectors))[:POOL]
        ways = {
            "chosen": chosen(vectors[pool], labels[pool]),
            "unsure": unsure(vectors[pool], labels[pool], seed),
            "random": list(range(max(BUDGETS))),
        }
        for name, order in ways.items():
            for budget in BUDGETS:
                rows = pool[order[:budget]]
                accuracy = judged(vectors[rows], labels[rows], test, known)
                runs.setdefault(name, {}).setdefault(budget, []).append(accuracy)
    means = {
        name: {budget: round(statistics.fmean(found), 3) for budget, found in budgets.items()}
        for name, budgets in runs.items()
    }
    print(json.dumps({"pool": POOL, "seeds": files.seeds, "accuracy": means}))


if __name__ == "__main__":
    main()
