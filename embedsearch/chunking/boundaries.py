"""Where a text may be cut, from the strongest boundary to the weakest."""

from __future__ import annotations

from dataclasses import dataclass
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

TRIES = 8
"""How many places of one class are tried before a weaker class is."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A class of places where a text may be cut.

    ``margin`` is how many characters around a cut are looked at: mostly a line's indentation.
    """

    forwards: regex.Pattern[str]
    backwards: regex.Pattern[str]
    margin: int
    at_lines: bool
    starts_section: bool

    def first(self, text: str, first: int, last: int) -> Iterator[int]:
        """Yield the first few cuts of this class in ``first..last``, ascending."""
        since, until = max(0, first - self.margin), last + self.margin
        return _few(self.forwards.finditer(text, since, until), first, last)

    def last(self, text: str, first: int, last: int) -> Iterator[int]:
        """Yield the last few cuts of this class in ``first..last``, descending."""
        since, until = max(0, first - self.margin), last + self.margin
        if not self.at_lines:
            return _few(self.backwards.finditer(text, since, until), first, last)
        # A pattern's first character is what makes it fast: here the rare one is at the front.
        return _few(reversed(list(self.forwards.finditer(text, since, until))), first, last)


def _few(matches: Iterable[regex.Match[str]], first: int, last: int) -> Iterator[int]:
    found = 0
    for match in matches:
        if first <= match.end() <= last:
            yield match.end()
            found += 1
            if found == TRIES:
                return


def _boundary(pattern: str, *, margin: int) -> Boundary:
    return Boundary(
        forwards=regex.compile(pattern),
        backwards=regex.compile(f"(?r)(?:{pattern})"),
        margin=margin,
        at_lines=pattern.startswith(r"\n"),
        starts_section=pattern == DEFINITION,
    )


_DEFINITION, _BLANK_LINE, _LIST_ITEM, _LINE = (
    _boundary(pattern, margin=64) for pattern in (DEFINITION, BLANK_LINE, LIST_ITEM, LINE)
)
_SENTENCE = _boundary(SENTENCE, margin=16)
_WORD, _PUNCTUATION = (_boundary(pattern, margin=1) for pattern in (WORD, PUNCTUATION))

BOUNDARIES: dict[Kind, tuple[Boundary, ...]] = {
    "text": (_BLANK_LINE, _LINE, _SENTENCE, _WORD, _PUNCTUATION),
    "markdown": (_BLANK_LINE, _LIST_ITEM, _LINE, _SENTENCE, _WORD, _PUNCTUATION),
    "code": (_DEFINITION, _BLANK_LINE, _LINE, _WORD, _PUNCTUATION),
    "html": (_BLANK_LINE, _LINE, _SENTENCE, _WORD, _PUNCTUATION),
}
"""The classes of each kind of text, the strongest first; graphemes are what is left."""

_WITHIN_LINES = {
    kind: tuple(boundary for boundary in boundaries if not boundary.at_lines)
    for kind, boundaries in BOUNDARIES.items()
}


def boundaries_in(text: str, first: int, last: int, *, kind: Kind) -> tuple[Boundary, ...]:
    """Return the classes that may have a cut in ``first..last``, the strongest first."""
    has_line = text.find("\n", first - 1, last) >= 0
    return BOUNDARIES[kind] if has_line else _WITHIN_LINES[kind]
