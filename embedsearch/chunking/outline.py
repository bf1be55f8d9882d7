"""Where a document's sections, fenced blocks, pages and times lie."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import regex

from embedsearch.chunking.markdown import find_fences, find_headings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.records import Document, Heading

SEPARATOR = " > "

VISIBLE = regex.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Outline:
    """The headings of a document with their paths, its fences, pages and times, all ascending."""

    headings: Sequence[Heading]
    heading_starts: Sequence[int]
    heading_paths: Sequence[str | None]
    fences: Sequence[tuple[int, int]]
    fence_starts: Sequence[int]
    page_starts: Sequence[int]
    times: Sequence[tuple[int, float]]

    @classmethod
    def of(cls, document: Document) -> Outline:
        """Take the outline that the document came with, or find it if it is Markdown."""
        fences = find_fences(document.text) if document.kind == "markdown" else []
        headings: Sequence[Heading] = document.headings
        if document.kind == "markdown" and not headings:
            headings = find_headings(document.text, fences)
        return cls(
            headings=headings,
            heading_starts=[heading.start for heading in headings],
            heading_paths=_paths(headings),
            fences=fences,
            fence_starts=[start for start, _ in fences],
            page_starts=document.pages,
            times=document.times,
        )

    def heading_path(self, text: str, start: int, end: int) -> str | None:
        """Return the headings that the first visible character of ``text[start:end]`` is under."""
        if not self.headings:
            return None
        visible = VISIBLE.search(text, start, end)
        number = bisect_right(self.heading_starts, visible.start() if visible else start)
        return self.heading_paths[number - 1] if number else None

    def page(self, offset: int) -> int | None:
        """Return the page of the character at ``offset``, from 1."""
        return max(1, bisect_right(self.page_starts, offset)) if self.page_starts else None

    def page_end(self, start: int) -> int | None:
        """Return where the page that begins at ``start`` ends, ``None`` where none begins there."""
        following = bisect_right(self.page_starts, start)
        begins = self.starts_page(start) and following < len(self.page_starts)
        return self.page_starts[following] if begins else None

    def starts_page(self, offset: int) -> bool:
        """Whether a page begins at ``offset``."""
        number = bisect_left(self.page_starts, offset)
        return number < len(self.page_starts) and self.page_starts[number] == offset

    def seconds(self, offset: int) -> float | None:
        """Return how far into the recording the passage is that ``offset`` lies in."""
        number = bisect_right(self.times, offset, key=itemgetter(0))
        return self.times[max(0, number - 1)][1] if self.times else None

    def fence_around(self, offset: int) -> tuple[int, int] | None:
        """Return the fenced block that a cut at ``offset`` would split."""
        if not self.fences:
            return None
        number = bisect_left(self.fence_starts, offset)
        if number and offset < self.fences[number - 1][1]:
            return self.fences[number - 1]
        return None

    def sections(self, first: int, last: int) -> list[int]:
        """Return where sections start in ``first..last``: highest level first, then last first."""
        if not self.headings:
            return []
        numbers = range(
            bisect_left(self.heading_starts, first), bisect_right(self.heading_starts, last)
        )
        ranked = sorted(numbers, key=lambda number: (self.headings[number].level, -number))
        return [self.heading_starts[number] for number in ranked]


def _paths(headings: Sequence[Heading]) -> list[str | None]:
    paths: list[str | None] = []
    above: list[Heading] = []
    for heading in headings:
        above = [*(other for other in above if other.level < heading.level), heading]
        paths.append(SEPARATOR.join(other.title for other in above if other.title) or None)
    return paths
