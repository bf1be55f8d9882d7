"""An evaluation of texts with any number of labels as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.evaluate import pieces
from embedsearch.evaluate.evaluation import NEAR

if TYPE_CHECKING:
    from embedsearch.evaluate.several import SeveralEvaluation


def page_of_several(measured: SeveralEvaluation, *, title: str, group: str | None) -> str:
    """Return an evaluation as HTML, as ``report.page`` does."""
    top = f"{_headline(measured, title)}{pieces.told(measured.notes)}"
    cards = [pieces.label_list(measured.labels), _left_out(measured), _mistakes(measured)]
    return pieces.document(title, top, cards, _footer(measured, group))


def _headline(measured: SeveralEvaluation, title: str) -> str:
    whole, micro, macro = measured.subset_accuracy, measured.micro_f1, measured.macro_f1
    bars = [
        pieces.bar("all labels right", whole, own=True),
        pieces.bar("micro F1", micro, own=True),
        pieces.bar("micro F1, majority", measured.majority),
    ]
    words = (
        f"of {measured.texts:,} texts were given all their labels and no other,"
        f" {whole.low:.1%} to {whole.high:.1%} with 95 % confidence, each by a classifier that had"
        f" not seen it. Micro F1 {micro.value:.3f} ({micro.low:.3f} to {micro.high:.3f}), macro F1"
        f" {macro.value:.3f} ({macro.low:.3f} to {macro.high:.3f}),"
        f" {len(measured.labels):,} labels."
    )
    return pieces.headline(title, whole.value, words, bars)


def _left_out(measured: SeveralEvaluation) -> str:
    """Return which labels are not told where they should be, and told where they should not."""
    counted = [
        (s, s.support - round(s.recall * s.support), s.predicted - round(s.recall * s.support))
        for s in measured.labels
    ]
    rows = [
        (pieces.name(s.label), f"{s.support:,}", f"{missed:,}", f"{extra:,}")
        for s, missed, extra in sorted(counted, key=lambda row: -(row[1] + row[2]))
        if missed or extra
    ]
    if not rows:
        return ""
    head = ("label", "texts", "not told", "told wrongly")
    table = pieces.table(head, rows[: pieces.MISTAKES], numbers={1, 2, 3})
    words = "Of how many texts it was left out, and of how many it was said without being theirs."
    return pieces.card("What is left out, and what is too much", words, table, wide=True)


def _mistakes(measured: SeveralEvaluation) -> str:
    rows = [
        (
            pieces.cited(m.text, m.id, m.position),
            "<br>".join(map(pieces.name, m.labels)),
            "<br>".join(map(pieces.name, m.missed)),
            "<br>".join(f"<i>{pieces.name(label)}</i>" for label in m.extra),
        )
        for m in measured.mistakes[: pieces.MISTAKES]
    ]
    if not rows:
        return ""
    words = "Those with most labels wrong: one that was forgotten is often the reason."
    table = pieces.table(("text", "its labels", "not told", "told wrongly"), rows, numbers=set())
    return pieces.card("The worst mistakes", words, table, wide=True)


def _footer(measured: SeveralEvaluation, group: str | None) -> str:
    return (
        f"{measured.estimator}, each label decided by itself, {measured.folds} folds over"
        f" {measured.groups:,} groups: {pieces.kept_together(group, measured.threshold)};"
        f" {measured.near_texts:,} texts have one of cosine {NEAR:g} and more in another fold."
        " Intervals of 95 % from 1,000 resamples of groups. Majority: always the most frequent"
        f" label, alone. Seed {measured.seed}."
    )
