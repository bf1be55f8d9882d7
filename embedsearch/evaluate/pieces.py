"""What the pages of evaluations are made of: cards, tables, bars, texts that are cited."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.compare.head import HEAD
from embedsearch.evaluate.charts import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from embedsearch.evaluate.scores import Estimate, LabelScore

MISTAKES = 20
"""How many mistakes are shown with their texts."""

EXCERPT = 280
"""How many characters of a text are shown."""

MOST_LABELS = 300
"""Beyond so many labels a heat map can't be read, and the worst are listed only."""


SIGNS = re.compile(r"(?<=[_/.-])(?=.)")
"""Where a long label may break."""


def document(title: str, top: str, cards: Iterable[str], footer: str) -> str:
    """Return a page of HTML; ``top`` stands above the cards."""
    css = files("embedsearch.evaluate").joinpath("report.css").read_text(encoding="utf-8")
    return (
        f"{HEAD}<title>{escape(title)}</title>\n<style>\n{css}</style>\n"
        f'{top}<div class="cards">\n{"".join(cards)}</div>\n'
        f"<footer>{escape(footer)}</footer>\n</html>\n"
    )


def headline(title: str, figure: float, words: str, bars: Iterable[str]) -> str:
    """Return the title, a share in large figures with words on it, and bars beside it."""
    return (
        f"<h1>{escape(title)}</h1>\n"
        f'<div class="top"><div><p class="big">{figure * 100:.1f}<small> %</small></p>'
        f'<p>{escape(words)}</p></div><ul class="bars">{"".join(bars)}</ul></div>\n'
    )


def bar(words: str, share: Estimate, *, own: bool = False) -> str:
    """Return a share as a bar with its interval; ``own`` is that of the classifier itself."""
    width = 100 * (share.high - share.low)
    return (
        f'<li{" class=own" if own else ""}><span>{escape(words)}</span><span class="track">'
        f'<span class="fill" style="width:{100 * share.value:.1f}%"></span>'
        f'<span class="range" style="left:{100 * share.low:.1f}%;width:{width:.1f}%"></span>'
        f"</span><span><b>{share.value:.1%}</b>"
        f" <small>{share.low:.0%} to {share.high:.0%}</small></span></li>"
    )


def kept_together(group: str | None, threshold: float) -> str:
    """Return what was never learned from while a part of it was tested."""
    together = f"texts of the same {group}" if group else "texts given as one group"
    return f"{together} and near duplicates (cosine {threshold:g} and more) are never on both sides"


def told(notes: Sequence[str]) -> str:
    """Return notes, nothing where there are none."""
    if not notes:
        return ""
    return f'<div class="notes">{"".join(f"<p>{escape(note)}</p>" for note in notes)}</div>\n'


def label_list(labels: Iterable[LabelScore]) -> str:
    """Return a card of all labels, the worst first."""
    ordered = sorted(labels, key=lambda score: score.f1)
    low = float(np.median([score.f1 for score in ordered])) - 0.1
    rows = [
        f'<li{" class=low" if s.f1 < low else ""} title="precision {s.precision:.3f}, recall'
        f' {s.recall:.3f}, {s.support:,} texts"><span class="name">{name(s.label)}</span>'
        f'<span class="track"><span class="fill" style="width:{100 * s.f1:.0f}%"></span></span>'
        f"<b>{s.f1:.2f}</b><small>{s.support:,}</small></li>"
        for s in ordered[:MOST_LABELS]
    ]
    words = "F1 and number of texts, the worst first; pointing at one tells precision and recall."
    list_ = f'<ol class="labels">{"".join(rows)}</ol>'
    return card(f"The {len(ordered):,} labels", words, list_, wide=True)


def cited(text: str, id: str, position: int) -> str:
    """Return how a text begins, and which one it is."""
    place = escape(id or f"text {position:,}")
    if not text:
        return place
    return f"<q>{escape(shortened(' '.join(text.split()), EXCERPT))}</q> <small>{place}</small>"


def name(label: object) -> str:
    """Return a label as HTML, which breaks at its signs before it does within a word."""
    return "<wbr>".join(map(escape, SIGNS.split(str(label))))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: set[int]) -> str:
    """Return a table; cells are HTML, those in the columns of numbers are flush right."""

    def cells(row: Sequence[str], tag: str) -> str:
        kinds = ('class="n"' if column in numbers else "" for column in range(len(row)))
        return "".join(f"<{tag} {k}>{c}</{tag}>" for k, c in zip(kinds, row, strict=True))

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{cells(head, 'th')}</tr></thead><tbody>{body}</tbody></table>"


def card(head: str, words: str, content: str, *, wide: bool = False) -> str:
    """Return a section of a page; ``content`` is HTML."""
    kind = ' class="wide"' if wide else ""
    return f"<section{kind}><h2>{escape(head)}</h2><p>{escape(words)}</p>{content}</section>\n"
