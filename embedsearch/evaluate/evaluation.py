"""The evaluation of a classifier: predictions of texts it has not learned from, and their figures."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from embedsearch.classify.calibration import (
    Coverage,
    coverage_table,
    expected_calibration_error,
)
from embedsearch.classify.checking import is_texts, units
from embedsearch.classify.inputs import vectors_of
from embedsearch.classify.zero_shot import ZeroShotClassifier
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.evaluate.learning import LearningCurve, learning_curve
from embedsearch.evaluate.scores import (
    Bootstrap,
    Figure,
    LabelScore,
    confusion_matrix,
    figure,
    label_scores,
)
from embedsearch.evaluate.splitting import leakproof_groups, split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.inputs import Encoder

    Codes = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Split = tuple[Codes, Codes]

BINS = 10
"""Into so many bins of equal numbers the reliability curve parts the texts."""

PAIRS = 50
"""So many confused pairs and mistakes are kept in words."""


EXPECTED = (
    "The least populated class",
    "The number of unique classes is greater",
    "the labels .* differ only by case",
)
"""What scikit-learn and our estimators warn of in each fold, and a note says once."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the figures would be without learning; ``gain`` is the accuracy won over that."""

    name: str
    accuracy: Figure
    macro_f1: Figure
    gain: Figure


