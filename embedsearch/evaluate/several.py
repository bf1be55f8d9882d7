"""How good a classifier is where texts have any number of labels."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from embedsearch import arguments
from embedsearch.classify.checking import as_indicator, of_zeros, units
from embedsearch.classify.defaults import to_measure
from embedsearch.classify.folds import listed, more_of, number, parts
from embedsearch.classify.inputs import is_texts, local, texts_of, vectors_of
from embedsearch.classify.several import as_lists, indicator
from embedsearch.classify.splitting import alike
from embedsearch.classify.threads import one_thread
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.evaluate.evidence import ids_of, silent, warn
from embedsearch.evaluate.scores import Bootstrap, Estimate, LabelScore, label_scores
from embedsearch.evaluate.splits import apart, near_texts, rare, starved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.classify.folds import Split
    from embedsearch.classify.inputs import Encoder, Vectors

    Indicator = NDArray[np.bool_]


MISTAKES = 50
"""So many mistakes are kept in words."""


@dataclass(frozen=True, slots=True)
class SeveralMistake:
    """A text, by its position, not all of whose labels were told, or others too.

    ``missed`` are those of its ``labels`` that were not told, ``extra`` what was told besides.
    ``text`` is "" where only vectors came, ``id`` where no ids did.
    """

    position: int
    id: str
    labels: tuple[Any, ...]
    missed: tuple[Any, ...]
    extra: tuple[Any, ...]
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class SeveralEvaluation:
    """How good a classifier is at texts it has not learned from; shares are 0 to 1.

    ``subset_accuracy`` is the share of texts all of whose labels are told, and no others.
    ``micro_f1`` counts each label of each text alike, ``macro_f1`` each label. ``majority`` is the
    micro F1 of giving every text the most frequent label, ``gain`` what is won over that.
    ``near_texts`` is as in ``Evaluation``. ``mistakes`` begin with the texts of most wrong labels;
    ``notes`` say what the figures lack.
    """

    estimator: str
    texts: int
    groups: int
    folds: int
    seed: int
    threshold: float
    near_texts: int
    subset_accuracy: Estimate
    micro_f1: Estimate
    macro_f1: Estimate
    majority: Estimate
    gain: Estimate
    labels: tuple[LabelScore, ...]
    mistakes: tuple[SeveralMistake, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"<SeveralEvaluation: micro F1 {self.micro_f1.value:.3f}, macro F1"
            f" {self.macro_f1.value:.3f}; {self.texts:,} texts, {len(self.labels):,} labels>"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON holds."""
        return {"schema_version": 1, **asdict(self)}


def evaluate_several(  # noqa: PLR0913 -- all but two have a default
    given: Sequence[str] | ArrayLike,
    labels: Sequence[Any] | NDArray[Any],
    estimator: Any = None,
    *,
    texts: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
    embedder: Encoder | str | None = None,
    folds: int = 5,
    seed: int = 0,
    threshold: float = THRESHOLD,
    progress: Callable[[int, int], None] = silent,
) -> SeveralEvaluation:
    """Measure a classifier of texts with any number of labels each, by its folds.

    ``labels`` are lists of them or an indicator of 0 and 1, shape (n, classes), and the estimator
    gets them as they came. All else is as in ``evaluate``. Labels are not spread evenly over the
    folds: one with few texts may be missing in a training, and is not told then. Labels of a
    single text, and of too few, are told in ``notes`` and warned of.

    Raises:
        TypeError: labels of some text are no list.
        ValueError: nothing can be held out, the estimator abstains, a text is blank, a label is
            missing, there are less than two, lengths differ, or vectors are not finite.

    """
    folds, seed = number(folds), arguments.whole(seed, "seed")
    array = as_indicator(labels)
    labels = labels if array is None else array
    right, classes = indicator(labels)
    vectors = units(vectors_of(given, embedder))
    if len(right) != len(vectors):
        raise ValueError(f"expected labels for each of {len(vectors)} texts, got {len(right)}")
    words = _spoken(given if is_texts(given) else texts)
    ids = ids_of(ids, len(vectors))
    same = alike(vectors, groups, texts=words, threshold=threshold)
    held = parts(right, same.groups, folds, seed)
    if held.max() < 1:
        raise ValueError("nothing can be held out: label other texts, that differ more")
    splits = apart(same, _folds(held))
    if not _is_indicator(labels):
        _refuse_lone(right, splits, classes)
    lacking = _notes(right, classes.tolist(), same.groups, len(splits), folds)
    notes = tuple(map(warn, [*of_zeros(vectors), *lacking, *starved(same, splits)]))
    if embedder is None and is_texts(given):
        embedder = local()
    model = to_measure(estimator, right.sum(axis=0).tolist(), embedder)
    with warnings.catch_warnings(), one_thread(vectors.size * len(classes)):
        warnings.filterwarnings("ignore", ".* vectors are all zeros")  # in each fold
        said = _predicted(model, vectors, labels, classes, splits, progress=progress)
    draw = Bootstrap(right, same.groups, seed=seed)
    own, rival = draw.draws(said), draw.draws(_commonest(right))
    counts = (right & said).sum(axis=0), right.sum(axis=0), said.sum(axis=0)
    return SeveralEvaluation(
        estimator=type(model).__name__,
        texts=len(vectors),
        groups=int(same.groups.max()) + 1,
        folds=len(splits),
        seed=seed,
        threshold=threshold,
        near_texts=near_texts(vectors, splits),
        subset_accuracy=draw.share(own.accuracy),
        micro_f1=draw.share(own.micro_f1),
        macro_f1=draw.macro_f1(own),
        majority=draw.share(rival.micro_f1),
        gain=draw.gain(own.micro_f1 - rival.micro_f1),
        labels=label_scores(*counts, classes.tolist()),
        mistakes=_mistakes(right, said, classes.tolist(), ids, words),
        notes=notes,
    )


