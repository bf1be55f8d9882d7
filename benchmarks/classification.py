"""Measure the classifiers against scikit-learn's on the same vectors.

    python benchmarks/run.py classification -- ../shared/data/classification/banking77

Few examples, by mteb's protocol: 10 draws of k examples a label, accuracy on the test part, the
same draws for all. Besides banking77 (a folder with train.jsonl and test.jsonl) on sets made here:
docstrings of Python's library by module, and, where there is apt, descriptions of Debian's
packages by section and by purpose (debtags ``use::``); what cannot be made is named in the results.
Sections and docstrings were looked at while the methods were chosen, purposes were not.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import re
import shutil
import subprocess
import sysconfig
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.pipeline import make_pipeline

from embedsearch import embedders
from embedsearch.classify import (
    FewShotClassifier,
    ProbeClassifier,
    ZeroShotClassifier,
    expected_calibration_error,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DRAWS = 10
SHOTS = (1, 3, 8)
TEMPLATES = ("{}", "This is about {}.", "My question is about {}.")
A_CLASS = 60
"""Texts a class at most in the sets made here; classes of less than 25 are left out."""
WRONG = (0.0, 0.05, 0.1, 0.3)
LABELLED = 3_000
"""Shares of labels that are drawn at random, and of how many examples."""


@dataclass(frozen=True)
class Part:
    texts: list[str]
    vectors: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]


def part(pairs: Iterable[tuple[str, str]]) -> Part:
    texts, labels = map(list, zip(*pairs, strict=True))
    return Part(texts, embedders.load().embed(texts), np.array(labels))


def banking77(folder: Path) -> tuple[Part, Part]:
    train, test = (
        part(
            (row["text"], row["label"])
            for row in map(json.loads, (folder / f"{name}.jsonl").read_text().splitlines())
        )
        for name in ("train", "test")
    )
    return train, test


def packages() -> list[str]:
    run = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True)
    return run.stdout.split("\n\n")


def described(package: str) -> str:
    found = re.search(r"^Description(?:-en)?: (.*)", package, re.MULTILINE)
    return found[1] if found else ""


def sections() -> Iterable[tuple[str, str]]:
    for package in packages():
        found = re.search(r"^Section: (?:.*/)?(.*)$", package, re.MULTILINE)
        if found and found[1] not in {"debug", "libs", "libdevel", "misc", "oldlibs", "otherosfs"}:
            yield described(package), found[1]


def purposes() -> Iterable[tuple[str, str]]:
    for package in packages():
        found = re.search(r"^Tag: (.*(?:\n .*)*)", package, re.MULTILINE)
        uses = set(re.findall(r"use::([\w-]+)", found[1])) if found else set()
        if len(uses) == 1:
            yield described(package), uses.pop()


def docstrings() -> Iterable[tuple[str, str]]:
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        inside = path.relative_to(root).parts
        if {"site-packages", "dist-packages", "test", "tests", "lib2to3"} & set(inside):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                text = ast.get_docstring(node) or ""
                if len(text) > 40:
                    yield text, inside[0].removesuffix(".py")


def made(pairs: Iterable[tuple[str, str]]) -> tuple[Part, Part]:
    """Shuffle, keep up to ``A_CLASS`` texts of each class of 25, hold out a third of each."""
    labels = dict(sorted({pair for pair in pairs if pair[0].strip()}))
    texts = sorted(labels)
    random.Random(0).shuffle(texts)
    classes: dict[str, list[tuple[str, str]]] = {}
    for text in texts:
        classes.setdefault(labels[text], []).append((text, labels[text]))
    kept = [own[:A_CLASS] for own in classes.values() if len(own) >= 25]
    train = [pair for own in kept for pair in own[len(own) // 3 :]]
    return part(train), part([pair for own in kept for pair in own[: len(own) // 3]])


def draw(labels: np.ndarray[Any, Any], k: int, seed: int) -> np.ndarray[Any, Any]:
    generator = np.random.default_rng(seed)
    rows = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.concatenate([generator.choice(own, min(k, len(own)), replace=False) for own in rows])


def plain() -> Any:
    return LogisticRegression(max_iter=100, C=1)


CONTENDERS: dict[str, Callable[[], Any]] = {
    "logistic regression": plain,
    "FewShotClassifier": FewShotClassifier,
    "without names": lambda: FewShotClassifier(names={}),
}


def few(train: Part, test: Part) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for k in SHOTS:
        draws = [draw(train.labels, k, seed) for seed in range(42, 42 + DRAWS)]
        row: dict[str, Any] = {}
        for name, contender in CONTENDERS.items():
            runs = [judged(contender(), train.vectors[d], train.labels[d], test) for d in draws]
            row[name] = round(100 * float(np.mean([run["accuracy"] for run in runs])), 1)
            row[f"{name}, calibration error"] = mean(runs, "calibration_error")
            row[f"{name}, by chance"] = mean(runs, "by_chance")
        row["gain"] = round(row["FewShotClassifier"] - row["logistic regression"], 1)
        results[str(k)] = row
    return results


def mean(runs: list[dict[str, Any]], name: str) -> float:
    return round(float(np.mean([run[name] for run in runs])), 3)


def by_chance(confidences: np.ndarray[Any, Any]) -> float:
    """Return the calibration error that is measured where confidences are exact."""
    draws = np.random.default_rng(0).random((20, len(confidences))) < confidences
    return float(np.mean([expected_calibration_error(confidences, right) for right in draws]))


def judged(model: Any, examples: Any, labels: Any, test: Part) -> dict[str, Any]:
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, of steps that did not suffice
        model.fit(examples, labels)
    spent = time.process_time() - start
    asked = test.texts if isinstance(examples, list) else test.vectors
    return {**answered(model, asked, test.labels), "cpu_seconds": round(spent, 1)}


def answered(model: Any, asked: Any, labels: Any) -> dict[str, Any]:
    shares = model.predict_proba(asked)
    confidences, right = shares.max(axis=1), model.classes_[shares.argmax(axis=1)] == labels
    return {
        "accuracy": round(float(right.mean()), 4),
        "calibration_error": round(expected_calibration_error(confidences, right), 4),
        "by_chance": round(by_chance(confidences), 4),
    }


def zero_shot(train: Part, test: Part) -> dict[str, Any]:
    """Judge names and descriptions, one sentence a label, that were written from the names."""
    said = json.loads(Path(__file__).with_name("banking77_descriptions.json").read_text())
    names = sorted(said)
    some = np.random.default_rng(0).choice(len(train.labels), 500, replace=False)
    models = {
        "names": ZeroShotClassifier(names).fit(),
        "names in 3 templates": ZeroShotClassifier(names, templates=TEMPLATES).fit(),
        "names, calibrated on 500 texts": ZeroShotClassifier(names).fit(
            train.vectors[some], train.labels[some]
        ),
        "descriptions": ZeroShotClassifier(said).fit(),
        "names and descriptions": ZeroShotClassifier(
            {name: [name.replace("_", " "), words] for name, words in said.items()}
        ).fit(),
    }
    return {name: answered(model, test.vectors, test.labels) for name, model in models.items()}


def full(train: Part, test: Part) -> dict[str, Any]:
    words = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=100))
    rows = {
        "ProbeClassifier": judged(ProbeClassifier(), train.vectors, train.labels, test),
        "FewShotClassifier": judged(FewShotClassifier(), train.vectors, train.labels, test),
        "logistic regression": judged(plain(), train.vectors, train.labels, test),
        "LogisticRegressionCV": judged(LogisticRegressionCV(), train.vectors, train.labels, test),
        "words": judged(words, train.texts, train.labels, test),
    }
    own, theirs = rows["ProbeClassifier"], rows["LogisticRegressionCV"]
    ratio = own["cpu_seconds"] / theirs["cpu_seconds"]
    above = own["accuracy"] - theirs["accuracy"]
    return {**rows, "cpu_ratio": round(ratio, 3), "accuracy_above": round(above, 4)}


def wrong_labels(train: Part, test: Part) -> dict[str, Any]:
    """Judge probabilities where a share of all labels, learned from or not, is drawn at random."""
    some = np.random.default_rng(0).choice(len(train.labels), LABELLED, replace=False)
    results: dict[str, Any] = {}
    for share in WRONG:
        learned, asked = (redrawn(labels, share) for labels in (train.labels[some], test.labels))
        model = ProbeClassifier()
        row = judged(model, train.vectors[some], learned, replace(test, labels=asked))
        results[str(share)] = row | {"noise": round(model.noise_, 3)}
    return results


def redrawn(labels: np.ndarray[Any, Any], share: float) -> np.ndarray[Any, Any]:
    generator = np.random.default_rng(1)
    drawn = generator.choice(np.unique(labels), len(labels))
    return np.where(generator.random(len(labels)) < share, drawn, labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("banking77", type=Path, nargs="?")
    folder = parser.parse_args().banking77
    results: dict[str, Any] = {"few": {}, "skipped": []}
    sets: dict[str, Callable[[], tuple[Part, Part]]] = {"docstrings": lambda: made(docstrings())}
    if shutil.which("apt-cache"):
        sets |= {"sections": lambda: made(sections()), "purposes": lambda: made(purposes())}
    else:
        results["skipped"] += ["sections", "purposes"]
    if folder is None:
        results["skipped"].append("banking77")
    else:
        train, test = banking77(folder)
        results["few"]["banking77"] = few(train, test)
        results["full"] = full(train, test)
        results["zero_shot"] = zero_shot(train, test)
        results["wrong_labels"] = wrong_labels(train, test)
    for name, make in sets.items():
        train, test = make()
        about = {"classes": len(np.unique(test.labels)), "test": len(test.labels)}
        results["few"][name] = about | few(train, test)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
