"""Characters as people see them: extended grapheme clusters."""

from __future__ import annotations

import regex

GRAPHEME = regex.compile(r"\X")

# After and before a character of no class a grapheme ends, as rules GB3 to GB13 name no such pair.
PLAIN = regex.compile(r"\p{GCB=Other}{2}")
LAST_PLAIN = regex.compile(r"(?r)(?<=\p{GCB=Other})(?=\p{GCB=Other})")


def last_boundary(text: str, start: int, end: int) -> int:
    """Return the last place in ``start..end`` where a grapheme ends, ``start`` if none does."""
    if end >= len(text) or is_certain(text, end):
        return end
    plain = LAST_PLAIN.search(text, start, end + 1)
    boundary = start if plain is None else plain.start()
    # A slice, because the search looks back over a run of flags as far as the text goes.
    for match in GRAPHEME.finditer(text[boundary : end + 1]):
        if boundary + match.end() > end:
            return boundary + match.start()
    return end


def next_boundary(text: str, start: int, stop: int) -> int | None:
    """Return where the grapheme at ``start`` ends, ``None`` if it goes on to ``stop``."""
    match = GRAPHEME.match(text[start : stop + 1])
    end = start if match is None else start + match.end()
    return None if stop < end else end


def is_certain(text: str, place: int) -> bool:
    """Whether the characters around a place tell that a grapheme ends there, as most do."""
    pair = text[place - 1 : place + 1]
    return pair != "\r\n" if pair.isascii() else PLAIN.match(pair) is not None
