"""Measure what needs no training: neighbours, calibration and the promises.

    python benchmarks/labelling.py --data ../shared/data/classification/banking77

The folder holds ``train.jsonl`` and ``test.jsonl``: {"text", "label"} a line.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import beta, betabinom, binom
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from vectors import enlarged

from embedsearch.classify import (
    KNNClassifier,
    SelectiveClassifier,
    coverage_table,
    expected_calibration_error,
)
from embedsearch.classify.inputs import vectors_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

DRAWS = 100
CALIBRATED_ON = 1_000
TRAINED_ON = 4_000
QUERIES = 100_000


def data(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in ("train", "test"):
        rows = [json.loads(line) for line in (folder / f"{part}.jsonl").read_text().splitlines()]
        found[part] = vectors_of([row["text"] for row in rows], None)
        found[f"y_{part}"] = np.array([row["label"] for row in rows])
    return found


def judged(model: Any, x: Vectors, y: NDArray[Any]) -> dict[str, float]:
    probabilities = model.predict_proba(x)
    right = model.classes_[probabilities.argmax(axis=1)] == y
    error = expected_calibration_error(probabilities.max(axis=1), right)
    return {"accuracy": round(float(right.mean()), 4), "calibration_error": round(error, 4)}


def neighbours(bank: dict[str, Any]) -> dict[str, Any]:
    result = {}
    for name, model in {
        "chosen temperature": KNNClassifier(),
        "equal votes": KNNClassifier(temperature=np.inf),
    }.items():
        model.fit(bank["train"], bank["y_train"])
        result[name] = judged(model, bank["test"], bank["y_test"])
    return result


def cpu(call: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.process_time()
    result = call()
    return time.process_time() - begin, result


def against_sklearn(bank: dict[str, Any], examples: int) -> dict[str, Any]:
    """Compare the CPU time of 100,000 predictions; scikit-learn's is measured on a part."""
    rng = np.random.default_rng(0)
    every = enlarged(np.concatenate([bank["train"], bank["test"]]), examples + QUERIES)
    rng.shuffle(every)
    rows, queries = every[:examples].copy(), every[examples : examples + QUERIES].copy()
    labels = KNNClassifier().fit(bank["train"], bank["y_train"]).predict(rows)
    fitting, ours = cpu(lambda: KNNClassifier(k=10).fit(rows, labels))
    seconds, answers = cpu(lambda: ours.predict(queries))
    facts: dict[str, Any] = {
        "examples": examples,
        "cpu_s": round(seconds, 2),
        "fit_cpu_s": round(fitting, 2),
    }
    for algorithm, part in (("brute", 20_000_000 // examples), ("kd_tree", 2_000_000 // examples)):
        theirs = KNeighborsClassifier(10, algorithm=algorithm, weights="distance").fit(rows, labels)
        taken, said = cpu(lambda model=theirs, n=part: model.predict(queries[:n]))
        facts[algorithm] = {
            "cpu_s": round(taken * QUERIES / part, 1),
            "queries": part,
            "ratio": round(taken * QUERIES / part / seconds, 1),
            "same_answers": round(float((said == answers[:part]).mean()), 4),
        }
    return facts


def promises(bank: dict[str, Any]) -> dict[str, Any]:
    """Train once; draw what calibrates and what judges 100 times."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(bank["train"]))
    first, rest = order[:TRAINED_ON], order[TRAINED_ON:]
    x = np.concatenate([bank["train"][rest], bank["test"]])
    y = np.concatenate([bank["y_train"][rest], bank["y_test"]])
    model = SelectiveClassifier(LogisticRegression(C=8, max_iter=1_000, tol=1e-3))
    model.fit(bank["train"][first], bank["y_train"][first])
    probabilities = model.predict_proba(x)
    right = model.classes_[probabilities.argmax(axis=1)] == y
    drawn = [drawing(model, x, y, rng) for _ in range(DRAWS)]
    wrong, answered, covered = (np.array(column) for column in zip(*drawn, strict=True))
    judging = len(x) - CALIBRATED_ON
    spared = int(np.floor(0.1 * (CALIBRATED_ON + 1)))
    low, high = betabinom.ppf([0.025, 0.975], judging, CALIBRATED_ON + 1 - spared, spared)
    inside = (covered * judging >= low) & (covered * judging <= high)
    return {
        "draws": DRAWS,
        "selective": {
            "error": 0.05,
            "delta": 0.05,
            "broken": int((wrong > 0.05).sum()),
            "allowed": int(binom.ppf(0.975, DRAWS, 0.05)),
            "mean_error": round(float(wrong.mean()), 4),
            "mean_coverage": round(float(answered.mean()), 4),
        },
        "sets": {
            "alpha": 0.1,
            "mean_coverage": round(float(covered.mean()), 4),
            "expected": round(float(beta.mean(CALIBRATED_ON + 1 - spared, spared)), 4),
            "draws_within_95": int(inside.sum()),
            "mean_size": round(float(model.predict_set(x).sum(axis=1).mean()), 3),
        },
        "coverage_table": [
            [round(row.coverage, 3), round(row.confidence, 3), round(row.accuracy, 4)]
            for row in coverage_table(probabilities.max(axis=1), right)
        ],
    }


def drawing(
    model: SelectiveClassifier, x: Vectors, y: NDArray[Any], rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return the share of wrong answers, of answers, and of sets that hold the label."""
    order = rng.permutation(len(x))
    own, others = order[:CALIBRATED_ON], order[CALIBRATED_ON:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nothing is answered in a draw: that is counted
        model.calibrate(x[own], y[own])
    answers = model.predict(x[others])
    given = np.array([answer is not None for answer in answers])
    wrong = float((answers[given] != y[others][given]).mean()) if given.any() else 0.0
    columns = np.searchsorted(model.classes_, y[others])
    sets = model.predict_set(x[others])[np.arange(len(others)), columns]
    return wrong, float(given.mean()), float(sets.mean())


def strangers(bank: dict[str, Any]) -> dict[str, Any]:
    """Hold whole intents out: how many of their texts are told to be unlike all examples."""
    rng = np.random.default_rng(0)
    unknown = rng.choice(sorted(set(bank["y_train"])), 15, replace=False)
    known = ~np.isin(bank["y_train"], unknown)
    model = SelectiveClassifier(KNNClassifier())
    model.fit(bank["train"][known], bank["y_train"][known])
    other = [
        "The glacier retreats by ten metres a year.",
        "Add the eggs and stir.",
        "He scored twice before half-time.",
        "Newton's second law relates force and acceleration.",
        "The cathedral was built in the twelfth century.",
        "Unscrew the cap and drain the oil.",
        "Tomorrow will be cloudy with some rain.",
        "Her new novel is set in Lisbon.",
        "Install the package and restart the service.",
        "The cat sleeps on the warm stove.",
    ]
    groups = {
        "known intents": bank["test"][~np.isin(bank["y_test"], unknown)],
        "15 other intents of the bank": bank["test"][np.isin(bank["y_test"], unknown)],
        "10 sentences about anything else": vectors_of(other, None),
    }
    return {
        name: round(float(np.mean([answer is None for answer in model.predict(rows)])), 4)
        for name, rows in groups.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    bank = data(parser.parse_args().data)
    result = {
        "knn": neighbours(bank),
        "promises": promises(bank),
        "unanswered": strangers(bank),
        "against_sklearn": [against_sklearn(bank, examples) for examples in (10_000, 100_000)],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
