"""What the chunker has to know of Markdown: its headings and its fenced code."""

from __future__ import annotations

import re

from embedsearch.records import Heading

FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)")
FENCE = re.compile(r"^[ \t>]*(?P<mark>`{3,}(?=[^`\n]*$)|~{3,})", re.MULTILINE)
ATX = re.compile(
    r"^ {0,3}(?P<marks>#{1,6})(?:[ \t]+(?P<title>[^\r\n]*?))??(?:[ \t]+#+)?[ \t]*\r?$",
    re.MULTILINE,
)
SETEXT = re.compile(
    r"(?:^|(?<=\n))(?P<title>(?![ \t]*(?:[-*+>#|]|\d+[.)])) {0,3}\S[^\r\n]*?)[ \t]*\r?\n"
    r" {0,3}(?P<marks>=+|-{2,})[ \t]*\r?$",
    re.MULTILINE,
)


def find_fences(text: str) -> list[tuple[int, int]]:
    """Return where fenced blocks start and end, ascending, their marks and last newline included.

    A fence that is never closed goes on to the end.
    """
    fences: list[tuple[int, int]] = []
    opening = FENCE.search(text)
    while opening is not None:
        mark = opening["mark"]
        close = re.compile(rf"^[ \t>]*{mark[0]}{{{len(mark)},}}[ \t]*\r?$\n?", re.MULTILINE)
        closing = close.search(text, opening.end())
        end = len(text) if closing is None else closing.end()
        fences.append((opening.start(), end))
        opening = FENCE.search(text, end)
    return fences


def find_headings(text: str, fences: list[tuple[int, int]]) -> list[Heading]:
    """Return the ATX and setext headings outside front matter and ``fences``, ascending."""
    front_matter = FRONT_MATTER.match(text)
    outside, headings = front_matter.end() if front_matter else 0, []
    for start, end in [*fences, (len(text), len(text))]:
        headings += _headings_between(text, outside, start)
        outside = max(outside, end)
    return headings


def _headings_between(text: str, start: int, end: int) -> list[Heading]:
    atx = [
        Heading(match.start(), len(match["marks"]), (match["title"] or "").strip())
        for match in ATX.finditer(text, start, end)
    ]
    setext = [
        Heading(match.start(), 1 if match["marks"][0] == "=" else 2, match["title"].strip())
        for match in SETEXT.finditer(text, start, end)
    ]
    return sorted(atx + setext, key=lambda heading: heading.start)
