"""How good a classifier is at texts that it has not seen, and how sure one can be of that."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from embedsearch import arguments
from embedsearch.classify.calibration import (
    coverage_table,
    expected_calibration_error,
    reliability,
)
from embedsearch.classify.checking import refuse_several
from embedsearch.classify.defaults import to_measure
from embedsearch.classify.fewshot import unknown, worded
from embedsearch.classify.folds import different, number, split
from embedsearch.classify.inputs import is_texts, local
from embedsearch.classify.threads import one_thread
from embedsearch.classify.zero_shot import ZeroShotClassifier
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.evaluate.evaluation import Baseline, Confused, Evaluation, Mistake
from embedsearch.evaluate.evidence import Evidence, evidence, ids_of, plain, silent, warn
from embedsearch.evaluate.learning import SHARES, learning_curve
from embedsearch.evaluate.scores import (
    TINY,
    Bootstrap,
    by_chance,
    confusion_matrix,
    label_scores,
)
from embedsearch.evaluate.splits import apart, near_texts, rare, starved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.folds import Split
    from embedsearch.classify.inputs import Encoder, Vectors

    Codes = NDArray[np.int64]
    Floats = NDArray[np.float64]

BINS = 10
"""Into so many bins of equal numbers the reliability curve parts the texts."""

PAIRS = 50
"""So many confused pairs and mistakes are kept in words."""

EXPECTED = (
    "The least populated class",
    "The number of unique classes is greater",
    "the labels .* differ only by case",
    "names are given of what is no label",
    ".* vectors are all zeros",
)
"""What scikit-learn and our estimators warn of in each fold, and a note says once."""


def evaluate(  # noqa: PLR0913 -- all but two have a default
    given: Sequence[str] | ArrayLike,
    labels: Sequence[Any] | NDArray[Any],
    estimator: Any = None,
    *,
    texts: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
    names: Mapping[Any, str | Sequence[str]] | None = None,
    embedder: Encoder | str | None = None,
    folds: int = 5,
    seed: int = 0,
    threshold: float = THRESHOLD,
    curve: bool = True,
    progress: Callable[[int, int], None] = silent,
) -> Evaluation:
    """Measure a classifier, by default the one that is best for so many labels, by its folds.

    ``given`` are texts (n,) or their vectors (n, d); the estimator gets vectors. ``texts`` may go
    with vectors, to find equal ones and to show mistakes, and ``ids`` to name these. No text is
    told by a classifier that has learned from it, from one of its group (``groups``, (n,)), or from
    one that says nearly the same (a cosine of ``threshold``): without groups near duplicates are
    held out together, else those of what is held out are left out of what is learned.
    ``names`` say in words what labels mean, for the baseline that learns nothing; with vectors it
    needs to be told the ``embedder`` that made them.
    Intervals are of 95 %, by drawing groups anew. What is left out is told in ``notes`` and warned
    of: blank texts, those without a label, labels with a single text. ``progress`` is told how many
    trainings of how many are done.

    Raises:
        ValueError: less than two labels can be measured, nothing can be held out, a text has
            several labels, labels are not all texts or all whole numbers, lengths differ, vectors
            are not finite, or the estimator says something that is no label.

    """
    folds, seed = number(folds), arguments.whole(seed, "seed")
    refuse_several(labels)  # a sparse indicator has no length
    ids = ids_of(ids, len(labels))
    known = evidence(
        given, labels, texts=texts, groups=groups, embedder=embedder, threshold=threshold
    )
    classes, codes = np.unique(known.labels, return_inverse=True)
    if embedder is None and is_texts(given):
        embedder = local()
    estimator = to_measure(estimator, np.bincount(codes).tolist(), embedder)
    groups = known.alike.groups
    cut = split(known.labels, groups, folds, seed=seed)
    splits = apart(known.alike, cut.splits, known.labels)
    parts = len(splits)
    done = count(1)
    fits = parts * (1 + len(SHARES) * curve)

    def step() -> None:
        progress(next(done), fits)

    progress(0, fits)
    few = [cut.note] if cut.note else rare(different(known.labels, groups), parts)
    few += starved(known.alike, splits)
    own_names = estimator.get_params(deep=False).get("names")
    odd = [unknown(said, plain(labels)) for said in (names, own_names)]
    notes = [warn(note) for note in (*known.notes, *few, *filter(None, odd))]
    with warnings.catch_warnings(), one_thread(known.vectors.size * len(classes)):
        for message in EXPECTED:
            warnings.filterwarnings("ignore", message)
        answers, confidence = _predicted(estimator, known.vectors, known.labels, splits, step=step)
        said = _codes(answers, classes)
        learned = (
            learning_curve(estimator, known, splits, said=classes[said], seed=seed, step=step)
            if curve
            else None
        )
    # Of all texts: the majority of the other folds is seldom that of the one that is held out.
    rivals = {"majority": np.full_like(codes, np.bincount(codes).argmax())}
    words = _words(classes.tolist(), names or {})
    if embedder is None:
        notes.append("no zero-shot baseline: say as embedder what made the vectors")
    elif len(worded(classes.tolist(), words)[1]) < 2:
        first = classes.tolist()[0]
        notes.append(f"no zero-shot baseline: labels as {first!r} do not say what they mean")
    else:
        zero = ZeroShotClassifier(words, embedder=embedder).fit()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".* vectors are all zeros")
            rivals["zero-shot"] = np.searchsorted(classes, zero.predict(known.vectors))
    draw = Bootstrap(codes, groups, seed=seed)
    own = draw.draws(said)
    matrix = confusion_matrix(codes, said, len(classes))
    measured = Evaluation(
        estimator=type(estimator).__name__,
        texts=len(codes),
        groups=int(groups.max()) + 1,
        folds=parts,
        seed=seed,
        threshold=threshold,
        near_texts=near_texts(known.vectors, splits),
        accuracy=draw.share(own.accuracy),
        macro_f1=draw.macro_f1(own),
        baselines=tuple(_baseline(n, rival, draw, own.accuracy) for n, rival in rivals.items()),
        labels=label_scores(
            np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0), classes.tolist()
        ),
        confusion=matrix,
        confused=_confused(matrix, classes.tolist()),
        calibration_error=None,
        calibration_by_chance=None,
        calibration_p_value=None,
        reliability=(),
        coverage=(),
        curve=learned,
        mistakes=_mistakes(known, classes[said].tolist(), confidence, ids),
        notes=tuple(notes),
    )
    if confidence is None:
        return measured
    return _calibrated(measured, confidence, said == codes, groups)


def _predicted(
    estimator: Any,
    vectors: Vectors,
    labels: NDArray[Any],
    splits: Sequence[Split],
    *,
    step: Callable[[], None],
) -> tuple[NDArray[Any], Floats | None]:
    """Return out-of-fold predictions and, where there are probabilities, those of what was said."""
    said = np.empty(len(labels), dtype=object)
    confidence = np.empty(len(labels))
    sure = hasattr(estimator, "predict_proba")
    for train, test in splits:
        fitted = clone(estimator).fit(vectors[train], labels[train])
        said[test] = fitted.predict(vectors[test])
        if sure:
            confidence[test] = fitted.predict_proba(vectors[test]).max(axis=1)
        step()
    return said, confidence if sure else None


def _codes(said: NDArray[Any], classes: NDArray[Any]) -> Codes:
    """Return the places of what was said among the classes."""
    if strange := set(said.tolist()) - set(classes.tolist()):
        raise ValueError(
            f"the estimator said {strange.pop()!r}, which is no label: evaluate one that always"
            " answers, and see in the table of coverage what abstaining would bring"
        )
    return np.searchsorted(classes, said.astype(classes.dtype))


def _words(classes: list[Any], names: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return what is said of each label: its name, or else itself as words."""
    own = {label: str(label).replace("_", " ").replace("-", " ") for label in classes}
    return {label: names.get(label, words) for label, words in own.items()}


