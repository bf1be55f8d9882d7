"""Charts as inline SVG: axes, lines, points and a heat map, coloured by the page's CSS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Point = tuple[float, float]

LEFT, TOP, RIGHT, BOTTOM = 46, 12, 24, 40
"""The margins of a plot in units of its view box, which at full size are pixels."""

LABELLED = 30
"""Up to so many labels are written beside a heat map; beyond, each cell tells its own."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A rectangle of axes: ``x`` and ``y`` are the ranges shown, ``log`` of x by its logarithm."""

    x: Point
    y: Point
    width: int = 460
    height: int = 300
    log: bool = False

    def at(self, x: float, y: float) -> Point:
        """Return where a value lies in the view box."""
        low, high = (math.log(end) for end in self.x) if self.log else self.x
        across = ((math.log(x) if self.log else x) - low) / (high - low)
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return (
            round(LEFT + across * (self.width - LEFT - RIGHT), 1),
            round(self.height - BOTTOM - up * (self.height - TOP - BOTTOM), 1),
        )

    def line(self, points: Iterable[Point], kind: str) -> str:
        """Return a line through points; ``kind`` is its class in the page's CSS."""
        path = " ".join("{},{}".format(*self.at(x, y)) for x, y in points)
        return f'<polyline class="{kind}" points="{path}"/>'

    def dots(self, points: Iterable[Point], said: Sequence[str]) -> str:
        """Return a dot for each point, which says something when pointed at."""
        return "".join(
            '<circle class="dot" cx="{}" cy="{}" r="4.5"><title>{}</title></circle>'.format(
                *self.at(x, y), escape(words)
            )
            for (x, y), words in zip(points, said, strict=True)
        )

    def text(self, x: float, y: float, words: str, kind: str = "") -> str:
        """Return words beside a point."""
        across, down = self.at(x, y)
        return f'<text class="{kind}" x="{across}" y="{down - 10}">{escape(words)}</text>'

    def drawn(
        self, parts: Iterable[str], *, x_ticks: Iterable[float], x_name: str, y_name: str
    ) -> str:
        """Return the whole chart: a grid, the names of the axes, and what is drawn on it."""
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img"'
            f' aria-label="{escape(f"{y_name} by {x_name}")}">'
            f"{self._grid(x_ticks)}"
            f'<text class="name" x="{self.width - RIGHT}" y="{self.height - 5}"'
            f' text-anchor="end">{escape(x_name)}</text>'
            f'<text class="name" x="{LEFT + 6}" y="{TOP + 10}">{escape(y_name)}</text>'
            f"{''.join(parts)}</svg>"
        )

    def _grid(self, x_ticks: Iterable[float]) -> str:
        parts = []
        for y in ticks(*self.y):
            across, down = self.at(self.x[0], y)
            parts.append(
                f'<line class="grid" x1="{across}" x2="{self.width - RIGHT}" y1="{down}"'
                f' y2="{down}"/><text class="tick" x="{across - 7}" y="{down + 4}"'
                f' text-anchor="end">{y:.0%}</text>'
            )
        for x in x_ticks:
            across, down = self.at(x, self.y[0])
            words = f"{x:,.0f}" if self.log else f"{x:.0%}"
            parts.append(
                f'<text class="tick" x="{across}" y="{down + 17}"'
                f' text-anchor="middle">{words}</text>'
            )
        return "".join(parts)


def ticks(low: float, high: float) -> list[float]:
    """Return up to seven round shares from low to high."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1) if (high - low) / s <= 6)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 4) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def range_of(values: Iterable[float]) -> Point:
    """Return a range of shares with some room around values."""
    known = list(values)
    low = max(0.0, math.floor(min(known) * 20 - 0.2) / 20)
    high = min(1.0, math.ceil(max(known) * 20 + 0.2) / 20)
    return (low, high) if high > low else (max(0.0, low - 0.1), min(1.0, low + 0.1))


def arranged(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an order of labels that puts those that are confused side by side."""
    if len(matrix) < 3:
        return np.arange(len(matrix))
    shares = matrix / matrix.sum(axis=1, keepdims=True)
    apart = 1 - np.minimum(1, shares + shares.T)
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average", optimal_ordering=len(apart) < 500)
    order: NDArray[np.int64] = leaves_list(tree).astype(np.int64)
    return order


def heat_map(matrix: NDArray[np.int64], names: Sequence[str]) -> str:
    """Return a confusion matrix: rows are the labels, columns what was said of their texts.

    What is right has one hue, what is wrong another; depth is the square root of a row's share,
    so that a few per cent are seen.
    """
    order = arranged(matrix)
    shares = matrix / matrix.sum(axis=1, keepdims=True)
    n, named = len(order), len(order) <= LABELLED
    size = min(44, max(18, 420 // n)) if named else max(2, 620 // n)
    margin = 8 * max(map(len, names)) + 8 if named else 4
    margin = min(margin, 210)
    cells = []
    for row, true in enumerate(order):
        for column in np.flatnonzero(matrix[true][order]):
            said = order[column]
            cells.append(
                f'<rect class="{"right" if true == said else "wrong"}" x="{margin + column * size}"'
                f' y="{row * size}" width="{size - 1}" height="{size - 1}"'
                f' fill-opacity="{math.sqrt(shares[true, said]):.2f}"><title>'
                f"{escape(names[true])} → {escape(names[said])}: {matrix[true, said]:,}"
                f" ({shares[true, said]:.0%})</title></rect>"
            )
        if named:
            cells.append(
                f'<text class="tick" x="{margin - 6}" y="{row * size + size // 2 + 4}"'
                f' text-anchor="end">{escape(shortened(names[true], 26))}</text>'
            )
    side = n * size
    paper = f'<rect class="paper" x="{margin}" y="0" width="{side}" height="{side}"/>'
    return (
        f'<svg class="heat" viewBox="0 0 {margin + side} {side}"'
        f' style="max-width:{margin + side}px"'
        f' role="img" aria-label="confusion matrix">{paper}{"".join(cells)}</svg>'
    )


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
