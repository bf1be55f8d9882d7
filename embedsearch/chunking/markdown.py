"""What the chunker has to know of Markdown: its headings and its fenced code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

from embedsearch.records import Heading

if TYPE_CHECKING:
    from collections.abc import Iterator

FRONT_MATTER = regex.compile(r"---[ \t]*\r?\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)")
FENCE = regex.compile(r"^[ \t>]*(?P<mark>`{3,}|~{3,})(?P<info>.*)\n?", regex.MULTILINE)
ATX = regex.compile(
    r"^ {0,3}(?P<marks>#{1,6})(?:[ \t]+(?P<title>[^\r\n]*?))??(?:[ \t]+#+)?[ \t]*\r?$",
    regex.MULTILINE,
)
UNDERLINE = regex.compile(r"\n {0,3}(?P<marks>=+|-{2,})[ \t]*\r?(?=\n|\Z)")
PARAGRAPH = regex.compile(r" {0,3}(?![-*+>#|=\s]|\d+[.)][ \t])(?P<title>[^\r\n]*\S)\s*\Z")


def find_fences(text: str) -> list[tuple[int, int]]:
    """Return where fenced blocks start and end, ascending, their marks and last newline included.

    A fence that is never closed goes on to the end.
    """
    fences: list[tuple[int, int]] = []
    opening: regex.Match[str] | None = None
    for line in FENCE.finditer(text):
        if opening is None:
            # With a backtick after them, three backticks are code within a line.
            opening = None if line["mark"][0] == "`" and "`" in line["info"] else line
        elif line["mark"].startswith(opening["mark"]) and not line["info"].strip():
            fences.append((opening.start(), line.end()))
            opening = None
    if opening is not None:
        fences.append((opening.start(), len(text)))
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
    return sorted([*atx, *_setext_headings(text, start, end)], key=lambda heading: heading.start)


def _setext_headings(text: str, start: int, end: int) -> Iterator[Heading]:
    """Yield headings underlined with ``=`` or ``-``: one line of text after a blank one."""
    for underline in UNDERLINE.finditer(text, start, end):
        line = max(start, text.rfind("\n", start, underline.start()) + 1)
        title = PARAGRAPH.match(text, line, underline.start())
        if title and not text[text.rfind("\n", start, max(start, line - 1)) + 1 : line].strip():
            level = 1 if underline["marks"][0] == "=" else 2
            yield Heading(line, level, title["title"])
