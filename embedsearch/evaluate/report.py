"""An evaluation as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.compare.checking import LIKELY
from embedsearch.evaluate import pieces
from embedsearch.evaluate.charts import Plot, heat_map, range_of, ticks
from embedsearch.evaluate.evaluation import NEAR
from embedsearch.evaluate.several import SeveralEvaluation
from embedsearch.evaluate.several_report import page_of_several

if TYPE_CHECKING:
    from embedsearch.evaluate.evaluation import Evaluation
    from embedsearch.evaluate.learning import LearningCurve

PAIRS = 18
"""How many confused pairs are listed beside the heat map."""

SMALL = 0.03
"""A calibration error up to which confidences can be taken as they are."""


def page(
    measured: Evaluation | SeveralEvaluation, *, title: str = "Evaluation", group: str | None = None
) -> str:
    """Return an evaluation as HTML: a page for light, dark and paper, without scripts.

    ``group`` says by what texts were grouped, as ``"thread"``.
    """
    if isinstance(measured, SeveralEvaluation):
        return page_of_several(measured, title=title, group=group)
    cards = [_learning(measured), _coverage(measured), _reliability(measured), _needs(measured)]
    cards += [pieces.label_list(measured.labels), _confusion(measured), _mistakes(measured)]
    top = f"{_headline(measured, title)}{pieces.told(measured.notes)}"
    return pieces.document(title, top, cards, _footer(measured, group))


def _headline(measured: Evaluation, title: str) -> str:
    own, macro = measured.accuracy, measured.macro_f1
    bars = [pieces.bar(measured.estimator, own, own=True)]
    bars += [pieces.bar(rival.name, rival.accuracy) for rival in reversed(measured.baselines)]
    words = (
        f"of {measured.texts:,} texts told rightly, {own.low:.1%} to {own.high:.1%} with 95 %"
        f" confidence, each by a classifier that had not seen it. Macro F1 {macro.value:.3f}"
        f" ({macro.low:.3f} to {macro.high:.3f}), {len(measured.labels):,} labels."
    )
    return pieces.headline(title, own.value, words, bars)


def _learning(measured: Evaluation) -> str:
    curve = measured.curve
    if curve is None:
        return ""
    law, last = curve.law, curve.examples[-1]
    known = list(zip(curve.examples, curve.accuracies, strict=True))
    shown = [*known, *curve.forecast]
    ends = (min(curve.examples), max(n for n, _ in shown) * 1.06)
    plot = Plot(x=ends, y=range_of(accuracy for _, accuracy in shown), log=True)
    parts = []
    if law is not None:
        for start, end, kind in ((ends[0], last, "curve"), (last, ends[1], "forecast")):
            along = [float(n) for n in np.geomspace(start, end, 40)]
            parts.append(plot.line([(n, max(plot.y[0], 1 - law.error(n))) for n in along], kind))
        n, accuracy = curve.forecast[-1]
        parts.append(plot.text(n, accuracy, f"{accuracy:.1%} at {n:,}", "end"))
    else:
        parts.append(plot.line(known, "curve"))
    parts.append(plot.dots(known, [f"{n:,} examples: {accuracy:.1%}" for n, accuracy in known]))
    chart = plot.drawn(
        parts, x_ticks=_round(*ends), x_name="examples learned from", y_name="accuracy"
    )
    return pieces.card("Would more examples help?", _promise(curve), chart)


def _round(low: float, high: float) -> list[float]:
    """Return round numbers of examples between two."""
    marks = [digit * 10.0**zeros for zeros in range(10) for digit in (1, 2, 5)]
    return [mark for mark in marks if low <= mark <= high]


def _promise(curve: LearningCurve) -> str:
    if curve.law is None:
        return "More examples have not provably helped so far: nothing can be foretold."
    (n, accuracy), _ = curve.forecast
    return (
        f"With twice as many, {n:,}, about {accuracy:.1%} is expected, if the new ones are like"
        f" these. The curve seems to end at {1 - curve.law.floor:.1%}."
    )


def _coverage(measured: Evaluation) -> str:
    rows = measured.coverage
    if not rows:
        return ""
    points = [(row.coverage, row.accuracy) for row in rows]
    plot = Plot(x=(0.0, 1.0), y=range_of([*(y for _, y in points), 1.0]))
    said = [
        f"the surest {row.coverage:.0%}: {row.accuracy:.1%} right (confidence"
        f" {row.confidence:.2f} or more)"
        for row in rows
    ]
    parts = [plot.line(points, "curve"), plot.dots(points, said)]
    chart = plot.drawn(
        parts, x_ticks=ticks(0, 1), x_name="share answered, the surest first", y_name="accuracy"
    )
    half = min(rows, key=lambda row: abs(row.coverage - 0.8))
    words = (
        f"Answering the surest {half.coverage:.0%} only, those of a confidence of"
        f" {half.confidence:.2f} or more, makes {half.accuracy:.1%} right."
    )
    return pieces.card("What if it answers only when sure?", words, chart)


def _reliability(measured: Evaluation) -> str:
    bins = measured.reliability
    if not bins:
        return ""
    plot = Plot(x=(0.0, 1.0), y=(0.0, 1.0))
    points = [(part.confidence, part.accuracy) for part in bins]
    said = [f"said {b.confidence:.0%}, right {b.accuracy:.1%} ({b.texts:,} texts)" for b in bins]
    parts = [plot.line([(0, 0), (1, 1)], "ideal"), plot.line(points, "curve")]
    parts.append(plot.dots(points, said))
    chart = plot.drawn(parts, x_ticks=ticks(0, 1), x_name="its confidence", y_name="accuracy")
    words = (
        f"Expected calibration error {measured.calibration_error:.3f}; exact confidences would show"
        f" {measured.calibration_by_chance:.3f} by chance at {measured.texts:,} texts."
        f" {_verdict(measured)} On the dotted line it would be exact."
    )
    return pieces.card("Does it know when it is right?", words, chart)


def _verdict(measured: Evaluation) -> str:
    """Return what is shown of the confidences: what chance explains is no fault of theirs."""
    off, bins = measured.calibration_error or 0.0, measured.reliability
    chance, p_value = measured.calibration_by_chance or 0.0, measured.calibration_p_value or 0.0
    if max(off, chance) <= SMALL:
        return "Confidences can be taken as they are."
    if p_value > LIKELY:
        return f"Chance explains it (p = {p_value:.2f}): more texts would tell."
    too = np.average([b.accuracy - b.confidence for b in bins], weights=[b.texts for b in bins])
    if abs(too) < off / 2:
        return "It is too sure of some answers, too modest about others."
    return f"It is mostly {'too modest' if too > 0 else 'too sure'}."


def _needs(measured: Evaluation) -> str:
    if measured.curve is None:
        return ""
    needs, head = measured.curve.needs, "Which labels need examples?"
    if not needs:
        return pieces.card(head, "None stands out: no label's recall is far below the others'.", "")
    rows = [
        (
            pieces.name(need.label),
            f"{need.examples:,}",
            f"{need.recall:.0%}",
            f'<span class="more">+{need.more:,}</span> → {need.recall_then:.0%}'
            if need.more
            else escape(need.why.split(":")[0]),
        )
        for need in sorted(needs, key=lambda need: need.more is None)[:9]
    ]
    table = pieces.table(
        ("label", "texts", "recall", "how many more would help"), rows, numbers={1, 2}
    )
    words = "Labels whose recall is low, as far as their learning curves tell."
    return pieces.card(head, words, table)


def _confusion(measured: Evaluation) -> str:
    names = [str(score.label) for score in measured.labels]
    rows = [
        (
            f"{pieces.name(c.label)} <i>→ {pieces.name(c.predicted)}</i>",
            f"{c.count:,}",
            f"{c.share:.0%}",
        )
        for c in measured.confused[:PAIRS]
    ]
    table = pieces.table(("label → what was said", "texts", "of the label"), rows, numbers={1, 2})
    if len(names) > pieces.MOST_LABELS:
        return pieces.card("What is taken for what", "The most confused labels.", table, wide=True)
    words = (
        "A row is a label, a column what was said; labels that are confused lie side by side."
        " The deeper, the larger the row's share."
    )
    heat = f'<div class="split"><div>{heat_map(measured.confusion, names)}</div>{table}</div>'
    return pieces.card("What is taken for what", words, heat, wide=True)


def _mistakes(measured: Evaluation) -> str:
    if not measured.mistakes:
        return ""
    rows = [
        (
            pieces.cited(m.text, m.id, m.position),
            pieces.name(m.label),
            f"<i>{pieces.name(m.predicted)}</i>",
            "" if m.confidence is None else f"{m.confidence:.2f}",
        )
        for m in measured.mistakes[: pieces.MISTAKES]
    ]
    words = "Those it was surest of: a wrong label is often the reason."
    table = pieces.table(("text", "label", "what was said", "confidence"), rows, numbers={3})
    return pieces.card("The worst mistakes", words, table, wide=True)


def _footer(measured: Evaluation, group: str | None) -> str:
    return (
        f"{measured.estimator}, {measured.folds} folds over {measured.groups:,}"
        f" groups: {pieces.kept_together(group, measured.threshold)}; {measured.near_texts:,} texts"
        f" have one of cosine {NEAR:g} and more in another fold. Intervals of 95 % from 1,000"
        " resamples of groups. Majority: always the most frequent label. Zero-shot: the label whose"
        f" name is nearest. Seed {measured.seed}."
    )
