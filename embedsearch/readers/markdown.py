"""Markdown, as it is; its front matter and its title become metadata."""

from __future__ import annotations

import re

from embedsearch.readers import front_matter
from embedsearch.readers.decoding import decode
from embedsearch.records import Document

_TITLE = re.compile(
    r"^#[ \t]+(?P<hashed>[^\r\n]*)"
    r"|^(?P<underlined>[^\s#>*+\-][^\r\n]*)\r?\n=+[ \t]*\r?$"
    r"|^(?P<fence>```|~~~)",
    re.MULTILINE,
)
_TITLE_WITHIN = 16 * 1024


def read(id: str, data: bytes) -> Document:
    """Decode a Markdown file; the front matter stays in the text, so lines stay the file's."""
    text = decode(data)
    metadata, partial = {}, None
    try:
        metadata = front_matter.parse(text)
    except front_matter.Malformed as error:
        partial = f"its front matter {error}: no metadata was taken from it"
    title = _title(text)
    if title and "title" not in metadata:
        metadata["title"] = title
    return Document(id=id, text=text, metadata=metadata, kind="markdown", partial=partial)


def _title(text: str) -> str | None:
    """Return the first top heading, unless a code block comes before it."""
    start = front_matter.end(text)
    found = _TITLE.search(text, start, start + _TITLE_WITHIN)
    if found is None or found["fence"]:
        return None
    return (found["hashed"] or found["underlined"] or "").strip().rstrip("#").rstrip() or None
