"""Where a text may be cut, from the strongest boundary to the weakest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedsearch.records import Kind

# The cut is where the match ends. A part begins with what can be seen, so white space stays with
# the part before it, but for the indentation of a line.
DEFINITION = r"\n[^\S\n]*\n(?=[^\s)\]}])"
BLANK_LINE = r"\n[^\S\n]*\n(?=[^\S\n]*\S)"
LIST_ITEM = r"\n(?=[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t])"
LINE = r"\n(?=[^\S\n]*\S)"
SENTENCE = r"[.!?\u2026][\"'\u201d\u2019)\]]*\s+(?=[^\s\p{M}])|[\u3002\uff01\uff1f][\u300d\u300f\u201d\u2019\uff09]*(?=[^\s\p{M}])"
WORD = r"\s(?=[^\s\p{M}])"
PUNCTUATION = r"[^\w\s](?=[\p{L}\p{N}])"

CLASSES: dict[Kind, tuple[str, ...]] = {
    "text": (BLANK_LINE, LINE, SENTENCE, WORD, PUNCTUATION),
    "markdown": (BLANK_LINE, LIST_ITEM, LINE, SENTENCE, WORD, PUNCTUATION),
    "code": (DEFINITION, BLANK_LINE, LINE, WORD, PUNCTUATION),
    "html": (BLANK_LINE, LINE, SENTENCE, WORD, PUNCTUATION),
}

LOOKAHEAD = 64
"""How many characters after a cut a boundary may look at: a line's indentation, mostly."""

TRIES = 8
"""How many places of one class are tried before a weaker class is."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A class of boundaries, compiled to be searched from either end."""

    forwards: regex.Pattern[str]
    backwards: regex.Pattern[str]
    starts_section: bool

    def last(self, text: str, first: int, last: int) -> Iterator[int]:
        """Yield the last few cuts of this class in ``first..last``, the last one first."""
        matches = self.backwards.finditer(text, max(0, first - LOOKAHEAD), last + LOOKAHEAD)
        cuts = (match.end() for match in matches)
        return islice((cut for cut in cuts if first <= cut <= last), TRIES)

    def first(self, text: str, first: int, last: int) -> Iterator[int]:
        """Yield the first few cuts of this class in ``first..last``."""
        matches = self.forwards.finditer(text, max(0, first - LOOKAHEAD), last + LOOKAHEAD)
        cuts = (match.end() for match in matches)
        return islice((cut for cut in cuts if first <= cut <= last), TRIES)


BOUNDARIES: dict[Kind, tuple[Boundary, ...]] = {
    kind: tuple(
        Boundary(regex.compile(p), regex.compile(f"(?r)(?:{p})"), starts_section=p is DEFINITION)
        for p in patterns
    )
    for kind, patterns in CLASSES.items()
}
