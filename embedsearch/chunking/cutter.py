"""Where to cut: the best boundary that the limit allows, and the overlap before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from embedsearch.chunking.boundaries import boundaries_in
from embedsearch.chunking.graphemes import is_certain, last_boundary, next_boundary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedsearch.chunking.outline import Outline
    from embedsearch.chunking.ruler import Ruler
    from embedsearch.records import Document


class Slice(NamedTuple):
    """``text[start:end]``, and how many tokens it has on its own."""

    start: int
    end: int
    tokens: int


class Cutter:
    """One pass over one document."""

    def __init__(self, document: Document, outline: Outline, ruler: Ruler, *, limit: int) -> None:
        self._text = document.text
        self._outline = outline
        self._limit = limit
        self._ruler = ruler
        self._kind = document.kind
        self._fitting: dict[tuple[int, int], bool] = {}

    def slices(self, overlap: int) -> Iterator[Slice]:
        """Yield slices that cover the text, each ``overlap`` tokens into the one before."""
        start = end = 0
        while end < len(self._text):
            piece = (self._slice(start, end) if start < end else None) or self._whole(end)
            yield piece
            end = piece.end
            start = self._overlap_start(piece.start, end, overlap)

    def _slice(self, start: int, floor: int) -> Slice | None:
        """Return the slice from ``start`` to the best cut after ``floor``, if there is one."""
        budget = self._limit
        while budget > 0:
            end = self._best_cut(start, floor, budget)
            if end is None:
                return None
            tokens = self._ruler.count(start, end)
            if tokens <= self._limit:
                return Slice(start, end, tokens)
            budget = min(budget - 1, budget * self._limit // tokens)
        return None

    def _whole(self, start: int) -> Slice:
        """Return the slice from ``start`` without overlap: this always gets further."""
        return self._slice(start, start) or self._forced(start)

    def _best_cut(self, start: int, floor: int, budget: int) -> int | None:
        """Return the best cut after ``floor`` in the second half of ``budget`` tokens."""
        last = self._ruler.reach(start, budget)
        page_end = self._outline.page_end(start)
        if page_end is not None and floor < page_end <= last:
            return page_end
        if last >= len(self._text):
            return len(self._text)
        fence = self._fence_around(last)
        if fence:
            last = fence[1] if fence[0] == start else fence[0]
        first = max(floor + 1, self._ruler.reach(start, budget // 2))
        if first > last:
            return last if last > floor else None
        if fence and fence[0] == start:
            return last
        return self._strongest(start, first, last) or self._last_grapheme(start, floor, last)

    def _strongest(self, start: int, first: int, last: int) -> int | None:
        for cut in self._outline.sections(first, last):
            if self._allowed(start, cut):
                return cut
        for boundary in boundaries_in(self._text, first, last, kind=self._kind):
            for cut in boundary.last(self._text, first, last):
                if self._allowed(start, cut):
                    return cut
        return None

    def _last_grapheme(self, start: int, floor: int, last: int) -> int | None:
        cut = last_boundary(self._text, start, last)
        fence = self._fence_around(cut)
        cut = fence[0] if fence else cut
        return cut if cut > floor else None

    def _allowed(self, start: int, cut: int) -> bool:
        """Whether neither a grapheme nor a fence that fits is split at ``cut``."""
        whole = is_certain(self._text, cut) or last_boundary(self._text, start, cut) == cut
        return whole and not self._fence_around(cut)

    def _fence_around(self, cut: int) -> tuple[int, int] | None:
        """Return the fence that a cut would split although it fits the limit."""
        fence = self._outline.fence_around(cut)
        if fence is None:
            return None
        if fence not in self._fitting:
            self._fitting[fence] = self._fits(*fence)
        return fence if self._fitting[fence] else None

    def _fits(self, start: int, end: int) -> bool:
        # Twice the limit is far beyond what an estimate errs by: no need to count a long text.
        near = end <= self._ruler.reach(start, 2 * self._limit)
        return near and self._ruler.count(start, end) <= self._limit

    def _forced(self, start: int) -> Slice:
        """Return one grapheme, or as much of it as the limit allows: at least one character."""
        whole = next_boundary(self._text, start, self._ruler.reach(start, 2 * self._limit))
        if whole is not None and self._fits(start, whole):
            return Slice(start, whole, self._ruler.count(start, whole))
        end = self._ruler.reach(start, self._limit)
        end = end if whole is None else min(end, whole)  # not into the next one, though it may fit
        while True:
            tokens = self._ruler.count(start, end)
            if tokens <= self._limit or end == start + 1:
                return Slice(start, end, tokens)
            end = start + max(1, (end - start) * self._limit // tokens)

    def _overlap_start(self, start: int, end: int, overlap: int) -> int:
        """Return the best start of a slice that repeats up to ``overlap`` tokens before ``end``."""
        if not overlap or end >= len(self._text) or self._starts_section(end):
            return end
        budget = overlap
        while budget > 0:
            cut = self._first_cut(start, end, budget)
            tokens = self._ruler.count(cut, end)
            if tokens <= overlap:
                return cut
            budget = min(budget - 1, budget * overlap // tokens)
        return end

    def _first_cut(self, start: int, end: int, budget: int) -> int:
        """Return the best cut in the first half of ``budget`` tokens before ``end``."""
        first = max(start + 1, self._ruler.reach_back(end, budget))
        half = min(end - 1, self._ruler.reach_back(end, (budget + 1) // 2))
        for boundary in boundaries_in(self._text, first, half, kind=self._kind):
            for cut in boundary.first(self._text, first, half):
                if self._allowed(start, cut):
                    return cut
        cut = last_boundary(self._text, start, first)
        if cut < first:
            cut = next_boundary(self._text, cut, end) or end
        return end if self._fence_around(cut) else cut

    def _starts_section(self, cut: int) -> bool:
        if self._outline.sections(cut, cut) or self._outline.starts_page(cut):
            return True
        definition = boundaries_in(self._text, cut, cut, kind=self._kind)[0]
        return definition.starts_section and cut in definition.last(self._text, cut, cut)
