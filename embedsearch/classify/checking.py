"""What estimators check before they learn or answer: scikit-learn's rules, and those of texts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_non_negative,
    column_or_1d,
    validate_data,
)

from embedsearch.classify.inputs import is_texts, named, vectors_of
from embedsearch.errors import EmbedderMismatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Encoder, Vectors

    Labels = NDArray[Any]

LISTS = (list, tuple, set, frozenset, np.ndarray)
"""What the labels of one text may be in."""

ROWS = (list, tuple, np.ndarray)
"""What a row of an indicator may be."""

MARKS = (Real, np.bool_)
"""What it may hold, as far as it is 0 or 1."""

UNIT = 1e-6
"""So far from 1 a length is 1: float32 knows no better."""


def learned(estimator: Any, X: Any, y: Any) -> tuple[Vectors, Labels]:
    """Return vectors (n, d) and labels (n,) to learn from, and note what the estimator saw.

    Raises:
        ValueError: a label is missing, a text has several, there are less than two, or the lengths
            differ.

    """
    if _is_empty(X):
        raise ValueError("expected texts or vectors to learn from, got none")
    if y is not None:
        _refuse_unfit(y)
    vectors, labels = validate_data(estimator, to_learn_from(estimator, X), y, dtype=np.float32)
    tell_zeros(vectors)
    _check_kind(labels)
    _check_classes(np.unique(labels))
    return vectors, labels


def to_learn_from(estimator: Any, X: Any) -> Any:
    """Return the vectors of texts (n,), and anything else as it came; the estimator notes which."""
    texts = is_texts(X)
    given = _embedded(estimator, X) if texts else X
    # Only now: an API's first answer may tell how long its vectors are, which the space names.
    estimator.space_ = named(estimator.embedder).space if texts else None
    return given


def checked_labels(y: Any, count: int) -> Labels:
    """Return the labels (n,) of ``count`` examples; raises as ``learned`` does."""
    labels = one_label_each(y)
    if len(labels) != count:
        raise ValueError(f"expected a label for each of {count} texts, got {len(labels)}")
    _check_kind(labels)
    _check_classes(np.unique(labels))
    return labels


def one_label_each(y: Any) -> Labels:
    """Return labels (n,); raises ValueError where one is missing, or a text has several."""
    _refuse_unfit(y)
    return column_or_1d(y)  # type: ignore[no-any-return]  # sklearn has no types


def weights_of(sample_weight: Any, vectors: NDArray[Any]) -> NDArray[Any]:
    """Return a weight for each of the vectors, (n,); raises ValueError for one below 0."""
    weights = _check_sample_weight(sample_weight, vectors, dtype=vectors.dtype)
    check_non_negative(weights, "sample_weight")
    return weights  # type: ignore[no-any-return]  # sklearn has no types


def asked(estimator: Any, X: Any) -> Vectors:
    """Return vectors (n, d) to answer for, n perhaps 0.

    Raises:
        EmbedderMismatch: the estimator has learned in another space, or from vectors of a space
            that it was not told.
        ValueError: the vectors have another length than those it has learned from.

    """
    if _is_empty(X):
        return np.empty((0, estimator.n_features_in_), np.float32)
    texts = is_texts(X)
    if texts:
        _refuse_other_space(estimator)
    given = _embedded(estimator, X) if texts else X
    vectors: Vectors = validate_data(
        estimator, given, reset=False, dtype=np.float32, ensure_min_samples=0
    )
    tell_zeros(vectors)
    return vectors


def _refuse_other_space(estimator: Any) -> None:
    if estimator.space_ is None and estimator.embedder is None:
        raise EmbedderMismatch(
            "expected vectors, as in the training, got texts: nothing says what made the vectors",
            hint="name it as embedder",
        )
    own = named(estimator.embedder).space
    if estimator.space_ not in {None, own}:
        raise EmbedderMismatch(
            f"expected the embedder of the training, {estimator.space_!r}, got {own!r}",
            hint="fit again with this one",
        )


def check_above_0(given: float | None, what: str) -> None:
    """Refuse what is neither ``None`` nor a number above 0."""
    if given is not None:
        _check_number(given, what)
        if not given > 0:
            raise ValueError(f"expected a {what} above 0, got {given}")


def check_share(given: float, what: str) -> None:
    """Refuse what is no number between 0 and 1, neither of which is one."""
    _check_number(given, what)
    if not 0 < given < 1:
        raise ValueError(f"expected {what} between 0 and 1, got {given}")


def _check_number(given: Any, what: str) -> None:
    if not isinstance(given, Real) or isinstance(given, bool):
        raise TypeError(f"expected {what} as a number, got {given!r:.40}")


def generator(random_state: Any) -> np.random.Generator:
    """Return what draws at random: anew from a whole number, or on from where numpy's own is."""
    try:
        return np.random.default_rng(random_state)
    except TypeError as error:
        raise TypeError(
            "expected random_state as a whole number, a RandomState or None, got"
            f" {random_state!r:.40}"
        ) from error


def sharing(estimator: Any, encoder: Encoder | str | None) -> Any:
    """Return an estimator to fit, which embeds by ``encoder`` if it has no embedder of its own."""
    made = clone(estimator)
    if made.get_params(deep=False).get("embedder", "none to be set") is None:
        made.set_params(embedder=encoder)
    return made


