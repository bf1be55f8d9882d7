"""Where a text may be cut, from the strongest boundary to the weakest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from embedsearch.records import Kind

# The cut is where the match ends. A part begins with what can be seen, so white space stays with
# the part before it, but for the indentation of a line.
DEFINITION = r"\n[^\S\n]*\n(?=[^\s)\]}])"
BLANK_LINE = r"\n[^\S\n]*\n(?=[^\S\n]*\S)"
LIST_ITEM = r"\n(?=[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t])"
LINE = r"\n(?=[^\S\n]*\S)"
SENTENCE = (
    r"[.!?\u2026][\"'\u201d\u2019)\]]*\s+(?=[^\s\p{M}])"
    r"|[\u3002\uff01\uff1f][\u300d\u300f\u201d\u2019\uff09]*(?=[^\s\p{M}])"
)
WORD = r"\s(?=[^\s\p{M}])"
PUNCTUATION = r"[^\w\s](?=[\p{L}\p{N}])"

LOOKAHEAD = 64
"""How many characters after a cut a boundary may look at: a line's indentation, mostly."""

TRIES = 8
"""How many places of one class are tried before a weaker class is."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A class of places where a text may be cut."""

    forwards: regex.Pattern[str]
    backwards: regex.Pattern[str] | None
    starts_section: bool

    def first(self, text: str, first: int, last: int) -> Iterator[int]:
        """Yield the first few cuts of this class in ``first..last``."""
        matches = self.forwards.finditer(text, max(0, first - LOOKAHEAD), last + LOOKAHEAD)
        return _few(matches, first, last)

    def last(self, text: str, first: int, last: int) -> Iterator[int]:
        """Yield the last few cuts of this class in ``first..last``, the last one first."""
        since, until = max(0, first - LOOKAHEAD), last + LOOKAHEAD
        if self.backwards is not None:
            return _few(self.backwards.finditer(text, since, until), first, last)
        return _few(reversed(list(self.forwards.finditer(text, since, until))), first, last)


def _few(matches: Iterable[regex.Match[str]], first: int, last: int) -> Iterator[int]:
    cuts = (match.end() for match in matches)
    return islice((cut for cut in cuts if first <= cut <= last), TRIES)


def _boundary(pattern: str) -> Boundary:
    # Line ends are found fast by their first character, which a backward search can't look for;
    # the other classes are so frequent that the first match backwards is near.
    backwards = None if pattern.startswith(r"\n") else regex.compile(f"(?r)(?:{pattern})")
    return Boundary(regex.compile(pattern), backwards, starts_section=pattern == DEFINITION)


_LINES = [_boundary(pattern) for pattern in (BLANK_LINE, LINE)]
_WORDS = [_boundary(pattern) for pattern in (WORD, PUNCTUATION)]
_PROSE = [_boundary(SENTENCE), *_WORDS]

BOUNDARIES: dict[Kind, list[Boundary]] = {
    "text": [*_LINES, *_PROSE],
    "markdown": [_LINES[0], _boundary(LIST_ITEM), _LINES[1], *_PROSE],
    "code": [_boundary(DEFINITION), *_LINES, *_WORDS],
    "html": [*_LINES, *_PROSE],
}
"""The classes of each kind of text, the strongest first; graphemes are what is left."""
