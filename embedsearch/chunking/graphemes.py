"""Characters as people see them: extended grapheme clusters."""

from __future__ import annotations

import regex

GRAPHEME = regex.compile(r"\X")

CERTAIN = regex.compile(r"(?r)(?<=\p{GCB=Other})(?=\p{GCB=Other})")
"""Where a grapheme ends whatever stands around: the Unicode rules GB3 to GB13 name no such pair."""


def last_boundary(text: str, start: int, end: int) -> int:
    """Return the last place in ``start..end`` where a grapheme ends, ``start`` if none does."""
    if end >= len(text) or _is_plain(text[end - 1], text[end]):
        return end
    certain = CERTAIN.search(text, start, end + 1)
    boundary = start if certain is None else certain.start()
    if boundary == end:
        return end
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


def _is_plain(before: str, after: str) -> bool:
    return before.isascii() and after.isascii() and (before, after) != ("\r", "\n")
