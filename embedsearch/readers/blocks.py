"""Puts a text together from blocks, and remembers where its headings and pages begin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unicodedata import normalize

from embedsearch.moments import respelled
from embedsearch.readers.decoding import clean
from embedsearch.records import Document, Heading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


SOFT_HYPHEN = "\xad"
"""Where a word may be broken at a line's end: it is not seen, and would part the word in two."""


@dataclass(slots=True)
class Blocks:
    """A text that grows: ``add`` appends, parted from what is there by ``gap``."""

    _parts: list[str] = field(default_factory=list)
    _length: int = 0
    _page_start: int = 0
    _headings: list[Heading] = field(default_factory=list)
    _pages: list[int] = field(default_factory=list)

    def add(self, text: str, *, gap: str = "\n\n") -> int:
        """Append a text that is not blank, and return the offset at which it begins."""
        text = typed(text)
        if not text or text.isspace():
            return self._length
        if self._length != self._page_start:
            self._parts.append(gap)
            self._length += len(gap)
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        return start

    def heading(self, title: str, *, level: int) -> None:
        """Append a heading of level 1 to 6 as a block of its own."""
        title = " ".join(typed(title).split())
        if title:
            start = self.add(title)
            self._headings.append(Heading(start, min(max(level, 1), 6), title))

    def page(self) -> None:
        """Begin a page: what is added next is on it."""
        if self._length != self._page_start:
            self._parts.append("\n\n")
            self._length += 2
        self._page_start = self._length
        self._pages.append(self._length)

    def document(self, id: str, metadata: Mapping[str, Any] | None = None) -> Document:
        """Return what was put together as a document of kind ``html``, empty metadata left out.

        Its ``date`` is respelled: each format writes moments in its own way.
        """
        told = filled(metadata or {})
        if "date" in told:
            told["date"] = respelled(told["date"])
        return Document(
            id=id,
            text=clean("".join(self._parts)),
            metadata=told,
            kind="html",
            headings=tuple(self._headings),
            pages=tuple(self._pages),
        )


def typed(text: str) -> str:
    """Return an extracted text as one types its words: accents on their letters (NFC), none parted.

    PDFs and files of macOS have accents and the parts of Korean syllables apart.
    """
    return normalize("NFC", text.replace(SOFT_HYPHEN, ""))


def filled(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Drop empty values, and tidy the white space of strings."""
    tidy = {k: " ".join(clean(v).split()) if isinstance(v, str) else v for k, v in metadata.items()}
    return {k: v for k, v in tidy.items() if v not in (None, "", [], {})}