def as_indicator(y: Any) -> Labels | None:
    """Return an indicator (n, classes), nested lists or sparse, as an array; else ``None``.

    As for scikit-learn, rows of one length from 2 on that hold nothing but 0 and 1 are one. Sets
    never are: they hold labels.
    """
    if getattr(y, "ndim", 1) == 2:
        return np.asarray(y.toarray() if issparse(y) else y)
    rows = [row for row in y if isinstance(row, ROWS)]
    lengths = {len(row) for row in rows}
    if len(rows) < len(y) or len(lengths) != 1 or max(lengths) < 2:
        return None
    marks = all(isinstance(mark, MARKS) and mark in (0, 1) for row in rows for mark in row)
    return np.array(rows) if marks else None


def are_several(y: Any) -> bool:
    """Tell lists of labels and an indicator (n, classes) from one label a text."""
    if getattr(y, "ndim", 1) == 2:
        return bool(y.shape[1] > 1)
    if getattr(getattr(y, "dtype", None), "kind", "O") != "O" or not isinstance(y, Iterable):
        return False
    return any(isinstance(row, LISTS) for row in y)


def refuse_several(y: Any) -> None:
    """Raise ValueError where texts have several labels each."""
    if are_several(y):
        raise ValueError(
            "expected one label a text, got several: ProbeClassifier, FewShotClassifier,"
            " KNNClassifier and SelectiveClassifier learn those, evaluate_several measures them"
        )


def units(vectors: Vectors) -> Vectors:
    """Return the rows scaled to unit length, as they are where they have it; zeros stay."""
    lengths = np.sqrt(np.vecdot(vectors, vectors))[:, np.newaxis]
    if np.abs(lengths - 1).max(initial=0) < UNIT:
        return vectors
    return np.divide(vectors, np.where(lengths > 0, lengths, 1), dtype=np.float32)


def tell_zeros(vectors: NDArray[Any]) -> None:
    """Warn of vectors (n, d) that are all zeros."""
    for note in of_zeros(vectors):
        warnings.warn(note, stacklevel=4)


def of_zeros(vectors: NDArray[Any], positions: NDArray[Any] | None = None) -> list[str]:
    """Return a note if vectors (n, d), which came at ``positions`` (n,), are all zeros.

    They are as near to one thing as to any other.
    """
    zeros = np.flatnonzero(~vectors.any(axis=1))
    if not len(zeros):
        return []
    first = zeros[0] if positions is None else positions[zeros[0]]
    note = (
        f"{len(zeros):,} of {len(vectors):,} vectors are all zeros, the first at position {first}:"
        " what is said of them means nothing, leave them out"
    )
    return [note]


def _is_empty(given: Any) -> bool:
    """Tell no texts at all, which no embedder need be asked about, from one that is empty."""
    if isinstance(given, str) or not (isinstance(given, (list, tuple)) or is_texts(given)):
        return False
    return not len(given)


def _embedded(estimator: Any, texts: Any) -> Vectors:
    blank = [
        place for place, text in enumerate(texts) if isinstance(text, str) and not text.strip()
    ]
    if blank and not isinstance(texts, str):
        warnings.warn(
            f"{len(blank)} of {len(texts)} texts are blank, the first at position {blank[0]}:"
            " what is said of them means nothing, leave them out",
            stacklevel=4,
        )
    return vectors_of(texts, estimator.embedder)


def _refuse_unfit(y: Any) -> None:
    """Refuse what numpy would make labels of without a word."""
    refuse_several(y)
    _refuse_missing(y)
    _refuse_mixed(y)


def _refuse_missing(y: Any) -> None:
    for place, label in enumerate(np.asarray(y, dtype=object).ravel()):
        if is_missing(label) or (isinstance(label, str) and not label.strip()):
            raise ValueError(
                f"expected a label for each text, got {label!r} at position {place}"
                " (Input y contains NaN or nothing): leave out what has none"
            )


def _refuse_mixed(y: Any) -> None:
    """Refuse texts beside others: an array of both would make all of them texts."""
    kinds = {isinstance(label, str): label for label in np.asarray(y, dtype=object).ravel()}
    if len(kinds) > 1:
        raise ValueError(
            f"expected labels of one kind, got {kinds[True]!r} and {kinds[False]!r}: write all as"
            " text"
        )


def is_missing(label: Any) -> bool:
    """Tell None, NaN, and pandas' NA, which is neither equal nor unequal to itself."""
    same = label == label  # noqa: PLR0124 -- that is the question
    return label is None or not (isinstance(same, (bool, np.bool_)) and same)


def _check_kind(labels: Labels) -> None:
    with warnings.catch_warnings():  # one example a label is no mistake here
        warnings.filterwarnings("ignore", "The number of unique classes is greater")
        check_classification_targets(labels)


def _check_classes(classes: Labels) -> None:
    if len(classes) < 2:
        got = f"one class, {classes.tolist()[0]!r}" if len(classes) else "no label"
        raise ValueError(f"expected at least two classes, got {got}: label examples of another")
    for note in of_alike(classes.tolist()):
        warnings.warn(note, stacklevel=4)


def of_alike(classes: Iterable[Any]) -> list[str]:
    """Return a note for classes, in order, that differ only by case or blanks."""
    alike: dict[str, list[str]] = {}
    for label in classes:
        if isinstance(label, str):
            alike.setdefault(" ".join(label.split()).casefold(), []).append(label)
    return [
        f"the labels {' and '.join(map(repr, same))} differ only by case or blanks and are kept"
        " apart: if they are one, write them the same"
        for same in alike.values()
        if len(same) > 1
    ]
