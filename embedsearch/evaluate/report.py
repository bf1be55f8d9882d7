"""An evaluation as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.evaluate.charts import Plot, heat_map, range_of, shortened, ticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from embedsearch.evaluate.evaluation import Evaluation, Mistake
    from embedsearch.evaluate.learning import LearningCurve
    from embedsearch.evaluate.scores import Estimate

PAIRS = 18
"""How many confused pairs are listed beside the heat map."""

MISTAKES = 20
"""How many mistakes are shown with their texts."""

EXCERPT = 280
"""How many characters of a text are shown."""

MOST_LABELS = 300
"""Beyond so many labels a heat map can't be read, and the worst are listed only."""


def page(measured: Evaluation, *, title: str = "Evaluation") -> str:
    """Return an evaluation as HTML: a page for light, dark and paper, without scripts."""
    css = files("embedsearch.evaluate").joinpath("report.css").read_text(encoding="utf-8")
    parts = [_learning(measured), _coverage(measured), _reliability(measured), _needs(measured)]
    parts += [_labels(measured), _confusion(measured), _mistakes(measured)]
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{css}</style>\n"
        f"{_headline(measured, title)}{_notes(measured)}"
        f'<div class="cards">\n{"".join(parts)}</div>\n{_footer(measured)}</html>\n'
    )


def _headline(measured: Evaluation, title: str) -> str:
    own = measured.accuracy
    bars = [_bar(measured.estimator, own, own=True)]
    bars += [_bar(rival.name, rival.accuracy) for rival in reversed(measured.baselines)]
    return (
        f"<h1>{escape(title)}</h1>\n"
        f'<div class="top"><div><p class="big">{own.value * 100:.1f}<small> %</small></p>'
        f"<p>of {measured.texts:,} texts told rightly, {own.low:.1%} to {own.high:.1%} with 95 %"
        f" confidence, each by a classifier that had not seen it. Macro F1"
        f" {measured.macro_f1.value:.3f} ({measured.macro_f1.low:.3f} to"
        f" {measured.macro_f1.high:.3f}), {len(measured.labels):,} labels.</p></div>"
        f'<ul class="bars">{"".join(bars)}</ul></div>\n'
    )


def _bar(name: str, accuracy: Estimate, *, own: bool = False) -> str:
    width = 100 * (accuracy.high - accuracy.low)
    return (
        f'<li{" class=own" if own else ""}><span>{escape(name)}</span><span class="track">'
        f'<span class="fill" style="width:{100 * accuracy.value:.1f}%"></span>'
        f'<span class="range" style="left:{100 * accuracy.low:.1f}%;width:{width:.1f}%"></span>'
        f"</span><span><b>{accuracy.value:.1%}</b>"
        f" <small>{accuracy.low:.0%} to {accuracy.high:.0%}</small></span></li>"
    )


def _notes(measured: Evaluation) -> str:
    if not measured.notes:
        return ""
    return f'<div class="notes">{"".join(f"<p>{escape(n)}</p>" for n in measured.notes)}</div>\n'


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
    return _card("Would more examples help?", _promise(curve), chart)


def _round(low: float, high: float) -> list[float]:
    """Return round numbers of examples between two."""
    marks = [digit * 10.0**zeros for zeros in range(10) for digit in (1, 2, 5)]
    return [mark for mark in marks if low <= mark <= high]


def _promise(curve: LearningCurve) -> str:
    if curve.law is None:
        return "More examples have not helped so far: nothing can be foretold."
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
    return _card("What if it answers only when sure?", words, chart)


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
    off = measured.calibration_error or 0.0
    too = np.average([b.accuracy - b.confidence for b in bins], weights=[b.texts for b in bins])
    way = "too modest" if too > 0 else "too sure"
    verdict = "Confidences can be taken as they are." if off <= 0.03 else f"It is mostly {way}."
    words = f"Expected calibration error {off:.3f}. {verdict} On the dotted line it would be exact."
    return _card("Does it know when it is right?", words, chart)


