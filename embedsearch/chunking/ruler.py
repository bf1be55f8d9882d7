"""Token counts of any slice of a text, from as few encodings as can be."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from embedsearch.tokens.protocol import Tokenizer

WINDOW = 1 << 20
"""How many characters are encoded at once: large enough to pay off, small enough for memory."""

EDGE = 256
"""How many characters from a slice's edge a seam is looked for."""

NOWHERE = r"(?!)"


class Ruler:
    """Measures slices of ``text``, best in ascending order.

    The text is encoded once, a window at a time. Between two seams of the tokenizer the count is
    known from that; what lies outside them is encoded again, and so is a slice without seams.
    """

    def __init__(self, text: str, tokenizer: Tokenizer) -> None:
        self._text = text
        self._tokenizer = tokenizer
        seam = getattr(tokenizer, "seam", NOWHERE)
        self._first_seam = regex.compile(seam)
        self._last_seam = regex.compile(f"(?r)(?:{seam})")
        self._start = self._end = 0
        self._ends: list[int] = []  # a list, because bisect is four times as fast as numpy here

    def reach(self, start: int, tokens: int) -> int:
        """Return about how far so many tokens reach from ``start``: exact up to the edges."""
        if not tokens:
            return start
        self._cover(start, tokens)
        last = self._tokens_before(start) + tokens - 1
        return self._ends[last] if last < len(self._ends) else len(self._text)

    def reach_back(self, end: int, tokens: int) -> int:
        """Return about how far so many tokens reach back from ``end``."""
        first = self._tokens_before(end) - tokens
        return self._ends[first - 1] if first > 0 else self._start

    def count(self, start: int, end: int) -> int:
        """Return the exact number of tokens of ``text[start:end]`` encoded on its own."""
        edges = self._seams(start, end)
        if edges is None:
            return self._tokenizer.count([self._text[start:end]])[0]
        first, last = edges
        within = self._tokens_before(last) - self._tokens_before(first)
        return within + sum(self._tokenizer.count([self._text[start:first], self._text[last:end]]))

    def _seams(self, start: int, end: int) -> tuple[int, int] | None:
        """Return a seam near each edge, if there are two that the window knows to be exact."""
        # The last end of a window is len(text) by definition, whatever the last token covers.
        known = self._ends[-2] + 1 if len(self._ends) > 1 and start >= self._start else 0
        first = self._first_seam.search(self._text, start + 1, min(end, known, start + EDGE))
        if first is None:
            return None
        since = max(first.start(), end - EDGE)
        last = self._last_seam.search(self._text, since, min(end, known))
        return None if last is None else (first.start(), last.start())

    def _tokens_before(self, offset: int) -> int:
        return bisect_right(self._ends, offset)

    def _cover(self, start: int, tokens: int) -> None:
        """Encode on from ``start`` unless the window holds that many tokens after it."""
        size = WINDOW
        while self._end < len(self._text) and (
            not self._start <= start < self._end
            or self._tokens_before(start) + tokens >= len(self._ends) - 1
        ):
            self._start, self._end = start, min(start + size, len(self._text))
            ends = self._tokenizer.ends(self._text[start : self._end])
            self._ends = (ends + start).tolist()
            size *= 2
