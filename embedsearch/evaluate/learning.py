"""Learning curves: what more examples would bring, and of which label."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import nnls
from scipy.stats import binom
from sklearn.base import clone

from embedsearch.compare.checking import LIKELY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from embedsearch.classify.folds import Split
    from embedsearch.evaluate.evidence import Evidence

    Codes = NDArray[np.int64]
    Floats = NDArray[np.float64]

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Of the examples of each label, before all of them: together they cost as much again."""

EXPONENTS = np.geomspace(0.05, 2, 60)
"""What power laws of learning curves have: 0.07 to 0.5 (Hestness et al. 2017), with room."""

FURTHEST = 4
"""A forecast reaches to so many times the examples there are; beyond it is guesswork."""

RISING = 1.645
"""How many standard errors a recall must have risen by to be taken as rising: 95 %, one-sided."""

LOW = 0.05
"""A label's recall is low if it is that far below the median label's."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """The error after n examples: ``floor + scale * n ** -exponent`` (Figueroa et al. 2012)."""

    floor: float
    scale: float
    exponent: float

    def error(self, n: float) -> float:
        """Return the error that is expected after so many examples."""
        return float(self.floor + self.scale * n**-self.exponent)

    def needed(self, error: float) -> float:
        """Return after how many examples the error is expected, infinity for never."""
        if error <= self.floor:
            return float("inf")
        return float((self.scale / (error - self.floor)) ** (1 / self.exponent))


@dataclass(frozen=True, slots=True)
class Need:
    """A label of low recall: ``more`` examples would bring it to ``recall_then``.

    ``more`` is ``None`` where this can't be told, as where so low a recall may be chance; ``why``
    says it in words.
    """

    label: Any
    examples: int
    recall: float
    more: int | None
    recall_then: float | None
    why: str


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """Accuracy (0 to 1) after ``examples`` of training, measured, and forecast as pairs of both.

    ``law`` and ``forecast`` are ``None`` and empty where nothing proves that more examples help.
    """

    examples: tuple[int, ...]
    accuracies: tuple[float, ...]
    law: PowerLaw | None
    forecast: tuple[tuple[int, float], ...]
    needs: tuple[Need, ...]


def fitted(sizes: Floats, errors: Floats, exponents: Floats = EXPONENTS) -> PowerLaw:
    """Return the power law of least squares; floor and scale are 0 or more.

    Large sizes count more, as a forecast starts from them: by their square roots.
    """
    weights = np.sqrt(sizes / sizes.max())
    best, least = PowerLaw(0, 0, 1), float("inf")
    for exponent in exponents:
        sides = np.column_stack([np.ones(len(sizes)), sizes**-exponent])
        (floor, scale), rest = nnls(sides * weights[:, None], errors * weights)
        if rest < least:
            best, least = PowerLaw(float(floor), float(scale), float(exponent)), rest
    return best


def learning_curve(
    estimator: Any,
    known: Evidence,
    splits: Sequence[Split],
    *,
    said: NDArray[Any],
    seed: int = 0,
    step: Callable[[], None] = lambda: None,
) -> LearningCurve:
    """Return what an estimator makes of growing shares of each fold's examples.

    The shares are nested and keep the proportions of labels, with one example of each at least.
    ``said`` (n,) are the labels it told out of fold with all of them. ``step`` is called after each
    training.
    """
    names, codes = np.unique(known.labels, return_inverse=True)
    sizes: list[float] = []
    right: list[NDArray[np.bool_]] = []
    whole = fmean(len(train) for train, _ in splits)
    for share in SHARES:
        parts = [
            train[nested(codes[train], share, seed + fold)]
            for fold, (train, _) in enumerate(splits)
        ]
        hits = _hits(estimator, known, parts, [test for _, test in splits], step)
        seen = fmean(map(len, parts))
        if round(sizes[-1] if sizes else 0) < round(seen) < round(whole):
            sizes.append(seen)
            right.append(hits)
    sizes.append(whole)
    right.append(said == known.labels)
    errors = np.array([1 - hits.mean() for hits in right])
    law = fitted(np.array(sizes), errors)
    rise = _rise(right[0], right[-1], known.alike.groups)
    rises = law.scale > 0 and len(sizes) > 2 and rise > RISING
    needs = _needs(
        np.array(sizes), np.array(right), codes, names.tolist(), law, groups=known.alike.groups
    )
    return LearningCurve(
        examples=tuple(round(size) for size in sizes),
        accuracies=tuple(float(1 - error) for error in errors),
        law=law if rises else None,
        forecast=_forecast(law, sizes[-1]) if rises else (),
        needs=needs,
    )


def _hits(
    estimator: Any,
    known: Evidence,
    parts: Sequence[Codes],
    tests: Sequence[Codes],
    step: Callable[[], None],
) -> NDArray[np.bool_]:
    """Return which texts (n,) are told rightly, those of each test after the part before it."""
    right = np.zeros(len(known.labels), dtype=bool)
    for part, test in zip(parts, tests, strict=True):
        y = known.labels[part]
        if len(np.unique(y)) > 1:
            fitted_ = clone(estimator).fit(known.vectors[part], y)
            right[test] = fitted_.predict(known.vectors[test]) == known.labels[test]
        step()
    return right


def nested(codes: Codes, share: float, seed: int) -> Codes:
    """Return rows with a share of each label, one at least; a larger share holds a smaller one."""
    order = np.random.default_rng(seed).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    counts = np.bincount(codes)
    rank = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept: Codes = np.sort(order[rank < np.ceil(share * np.repeat(counts, counts))])
    return kept


def _forecast(law: PowerLaw, last: float) -> tuple[tuple[int, float], ...]:
    return tuple((round(last * k), 1 - law.error(last * k)) for k in (2, FURTHEST))


def _rise(before: NDArray[np.bool_], after: NDArray[np.bool_], groups: Codes) -> float:
    """Return by how many standard errors more of the same texts are right (paired, by groups).

    As of ``Bootstrap.gain``, one group more was gained and one was lost: two gains prove nothing.
    """
    gain = after.astype(float) - before
    sizes = np.unique_counts(groups).counts
    beyond = np.bincount(groups, gain) - gain.mean() * np.bincount(groups)
    return float(gain.sum() / np.sqrt(np.square(beyond).sum() + 2 * sizes.mean() ** 2))


def _needs(
    sizes: Floats,
    right: NDArray[np.bool_],
    codes: Codes,
    names: Sequence[Any],
    law: PowerLaw,
    *,
    groups: Codes,
) -> tuple[Need, ...]:
    """Return what the labels need whose recall is low, the lowest first.

    A single label has too few texts for an exponent of its own: it takes that of the whole curve,
    and only floor and scale are fitted.
    """
    members = [codes == code for code in range(len(names))]
    recalls = np.array([right[-1][own].mean() for own in members])
    goal = float(np.median(recalls))
    usual = min(goal, float(right[-1].mean()))  # a median of 1 would make each mistake a proof
    needs = []
    for code in np.argsort(recalls, kind="stable"):
        if recalls[code] > goal - LOW:
            break
        own = members[code]
        shares = sizes / sizes[-1] * own.sum()
        mine = fitted(shares, 1 - right[:, own].mean(axis=1), np.array([law.exponent]))
        rise = _rise(right[0][own], right[-1][own], groups[own])
        count, recall = len(np.unique(groups[own])), float(recalls[code])
        why = ""
        if rise <= RISING:
            why = "more examples have not provably raised its recall so far: can't be told"
        if binom.cdf(round(recall * count), count, usual) > LIKELY:
            why = "as low a recall may be chance at so few texts: can't be told"
        needs.append(_need(names[code], int(own.sum()), recall, mine, why=why, goal=goal))
    return tuple(needs)


def _need(label: Any, n: int, recall: float, law: PowerLaw, *, why: str, goal: float) -> Need:
    if why:
        return Need(label, n, recall, None, None, why)
    # From what the curve expects now, not from one noisy point.
    total = min(law.needed(1 - goal), FURTHEST * n)
    then = max(recall, 1 - law.error(total))
    if total <= n or then - recall < LOW / 2:
        why = "its curve has flattened: its texts or its neighbours' labels are worth a look"
        return Need(label, n, recall, None, None, why)
    more = _rounded(total - n)
    return Need(label, n, recall, more, then, f"about {more:,} more would help")


def _rounded(more: float) -> int:
    """Return a number as coarse as a forecast is: one of 5, 10, 15, ... or of two digits."""
    step = 5 if more < 100 else 10 ** (int(np.log10(more)) - 1)
    return int(max(step, round(more / step) * step))
