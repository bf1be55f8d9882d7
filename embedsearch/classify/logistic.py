"""Logistic regression on vectors: many classes, a path of strengths, calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from embedsearch.classify.calibration import fitted_temperature, share_of_usual, softened
from embedsearch.classify.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Vectors

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

STRENGTHS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""What is tried: scikit-learn's C, the inverse of the penalty on the weights. Steps of 3 left the
choice at banking77's full size to the draw of what was held out; of these, five draws chose one."""

STRENGTH = 10.0
"""Where nothing can be held out: within a point of the best at one example a label, on banking77,
44 sections of Debian's packages, 59 modules of Python and 23 groups of emoji."""

TEMPERATURE = 0.4
"""The same, for probabilities: at one example a label 0.29 to 0.40 fitted best on three of four
sets, by one draw each; on tweets by mood, where one example says nothing, none did."""

NOISE = 0.02
"""The share of wrong labels that is looked for first."""

CLEAN = 10
"""As if so many right labels had been seen before any: few examples prove no noise."""

FOLDS = 5
ONE_SPLIT_FROM = 3_000
"""Examples from which one fifth is held out once, rather than each fifth in turn."""

TOO_MANY = 20_000_000
"""Examples times classes above which the strength is chosen on some of the classes, as all of them
would take many times the fit, and one part is held out of all for the temperature alone."""

SOME = 2_000_000
"""Examples times classes that the strength is chosen on then: with 2,050 classes of five examples
it was that of all classes on four made-up sets of several overlaps."""

STEPS = 100
"""Steps of L-BFGS at most."""

TINY = 1e-12
"""Keeps what has a logarithm above 0."""


