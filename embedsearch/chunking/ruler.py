"""Token counts of any slice of a text, from as few encodings as can be."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple, Self

import regex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from embedsearch.tokens.protocol import Tokenizer

WINDOW = 1 << 20
"""How many characters are encoded at once: large enough to pay off, small enough for memory."""

EDGE = 256
"""How many characters from a slice's edge a seam is looked for."""

NOWHERE = r"(?!)"

SPACE = regex.compile(r"\s{0,64}")


class Edge(NamedTuple):
    """A seam at or near one end of a slice, and the tokens between the two."""

    seam: int
    tokens: int


@cache
def _patterns(seam: str) -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    """Return what finds the first and the last seam."""
    return regex.compile(seam), regex.compile(f"(?r)(?:{seam})")


def _array(ends: NDArray[np.int64]) -> array[int]:
    """Return offsets in an array of Python's own, where bisect is four times as fast as numpy's."""
    return array("q", ends.astype("int64", copy=False).tobytes())


class Ruler:
    """Measures slices of ``text``, best in ascending order.

    The text is encoded once, a window at a time. Between two seams of the tokenizer the count is
    known from that; what lies outside them is encoded again, and so is a slice without seams.
    """

    def __init__(self, text: str, tokenizer: Tokenizer, ends: NDArray[np.int64]) -> None:
        """Take where the tokens of the first window end."""
        self._text = text
        self._tokenizer = tokenizer
        self._first_seam, self._last_seam = _patterns(getattr(tokenizer, "seam", NOWHERE))
        # A chunk ends where its overlap does, and the overlap starts where the next chunk does.
        self._head = lru_cache(maxsize=4)(self._find_head)
        self._tail = lru_cache(maxsize=4)(self._find_tail)
        self._start, self._end = 0, min(WINDOW, len(text))
        self._ends = _array(ends)

    @classmethod
    def of_all(cls, texts: Sequence[str], tokenizer: Tokenizer) -> Iterator[Self]:
        """Yield a ruler a text; their first windows are encoded together."""
        found = tokenizer.ends([text[:WINDOW] for text in texts])
        for text, ends in zip(texts, found, strict=True):
            yield cls(text, tokenizer, ends)

    def reach(self, start: int, tokens: int) -> int:
        """Return about how far so many tokens reach from ``start``: exact up to the edges.

        White space after them is included: to some tokenizers it is no token at all.
        """
        if not tokens:
            return start
        last = self._cover(start, tokens) + tokens - 1
        if last >= len(self._ends):
            return len(self._text)
        space = SPACE.match(self._text, self._ends[last])
        return space.end() if space else self._ends[last]

    def reach_back(self, end: int, tokens: int) -> int:
        """Return about how far so many tokens reach back from ``end``."""
        first = bisect_right(self._ends, end) - tokens
        return self._ends[first - 1] if first > 0 else self._start

    def count(self, start: int, end: int) -> int:
        """Return the exact number of tokens of ``text[start:end]`` encoded on its own."""
        head, tail = self._head(start), self._tail(end)
        if head and tail and head.seam <= tail.seam and self._covers(start, tail.seam):
            first = bisect_right(self._ends, head.seam)
            return head.tokens + bisect_right(self._ends, tail.seam) - first + tail.tokens
        return self._tokenizer.count([self._text[start:end]])[0]

    def _find_head(self, start: int) -> Edge | None:
        match = self._first_seam.search(self._text, start, start + EDGE)
        return match and self._edge(match.start(), start, match.start())

    def _find_tail(self, end: int) -> Edge | None:
        # The window's last end is len(text) by definition, whatever its last token covers.
        known = self._ends[-2] if len(self._ends) > 1 else 0
        match = self._last_seam.search(self._text, max(0, end - EDGE), min(end, known) + 1)
        return match and self._edge(match.start(), match.start(), end)

    def _edge(self, seam: int, start: int, end: int) -> Edge:
        between = self._text[start:end]
        return Edge(seam, self._tokenizer.count([between])[0] if between else 0)

    def _covers(self, start: int, seam: int) -> bool:
        """Whether the window knows how many tokens end before each seam from ``start`` on."""
        return self._start <= start and len(self._ends) > 1 and seam <= self._ends[-2]

    def _cover(self, start: int, tokens: int) -> int:
        """Encode on from ``start`` unless the window holds so many tokens after it.

        Returns how many tokens of the window end at ``start`` or before.
        """
        size = WINDOW
        before = bisect_right(self._ends, start)
        while self._end < len(self._text) and (
            not self._start <= start < self._end or before + tokens >= len(self._ends) - 1
        ):
            self._start, self._end = start, min(start + size, len(self._text))
            (ends,) = self._tokenizer.ends([self._text[start : self._end]])
            self._ends = _array(ends + start)
            before = bisect_right(self._ends, start)
            size *= 2
        return before