def _needs(measured: Evaluation) -> str:
    if measured.curve is None:
        return ""
    needs, head = measured.curve.needs, "Which labels need examples?"
    if not needs:
        return _card(head, "None stands out: no label's recall is far below the others'.", "")
    rows = [
        (
            _name(need.label),
            f"{need.examples:,}",
            f"{need.recall:.0%}",
            f'<span class="more">+{need.more:,}</span> → {need.recall_then:.0%}'
            if need.more
            else escape(need.why.split(":")[0]),
        )
        for need in sorted(needs, key=lambda need: need.more is None)[:9]
    ]
    table = _table(("label", "texts", "recall", "how many more would help"), rows, numbers={1, 2})
    words = "Labels whose recall is low, as far as their learning curves tell."
    return _card(head, words, table)


def _labels(measured: Evaluation) -> str:
    ordered = sorted(measured.labels, key=lambda score: score.f1)
    low = float(np.median([score.f1 for score in ordered])) - 0.1
    rows = [
        f'<li{" class=low" if s.f1 < low else ""} title="precision {s.precision:.3f}, recall'
        f' {s.recall:.3f}, {s.support:,} texts"><span class="name">{_name(s.label)}</span>'
        f'<span class="track"><span class="fill" style="width:{100 * s.f1:.0f}%"></span></span>'
        f"<b>{s.f1:.2f}</b><small>{s.support:,}</small></li>"
        for s in ordered[:MOST_LABELS]
    ]
    words = "F1 and number of texts, the worst first; pointing at one tells precision and recall."
    list_ = f'<ol class="labels">{"".join(rows)}</ol>'
    return _card(f"The {len(ordered):,} labels", words, list_, wide=True)


def _confusion(measured: Evaluation) -> str:
    names = [str(score.label) for score in measured.labels]
    rows = [
        (f"{_name(c.label)} <i>→ {_name(c.predicted)}</i>", f"{c.count:,}", f"{c.share:.0%}")
        for c in measured.confused[:PAIRS]
    ]
    table = _table(("label → what was said", "texts", "of the label"), rows, numbers={1, 2})
    if len(names) > MOST_LABELS:
        return _card("What is taken for what", "The most confused labels.", table, wide=True)
    words = (
        "A row is a label, a column what was said; labels that are confused lie side by side."
        " The deeper, the larger the row's share."
    )
    heat = f'<div class="split"><div>{heat_map(measured.confusion, names)}</div>{table}</div>'
    return _card("What is taken for what", words, heat, wide=True)


def _mistakes(measured: Evaluation) -> str:
    if not measured.mistakes:
        return ""
    rows = [
        (
            _cited(m),
            _name(m.label),
            f"<i>{_name(m.predicted)}</i>",
            "" if m.confidence is None else f"{m.confidence:.2f}",
        )
        for m in measured.mistakes[:MISTAKES]
    ]
    words = "Those it was surest of: a wrong label is often the reason."
    table = _table(("text", "label", "what was said", "confidence"), rows, numbers={3})
    return _card("The worst mistakes", words, table, wide=True)


def _cited(mistake: Mistake) -> str:
    name = escape(mistake.id or f"text {mistake.position:,}")
    if not mistake.text:
        return name
    words = shortened(" ".join(mistake.text.split()), EXCERPT)
    return f"<q>{escape(words)}</q> <small>{name}</small>"


def _name(label: object) -> str:
    return escape(str(label))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: set[int]) -> str:
    """Return a table; cells are HTML, those in the columns of numbers are flush right."""

    def cells(row: Sequence[str], tag: str) -> str:
        kinds = ('class="n"' if column in numbers else "" for column in range(len(row)))
        return "".join(f"<{tag} {k}>{c}</{tag}>" for k, c in zip(kinds, row, strict=True))

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{cells(head, 'th')}</tr></thead><tbody>{body}</tbody></table>"


def _card(head: str, words: str, content: str, *, wide: bool = False) -> str:
    kind = ' class="wide"' if wide else ""
    return f"<section{kind}><h2>{escape(head)}</h2><p>{escape(words)}</p>{content}</section>\n"


def _footer(measured: Evaluation) -> str:
    return (
        f"<footer>{escape(measured.estimator)}, {measured.folds} folds over {measured.groups:,}"
        f" groups: texts of one document and near duplicates (cosine {measured.threshold:g} and"
        " more) are never on both sides. Intervals of 95 % from 1,000 resamples of groups."
        " Majority: always the most frequent label. Zero-shot: the label whose name is nearest."
        f" Seed {measured.seed}.</footer>\n"
    )