def _baseline(name: str, said: Codes, draw: Bootstrap, accuracy: Floats) -> Baseline:
    own = draw.draws(said)
    won = draw.gain(accuracy - own.accuracy)
    macro = draw.macro_f1(own, fixed=bool((said == said[0]).all()))
    return Baseline(name, draw.share(own.accuracy), macro, won)


def _confused(matrix: Codes, classes: list[Any]) -> tuple[Confused, ...]:
    wrong = matrix * ~np.eye(len(matrix), dtype=bool)
    shares = wrong / matrix.sum(axis=1, keepdims=True)
    order = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return tuple(
        Confused(classes[a], classes[b], int(wrong[a, b]), float(shares[a, b]))
        for a, b in pairs
        if wrong[a, b]
    )


def _mistakes(
    known: Evidence, said: list[Any], confidence: Floats | None, ids: Sequence[str] | None
) -> tuple[Mistake, ...]:
    """Return mistakes, those first of which the classifier was surest."""
    labels = known.labels.tolist()
    wrong = np.array([row for row, own in enumerate(labels) if said[row] != own], np.int64)
    if confidence is not None:
        wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return tuple(
        Mistake(
            position=int(known.positions[row]),
            id=ids[known.positions[row]] if ids else "",
            label=labels[row],
            predicted=said[row],
            confidence=None if confidence is None else float(confidence[row]),
            text=known.texts[row],
        )
        for row in wrong[:PAIRS]
    )


def _calibrated(
    measured: Evaluation, confidence: Floats, right: NDArray[np.bool_], groups: Codes
) -> Evaluation:
    error = expected_calibration_error(confidence, right)
    chance = by_chance(confidence, groups, seed=measured.seed)
    return replace(
        measured,
        calibration_error=error,
        calibration_by_chance=float(chance.mean()),
        calibration_p_value=(int((chance >= error - TINY).sum()) + 1) / (len(chance) + 1),
        reliability=tuple(reliability(confidence, right, bins=BINS)),
        coverage=tuple(coverage_table(confidence, right)),
    )