def _spoken(texts: Any) -> list[str] | None:
    words = None if texts is None else texts_of(texts)
    for place, text in enumerate(words or ()):
        if not text.strip():
            raise ValueError(f"expected words, got {text!r} at position {place}: leave it out")
    return words


def _notes(
    right: Indicator, names: list[Any], together: NDArray[np.int64], cut: int, folds: int
) -> Iterator[str]:
    """Yield what figures of so few texts lack."""
    if cut < folds:
        yield f"{cut} folds instead of {folds}, as there are {cut} different texts: label more"
    texts = [len(np.unique(together[column])) for column in right.T]
    counts = dict(zip(names, texts, strict=True))
    lone = [name for name, count in counts.items() if count == 1]
    if lone:
        yield (
            f"{len(lone)} of {len(names)} labels have a single text, or copies of it, and are never"
            f" told: {more_of(lone)}"
        )
    yield from rare(counts, cut)


def _refuse_lone(right: Indicator, splits: Sequence[Split], classes: NDArray[Any]) -> None:
    """Refuse folds without which no two labels are left, as an estimator needs them."""
    for train, _ in splits:
        left = right[train].any(axis=0)
        if left.sum() < 2:
            which = "".join(f"a single label, {name!r}," for name in classes[left].tolist())
            raise ValueError(
                f"nothing can be measured: without the texts of a fold {which or 'no label'} is"
                f" left to learn from: label more of {listed(classes[~left].tolist())}"
            )


def _predicted(
    estimator: Any,
    vectors: Vectors,
    labels: Any,
    classes: NDArray[Any],
    splits: Sequence[Split],
    *,
    progress: Callable[[int, int], None],
) -> Indicator:
    """Return out-of-fold predictions, an indicator (n, classes)."""
    said = np.zeros((len(vectors), len(classes)), np.bool_)
    progress(0, len(splits))
    for done, (train, test) in enumerate(splits, 1):
        fitted = clone(estimator).fit(vectors[train], _of(labels, train))
        answers = np.asarray(fitted.predict(vectors[test]))
        if answers.ndim != 2:
            raise ValueError(
                f"expected the estimator to say an indicator (n, classes), got {answers.shape}:"
                " evaluate one that always answers"
            )
        told = answers.astype(np.bool_)
        # Of lists only those labels are columns that were learned; an indicator keeps all of its.
        learned = classes if _is_indicator(labels) else fitted.classes_
        said[np.ix_(test, np.searchsorted(classes, learned))] = told
        progress(done, len(splits))
    return said


def _commonest(right: Indicator) -> Indicator:
    said = np.zeros_like(right)
    said[:, right.sum(axis=0).argmax()] = True
    return said


def _folds(held: NDArray[np.int64]) -> Iterator[Split]:
    """Yield the rows to learn from and those to judge."""
    for fold in range(held.max() + 1):
        yield np.flatnonzero(held != fold), np.flatnonzero(held == fold)


def _of(labels: Any, rows: NDArray[np.int64]) -> Any:
    """Return the labels of some texts, lists or an indicator as all are."""
    if _is_indicator(labels):
        return labels[rows]
    every = list(labels)
    return as_lists(every[row] for row in rows.tolist())


def _is_indicator(labels: Any) -> bool:
    return getattr(labels, "ndim", 1) == 2


def _mistakes(
    right: Indicator,
    said: Indicator,
    names: list[Any],
    ids: Sequence[str] | None,
    texts: Sequence[str] | None,
) -> tuple[SeveralMistake, ...]:
    wrong = (right != said).sum(axis=1)
    order = np.argsort(-wrong, kind="stable")[:MISTAKES]

    def named(has: Indicator) -> tuple[Any, ...]:
        return tuple(names[column] for column in np.flatnonzero(has))

    return tuple(
        SeveralMistake(
            position=row,
            id=ids[row] if ids is not None else "",
            labels=named(right[row]),
            missed=named(right[row] & ~said[row]),
            extra=named(said[row] & ~right[row]),
            text=texts[row] if texts is not None else "",
        )
        for row in order[wrong[order] > 0].tolist()
    )
