"""reStructuredText, as it is, with its underlined headings found."""

from __future__ import annotations

import re

from embedsearch.readers.decoding import decode
from embedsearch.records import Document, Heading

_HEADING = re.compile(
    r"^(?:(?P<over>([=\-`:.'\"~^_*+#<>!$%&,/;?@\\|(){}\[\]])\2{2,})[ \t]*\r?\n)?"
    r"(?P<title>[ \t]*\S[^\r\n]*)\r?\n"
    r"(?P<under>([=\-`:.'\"~^_*+#<>!$%&,/;?@\\|(){}\[\]])\5{2,})[ \t]*\r?$",
    re.MULTILINE,
)
_MAX_LEVEL = 6


def read(id: str, data: bytes) -> Document:
    """Decode a reStructuredText file; its offsets and lines stay the file's."""
    text = decode(data)
    headings = _headings(text)
    metadata = {"title": headings[0].title} if headings else {}
    return Document(id=id, text=text, metadata=metadata, headings=headings)


def _headings(text: str) -> tuple[Heading, ...]:
    """Find the titles; a style's level is the order in which styles first appear."""
    levels: dict[tuple[str, bool], int] = {}
    headings = []
    for found in _HEADING.finditer(text):
        title = found["title"].strip()
        under, over = found["under"], found["over"]
        if len(under) < len(title) or (over and over[0] != under[0]):
            continue
        if not over and found["title"][0] in " \t":
            continue
        level = levels.setdefault((under[0], bool(over)), len(levels) + 1)
        start = found.start("title") + len(found["title"]) - len(found["title"].lstrip())
        headings.append(Heading(start, min(level, _MAX_LEVEL), title))
    return tuple(headings)