@dataclass(frozen=True, slots=True)
class Examples:
    """What is learned from.

    ``vectors`` (n, d); ``targets`` either columns (n,), of which one is right, or bools
    (n, classes), of which any number are; ``weights`` (n,), of bools also (n, classes).
    """

    vectors: Vectors
    targets: NDArray[Any]
    weights: Vectors
    classes: int

    def part(self, rows: NDArray[Any]) -> Examples:
        """Return some of the rows."""
        return Examples(self.vectors[rows], self.targets[rows], self.weights[rows], self.classes)

    def of_any(self, columns: Places) -> NDArray[np.bool_]:
        """Return which rows (n,) tell something of these classes: where any number are, all."""
        if self.targets.ndim == 2:
            return np.ones(len(self.targets), np.bool_)
        return np.isin(self.targets, columns)

    def only(self, columns: Places) -> Examples:
        """Return these rows as if there were no classes but these, which are in order."""
        own = self.part(self.of_any(columns))
        if own.targets.ndim == 1:
            targets, weights = np.searchsorted(columns, own.targets), own.weights
        else:
            targets = own.targets[:, columns]
            weights = own.weights if own.weights.ndim == 1 else own.weights[:, columns]
        return Examples(own.vectors, targets, weights, len(columns))

    def followed_by(self, more: Examples) -> Examples:
        """Return these rows and those of ``more``."""
        return Examples(
            np.concatenate([self.vectors, more.vectors]),
            np.concatenate([self.targets, more.targets]),
            np.concatenate([self.weights, more.weights]),
            self.classes,
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """How scores become probabilities: divided by ``temperature``, the share ``noise`` uniform.

    ``noise`` is the share of labels that are any of the classes, whatever the text.
    """

    temperature: float = TEMPERATURE
    noise: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A strength, what makes probabilities of scores at it, and weights near to the best."""

    strength: float
    calibration: Calibration
    start: Vectors | None = None


def fitted(examples: Examples, strength: float, start: Vectors | None = None) -> Vectors:
    """Return weights (d + 1, classes), the last row the intercepts, which bear no penalty.

    Minimises the sum of the log losses plus |weights|^2 / (2 strength), by L-BFGS.
    """
    rows = np.column_stack([examples.vectors, np.ones(len(examples.vectors), np.float32)])
    shape = (rows.shape[1], examples.classes)
    penalty = np.full((shape[0], 1), 1 / strength, np.float32)
    penalty[-1] = 0
    loss_of = _loss_of(examples)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.astype(np.float32).reshape(shape)
        value, errors = loss_of(rows @ weights, examples.targets, examples.weights)
        slope = rows.T @ errors + penalty * weights
        value += float((penalty * weights * weights).sum()) / 2
        return value, slope.ravel().astype(np.float64)

    first = np.zeros(shape) if start is None else start
    tolerance = 1e-3 * float(examples.weights.mean() * len(rows)) ** 0.5
    with one_thread(rows.size * examples.classes):
        found = minimize(
            loss,
            first.ravel().astype(np.float64),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": STEPS, "ftol": 1e-5, "gtol": tolerance},
        )
    return found.x.reshape(shape).astype(np.float32)  # type: ignore[no-any-return]  # no types


def logits(weights: NDArray[Any], vectors: NDArray[Any]) -> Floats:
    """Return the scores (n, classes) that ``weights`` give to ``vectors`` (n, d)."""
    with one_thread(vectors.size * weights.shape[1]):
        return np.float64(vectors @ weights[:-1] + weights[-1])  # type: ignore[return-value]


def chosen(
    examples: Examples, always: Examples, strengths: tuple[float, ...], parts: Places
) -> Choice:
    """Return the strength and the calibration that foretell held-out examples best (log loss).

    ``parts`` (n,) says in which fold each example is held out (``folds.parts``), and ``always`` is
    learned from in every one. Where none is held out, as no class has two examples, all are as far
    as ``always`` tells of them; else the answer is ``STRENGTH``, uncalibrated. Of more than
    ``TOO_MANY`` examples times classes the strength is that of some classes.
    """
    folds = _held(parts)
    if not folds and len(always.vectors):
        folds = [np.ones(len(examples.vectors), np.bool_)]
    if not folds:
        return Choice(strengths[0] if len(strengths) == 1 else STRENGTH, Calibration())
    if len(examples.vectors) * examples.classes > TOO_MANY:
        if len(strengths) > 1:
            some, known, held = _some(examples, always, parts)
            strengths = (chosen(some, known, strengths, held).strength,)
        folds = folds[:1]
    rests = [examples.part(~held).followed_by(always) for held in folds]
    shape = examples.vectors.shape[1] + 1, examples.classes
    starts = [np.zeros(shape, np.float32)] * len(folds)
    asked = examples.part(np.concatenate([np.flatnonzero(held) for held in folds]))
    learned = np.concatenate(
        [_learned(rest, examples.targets[held]) for rest, held in zip(rests, folds, strict=True)]
    )
    least, best = np.inf, Choice(STRENGTH, Calibration())
    for strength in strengths:
        starts = [fitted(*given) for given in zip(rests, repeat(strength), starts, strict=False)]
        pairs = zip(starts, folds, strict=True)
        scores = np.concatenate([logits(w, examples.vectors[held]) for w, held in pairs])
        loss, calibration = _calibrated(scores, asked, learned)
        if loss > least:  # and with more strength it would rise further
            break
        least, best = loss, Choice(strength, calibration, starts[0])
    return best


def probabilities(scores: Floats, calibration: Calibration, *, exclusive: bool) -> Floats:
    """Return probabilities (n, classes): rows sum to 1 where classes are exclusive."""
    if not exclusive:
        return expit(scores / calibration.temperature)  # type: ignore[no-any-return]  # scipy has no types
    told = softened(scores, calibration.temperature)
    mixed: Floats = (1 - calibration.noise) * told + calibration.noise / scores.shape[1]
    return mixed


def log_loss(scores: Floats, asked: Examples) -> float:
    """Return the mean log loss of scores (n, classes) of examples, as these are weighted."""
    found = _loss_of(asked)(scores.copy(), asked.targets, asked.weights)[0]
    return float(found / max(_count(asked), TINY))


def _calibrated(
    scores: Floats, asked: Examples, learned: NDArray[np.bool_]
) -> tuple[float, Calibration]:
    """Return the least log loss of scores of examples, and the calibration that it takes.

    Where classes don't exclude each other there is no noise.
    """

    def explained(temperature: float) -> tuple[float, float]:
        if asked.targets.ndim == 2:
            return log_loss(scores / temperature, asked), 0.0
        return _explained(scores / temperature, asked, learned)

    count = max(_count(asked), TINY)
    temperature = fitted_temperature(lambda t: explained(t)[0], TEMPERATURE, count)
    loss, noise = explained(temperature)
    return loss, Calibration(temperature, noise)


def _explained(scores: Floats, asked: Examples, learned: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the log loss of scores (n, classes) of exclusive classes, and at which noise that is.

    Where a class was not ``learned`` (n,), the likeliest class should be wrong: new texts may be of
    a class that no example has, and confidence has to say so.
    """
    shares = softened(scores, 1)
    right = shares[np.arange(len(shares)), asked.targets]
    foretold = np.where(learned, right, 1 - shares.max(axis=1))
    usual = np.where(learned, 1 / asked.classes, 1 - 1 / asked.classes)
    weights = np.float64(asked.weights)
    noise = share_of_usual(foretold, usual, NOISE, before=(0, CLEAN), weights=weights)
    likely = np.maximum((1 - noise) * foretold + noise * usual, TINY)
    loss = weights @ np.log(likely) + CLEAN * np.log1p(-noise)
    return -float(loss) / max(_count(asked), TINY), noise


def _loss_of(examples: Examples) -> Any:
    return _softmax_loss if examples.targets.ndim == 1 else _sigmoid_loss


def _count(examples: Examples) -> float:
    """Return for how many examples these count."""
    weights = examples.weights.reshape(len(examples.weights), -1)
    return float(weights.mean(axis=1).sum())


def _learned(rest: Examples, targets: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which targets (n,) are columns that the rest has; bools (n, classes) all are."""
    if targets.ndim == 2:
        return np.ones(len(targets), np.bool_)
    return np.isin(targets, rest.targets)


def _softmax_loss(
    scores: NDArray[Any], columns: Places, weights: NDArray[Any]
) -> tuple[float, NDArray[Any]]:
    """Return the loss, and its slope by the scores, which are overwritten."""
    own = np.arange(len(scores)), columns
    scores -= scores.max(axis=1, keepdims=True)
    right = scores[own]
    np.exp(scores, out=scores)
    sums = scores.sum(axis=1)
    scores /= sums[:, None]
    scores[own] -= 1
    scores *= weights[:, None]
    return float(weights @ (np.log(sums) - right)), scores


def _sigmoid_loss(
    scores: NDArray[Any], right: NDArray[np.bool_], weights: NDArray[Any]
) -> tuple[float, NDArray[Any]]:
    """Return the same for classes that do not exclude each other."""
    weights = weights.reshape(len(right), -1)
    # As logaddexp and expit, but with what processors do several of at once, in half the time.
    odds = np.exp(-np.abs(scores))
    likelier = 1 / (1 + odds)
    losses = np.maximum(np.where(right, -scores, scores), 0) - np.log(likelier)
    slopes = np.where(scores > 0, likelier, odds * likelier) - right
    return float((losses * weights).sum()), slopes * weights


def _some(examples: Examples, always: Examples, parts: Places) -> tuple[Examples, Examples, Places]:
    """Return the same of every so-manieth class, as many as ``SOME`` allows, at least two.

    Where even these have too many rows, it is every so-manieth of them.
    """
    work = len(examples.vectors) * examples.classes / SOME
    step = ceil(work if examples.targets.ndim == 2 else sqrt(work))
    columns = np.arange(0, examples.classes, max(min(step, examples.classes - 1), 1))
    own, held = examples.only(columns), parts[examples.of_any(columns)]
    rows = np.arange(0, len(held), ceil(len(held) * len(columns) / SOME))
    return own.part(rows), always.only(columns), held[rows]


def _held(parts: Places) -> list[NDArray[np.bool_]]:
    """Return which rows (n,) each fold holds out, as far as any are."""
    held = [rows for rows in (parts == fold for fold in range(FOLDS)) if rows.any()]
    return held[:1] if len(parts) >= ONE_SPLIT_FROM else held