@dataclass(frozen=True, slots=True)
class Confused:
    """So many texts of ``label``, the share ``share`` of them, were said to be ``predicted``."""

    label: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Texts of about the same confidence, and the share of them that was right."""

    confidence: float
    accuracy: float
    texts: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """A text, by its position, that was told wrongly; ``text`` is "" where only vectors came."""

    position: int
    label: str
    predicted: str
    confidence: float | None
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How good a classifier is at texts it has not learned from; shares are 0 to 1.

    ``confusion`` counts the texts of each label (rows) by what was said (columns), in the order of
    ``labels``. What needs probabilities is ``None`` or empty where the estimator gives none, and
    ``curve`` is ``None`` where none was asked for. ``notes`` say what the figures leave out.
    """

    estimator: str
    texts: int
    groups: int
    folds: int
    seed: int
    threshold: float
    accuracy: Figure
    macro_f1: Figure
    baselines: tuple[Baseline, ...]
    labels: tuple[LabelScore, ...]
    confusion: NDArray[np.int64]
    confused: tuple[Confused, ...]
    calibration_error: float | None
    reliability: tuple[Bin, ...]
    coverage: tuple[Coverage, ...]
    curve: LearningCurve | None
    mistakes: tuple[Mistake, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON holds; the confusion is ``[row, column, count]`` of each count."""
        rows, columns = np.nonzero(self.confusion)
        counts = self.confusion[rows, columns]
        cells = np.column_stack([rows, columns, counts]).tolist()
        return {"schema_version": 1, **asdict(replace(self, confusion=np.empty(0)))} | {
            "confusion": cells
        }


def default_estimator() -> Any:
    """Return the estimator that is evaluated where none is named."""
    return LogisticRegression(C=10, max_iter=1_000)


def evaluate(
    estimator: Any,
    X: Sequence[str] | ArrayLike,
    y: Sequence[Any] | ArrayLike,
    *,
    texts: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
    names: Mapping[str, str | Sequence[str]] | None = None,
    embedder: Encoder | str | None = None,
    folds: int = 5,
    seed: int = 0,
    threshold: float = THRESHOLD,
    curve: bool = True,
) -> Evaluation:
    """Evaluate an estimator (``None``: the default one) by cross-validation without leaks.

    ``X`` are texts (n,) or their vectors (n, d), ``y`` (n,) their labels. ``texts`` go with vectors,
    to find equal ones and to show mistakes. Of ``groups`` (n,), texts of one document, say, and of
    near duplicates (a cosine of ``threshold``), none is learned from while another is tested.
    ``names`` say in words what labels mean, for the zero-shot baseline; with vectors it needs to be
    told the ``embedder`` that made them. Texts that are blank, or have no label, and labels with a
    single group are left out and told in ``notes``, each a warning.

    Raises:
        ValueError: less than two labels can be measured, lengths differ, or vectors are not finite.

    """
    data = _read(X, y, texts, groups, embedder)
    data = _measurable(data, threshold)
    names_ = sorted(set(data.labels))
    codes = np.searchsorted(names_, data.labels)
    parts = min(folds, len(np.unique(data.groups)))
    if parts < folds:
        data.say(f"{parts} folds instead of {folds}: there are only so many groups of texts")
    _say_rare(data, parts)
    model = default_estimator() if estimator is None else estimator
    with warnings.catch_warnings():
        for message in EXPECTED:
            warnings.filterwarnings("ignore", message)
        splits = split(codes, data.groups, parts, seed)
        answers, confidence = _predicted(model, data.vectors, np.array(data.labels), splits)
        said = _codes(answers, names_)
        learned = (
            learning_curve(model, data.vectors, codes, splits, said, names_, seed=seed)
            if curve
            else None
        )
    draw = Bootstrap(codes, data.groups, seed=seed)
    accuracy, macro = draw.draws(said)
    matrix = confusion_matrix(codes, said, len(names_))
    measured = Evaluation(
        estimator=type(model).__name__,
        texts=len(codes),
        groups=len(np.unique(data.groups)),
        folds=parts,
        seed=seed,
        threshold=threshold,
        accuracy=figure(accuracy),
        macro_f1=figure(macro),
        baselines=_baselines(data, codes, names_, names, splits, draw, accuracy),
        labels=label_scores(matrix, names_),
        confusion=matrix,
        confused=_confused(matrix, names_),
        calibration_error=None,
        reliability=(),
        coverage=(),
        curve=learned,
        mistakes=_mistakes(data, codes, said, names_, confidence),
        notes=tuple(data.notes),
    )
    return measured if confidence is None else _calibrated(measured, confidence, said == codes)


@dataclass(slots=True)
class _Data:
    vectors: NDArray[np.float32]
    labels: list[str]
    texts: list[str]
    groups: Codes | None | Any
    rows: Codes
    zero_shot: bool
    embedder: Encoder | str | None
    notes: list[str]

    def say(self, note: str) -> None:
        self.notes.append(note)
        warnings.warn(note, stacklevel=4)

    def keep(self, kept: NDArray[np.bool_]) -> None:
        self.vectors, self.rows = self.vectors[kept], self.rows[kept]
        self.labels = [label for label, keep in zip(self.labels, kept, strict=True) if keep]
        self.texts = [text for text, keep in zip(self.texts, kept, strict=True) if keep]
        if self.groups is not None:
            self.groups = self.groups[kept]


def _read(
    X: Any, y: Any, texts: Sequence[str] | None, groups: Any, embedder: Encoder | str | None
) -> _Data:
    labels = ["" if label is None or label != label else str(label).strip() for label in y]  # noqa: PLR0124 -- NaN is what isn't itself
    said = is_texts(X)
    words = list(X) if said else list(texts) if texts is not None else []
    if len(X) != len(labels) or (words and len(words) != len(labels)):
        raise ValueError(f"expected a label for each text, got {len(labels)} for {len(X)}")
    if not labels:
        raise ValueError("expected labelled texts to evaluate on, got none")
    kept = np.array([bool(label) for label in labels])
    blank = np.array([bool(words) and not str(text).strip() for text in words or labels])
    if words and (strange := next((t for t in words if not isinstance(t, str)), None)) is not None:
        raise TypeError(f"expected texts, got {strange!r:.40}")
    use = kept & ~blank
    vectors = units(
        vectors_of([t for t, u in zip(words, use, strict=True) if u], embedder)
        if said
        else vectors_of(np.asarray(X)[use], embedder)
    )
    data = _Data(
        vectors,
        [label for label, u in zip(labels, use, strict=True) if u],
        [t for t, u in zip(words, use, strict=True) if u] if words else [""] * int(use.sum()),
        None if groups is None else np.asarray(groups)[use],
        np.flatnonzero(use),
        said or embedder is not None,
        embedder,
        [],
    )
    for count, what in ((int((~kept).sum()), "no label"), (int((blank & kept).sum()), "no words")):
        if count:
            data.say(f"{count} of {len(labels)} texts left out: they have {what}")
    return data


def _measurable(data: _Data, threshold: float) -> _Data:
    """Find the groups, and leave out labels that only one group has: they can't be both sides."""
    texts = data.texts if any(data.texts) else None
    data.groups = leakproof_groups(data.vectors, data.groups, texts=texts, threshold=threshold)
    _say_alike(data)
    pairs = Counter(label for label, _ in set(zip(data.labels, data.groups.tolist(), strict=True)))
    lone = sorted(label for label, count in pairs.items() if count < 2)
    if len(pairs) - len(lone) < 2:
        raise ValueError(
            "expected two labels or more with two texts each that are not alike, got"
            f" {len(pairs) - len(lone)} of {len(pairs)}: label more texts"
        )
    if lone:
        data.say(
            f"{len(lone)} of {len(pairs)} labels can't be measured and are left out, they have a"
            f" single text or copies of it: {', '.join(map(repr, lone[:5]))}"
        )
        data.keep(~np.isin(data.labels, lone))
    data.groups = np.unique(data.groups, return_inverse=True)[1]
    return data


def _say_alike(data: _Data) -> None:
    alike: dict[str, list[str]] = {}
    for label in sorted(set(data.labels)):
        alike.setdefault(" ".join(label.split()).casefold(), []).append(label)
    for same in alike.values():
        if len(same) > 1:
            data.say(
                f"the labels {' and '.join(map(repr, same))} differ only by case or blanks: if they"
                " are one, write them the same"
            )


def _say_rare(data: _Data, folds: int) -> None:
    counts = Counter(data.labels)
    rare = [label for label, count in sorted(counts.items()) if count < folds]
    if rare:
        data.say(
            f"{len(rare)} of {len(counts)} labels have less than {folds} texts, too few for figures"
            f" of their own: {', '.join(map(repr, rare[:5]))}"
        )


def _predicted(
    model: Any, X: Any, y: NDArray[Any], splits: Sequence[Split]
) -> tuple[NDArray[Any], Floats | None]:
    """Return out-of-fold predictions and, where there are probabilities, those of what was said."""
    said = np.empty(len(y), dtype=object)
    confidence = np.empty(len(y))
    sure = hasattr(model, "predict_proba")
    for train, test in splits:
        fitted = clone(model).fit(X[train], y[train])
        said[test] = fitted.predict(X[test])
        if sure:
            confidence[test] = fitted.predict_proba(X[test]).max(axis=1)
    return said, confidence if sure else None


def _codes(said: NDArray[Any], names: list[str]) -> Codes:
    """Return the places of what was said among the names."""
    if strange := set(said.tolist()) - set(names):
        raise ValueError(
            f"the estimator said {strange.pop()!r}, which is no label: evaluate one that always"
            " answers, and see in the table of coverage what abstaining would bring"
        )
    return np.searchsorted(names, said.astype(str))


def _baselines(
    data: _Data,
    codes: Codes,
    names: list[str],
    described: Mapping[str, Any] | None,
    splits: Sequence[Split],
    draw: Bootstrap,
    accuracy: Floats,
) -> tuple[Baseline, ...]:
    majority = np.empty(len(codes), np.int64)
    for train, test in splits:
        majority[test] = np.bincount(codes[train]).argmax()
    rivals = {"majority": majority}
    if data.zero_shot:
        words: Any = {n: described.get(n, n) for n in names} if described else names
        zero = ZeroShotClassifier(words, embedder=data.embedder).fit()
        rivals["zero-shot"] = np.searchsorted(names, zero.predict(data.vectors))
    else:
        data.notes.append("no zero-shot baseline: the embedder of the vectors was not named")
    return tuple(_baseline(name, said, draw, accuracy) for name, said in rivals.items())


def _baseline(name: str, said: Codes, draw: Bootstrap, accuracy: Floats) -> Baseline:
    own, macro = draw.draws(said)
    return Baseline(name, figure(own), figure(macro), figure(accuracy - own))


def _confused(matrix: Codes, names: list[str]) -> tuple[Confused, ...]:
    wrong = matrix * (1 - np.eye(len(matrix), dtype=np.int64))
    support = matrix.sum(axis=1)
    order = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return tuple(
        Confused(
            names[row],
            names[column],
            int(wrong[row, column]),
            float(wrong[row, column] / support[row]),
        )
        for row, column in pairs
        if wrong[row, column]
    )


def _mistakes(
    data: _Data, codes: Codes, said: Codes, names: list[str], confidence: Floats | None
) -> tuple[Mistake, ...]:
    """Return mistakes, those first of which the classifier was surest."""
    wrong = np.flatnonzero(said != codes)
    if confidence is not None:
        wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return tuple(
        Mistake(
            int(data.rows[row]),
            names[codes[row]],
            names[said[row]],
            None if confidence is None else float(confidence[row]),
            data.texts[row],
        )
        for row in wrong[:PAIRS]
    )


def _calibrated(measured: Evaluation, confidence: Floats, right: NDArray[np.bool_]) -> Evaluation:
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return replace(
        measured,
        calibration_error=expected_calibration_error(confidence, right),
        reliability=tuple(
            Bin(float(confidence[part].mean()), float(right[part].mean()), len(part))
            for part in parts
        ),
        coverage=tuple(coverage_table(confidence, right)),
    )
