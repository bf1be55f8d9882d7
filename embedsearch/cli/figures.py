"""An evaluation as text for people: figures, labels, what is confused, what more would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.cli.terminal import first
from embedsearch.evaluate import SeveralEvaluation
from embedsearch.evaluate.evaluation import NEAR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from embedsearch.evaluate import Evaluation
    from embedsearch.evaluate.learning import LearningCurve
    from embedsearch.evaluate.scores import Estimate, LabelScore

LABELS = 50
"""How many labels are printed, the worst of more."""

WORST = 10
"""How many confused pairs, mistakes and needs are printed."""


def words(measured: Evaluation | SeveralEvaluation) -> str:
    """Return an evaluation as text."""
    if isinstance(measured, SeveralEvaluation):
        return _of_several(measured)
    return _of_one(measured)


def worst_first(measured: Evaluation | SeveralEvaluation) -> list[LabelScore]:
    """Return the labels by their F1."""
    return sorted(measured.labels, key=lambda score: score.f1)


def _of_one(measured: Evaluation) -> str:
    parts = [_figures(measured)]
    if measured.calibration_error is not None:
        surest = [
            f"{row.coverage:6.0%}   {row.accuracy:7.1%}   {row.confidence:.3f} or more"
            for row in dict.fromkeys(measured.coverage)  # of few texts several shares are one
        ]
        parts.append(_table("surest     right   confidence", surest))
        parts.append(
            f"expected calibration error {measured.calibration_error:.3f}: exact confidences would"
            f" show {measured.calibration_by_chance:.3f} by chance, as much with"
            f" p = {measured.calibration_p_value:.3f}"
        )
    parts.append(_labels(measured))
    if measured.confused:
        parts.append(
            _table(
                "texts   label taken for another",
                _first(
                    WORST,
                    [
                        f"{pair.count:5,}   {pair.label} -> {pair.predicted}"
                        for pair in measured.confused
                    ],
                ),
            )
        )
    if measured.curve:
        parts.append(_forecast(measured.curve))
    return "\n\n".join(parts)


def _of_several(measured: SeveralEvaluation) -> str:
    lines = [
        f"{_head(measured)}\n",
        f"{'':20}   {measured.estimator:20}   majority",
        _line("micro F1", measured.micro_f1, measured.majority).rstrip(),
        f"{'macro F1':20}   {_range(measured.macro_f1).rstrip()}",
        f"{'all labels right':20}   {_range(measured.subset_accuracy).rstrip()}",
        f"{'micro F1 won':20}   {_range(measured.gain).rstrip()}",
    ]
    figures = "\n".join([*lines, *_near(measured)])
    parts = [figures, _labels(measured)]
    if measured.mistakes:
        lines = [
            f"{m.id}{_signed('-', m.missed)}{_signed('+', m.extra)}" for m in measured.mistakes
        ]
        parts.append(_table("text, - label not told, + label told wrongly", _first(WORST, lines)))
    return "\n\n".join(parts)


def _signed(sign: str, labels: Iterable[object]) -> str:
    return "".join(f"  {sign}{label!s}" for label in labels)


def _labels(measured: Evaluation | SeveralEvaluation) -> str:
    lines = [
        f"{s.f1:5.2f}   {s.precision:9.2f}   {s.recall:6.2f}   {s.support:5,}   {s.label}"
        for s in worst_first(measured)
    ]
    return _table("   F1   precision   recall   texts   label", _first(LABELS, lines))


def _first(most: int, lines: list[str]) -> list[str]:
    return first(most, lines, "--format json or --html FILE has all")


def _figures(measured: Evaluation) -> str:
    lines = [
        f"{_head(measured)}\n",
        f"{'':20}   accuracy              macro F1",
        _line(measured.estimator, measured.accuracy, measured.macro_f1),
    ]
    for rival in reversed(measured.baselines):
        gain = f"{_range(rival.gain).rstrip()} points won"
        lines.append(f"{_line(rival.name, rival.accuracy, rival.macro_f1)}   {gain}")
    return "\n".join([*lines, *_near(measured)])


def _near(measured: Evaluation | SeveralEvaluation) -> list[str]:
    said = (
        f"\n{measured.near_texts:,} of {measured.texts:,} texts have one of cosine {NEAR:g} or more"
        " in another fold: if they are versions of each other, --threshold"
        f" {NEAR:g} keeps them together"
    )
    return [said] if measured.near_texts else []


def _head(measured: Evaluation | SeveralEvaluation) -> str:
    return (
        f"{measured.texts:,} texts, {len(measured.labels):,} labels, {measured.folds} folds over"
        f" {measured.groups:,} groups"
    )


def _line(name: str, accuracy: Estimate, macro: Estimate) -> str:
    return f"{name:20}   {_range(accuracy)}   {_range(macro)}"


def _range(measure: Estimate) -> str:
    value, low, high = (
        f"{100 * share:.1f}" for share in (measure.value, measure.low, measure.high)
    )
    return f"{value:>5} ({low} to {high})".ljust(20)


def _table(head: str, lines: list[str]) -> str:
    return "\n".join([head, *lines])


def _forecast(curve: LearningCurve) -> str:
    lines = [
        f"{n:8,}   {accuracy:8.1%}"
        for n, accuracy in zip(curve.examples, curve.accuracies, strict=True)
    ]
    lines += [f"{n:8,}   {accuracy:8.1%}   expected" for n, accuracy in curve.forecast]
    if not curve.forecast:
        lines.append("more examples have not provably helped so far: nothing can be foretold")
    lines += _first(
        WORST,
        [
            f"about {need.more:,} more of {need.label} would help: recall"
            f" {need.recall:.0%} of {need.examples:,} texts -> {need.recall_then:.0%}"
            for need in curve.needs
            if need.more
        ],
    )
    return _table("examples   accuracy", lines)
