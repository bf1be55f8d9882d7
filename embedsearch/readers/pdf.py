"""PDF: the text of each page, and the bookmarks as headings."""

from __future__ import annotations

import logging
import re
from threading import Lock
from typing import TYPE_CHECKING, Any

from embedsearch.errors import ReadError
from embedsearch.readers.blocks import SOFT_HYPHEN, Blocks, typed
from embedsearch.records import Document, Heading

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypdfium2 import PdfDocument  # type: ignore[import-untyped]  # it ships no types

_PDFIUM = Lock()
"""PDFium's own rule: one call at a time in a process."""

# Its warnings (bookmarks that run in a circle) reach whoever set logging up, and no bare stderr.
logging.getLogger("pypdfium2").addHandler(logging.NullHandler())

_PASSWORD_NEEDED = 4
_MAX_DEPTH = 6
_HYPHEN = re.compile("(?<=\\w)[\ufffe\x02](?:\n| (?=\\w))?")


def read(id: str, data: bytes) -> Document:
    """Read a PDF; one that opens with an empty password does, whatever its owner forbids.

    Words that a line's end cuts in two are joined. Raises ReadError for a PDF that is damaged,
    needs a password, or shows pictures of text only.
    """
    with _PDFIUM, _opened(data) as pdf:
        pages = [_page_text(pdf, number) for number in range(len(pdf))]
        bookmarks = _bookmarks(pdf)
        metadata = _metadata(pdf)
    if not any(page.strip() for page in pages):
        raise ReadError(f"holds no text (pages: {len(pages)}): it may be scanned images")
    blocks = Blocks()
    for page in pages:
        blocks.page()
        blocks.add(page)
    document = blocks.document(id, metadata)
    return Document(
        id=id,
        text=document.text,
        metadata=document.metadata,
        kind="text",
        headings=_headings(bookmarks, document),
        pages=document.pages,
    )


def _opened(data: bytes) -> PdfDocument:
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        return PdfDocument(data)
    except PdfiumError as error:
        if error.err_code == _PASSWORD_NEEDED:
            raise ReadError("is encrypted (a password is needed)") from error
        raise ReadError("is not a PDF that can be opened: it may be damaged") from error


def _page_text(pdf: PdfDocument, number: int) -> str:
    from pypdfium2 import PdfiumError

    try:
        page = pdf[number]
        text = page.get_textpage().get_text_bounded()
        page.close()
    except PdfiumError as error:
        raise ReadError(f"page {number + 1} is damaged") from error
    # Without the blanks that end its lines, a page's empty lines part its paragraphs.
    lines = "\n".join(line.rstrip() for line in str(text).replace("\r\n", "\n").split("\n"))
    # A soft hyphen that is drawn is one that is seen: fonts take it for the hyphen.
    return _HYPHEN.sub("", lines).replace("\ufffe", "-").replace(SOFT_HYPHEN, "-")


def _bookmarks(pdf: PdfDocument) -> list[tuple[int, int, str]]:
    """Return the page (from 0), the level (from 1) and the title of each bookmark."""
    found = []
    for bookmark in pdf.get_toc(max_depth=_MAX_DEPTH):
        target = bookmark.get_dest()
        page = target.get_index() if target is not None else None
        if page is not None:
            found.append((page, bookmark.level + 1, _text(bookmark.get_title)))
    return found


def _headings(bookmarks: list[tuple[int, int, str]], document: Document) -> tuple[Heading, ...]:
    """Find each bookmark's title on its page; it heads the page where it is not found."""
    ends = (*document.pages[1:], len(document.text))
    headings = []
    for page, level, raw in bookmarks:
        title = " ".join(typed(raw).split())
        if title and page < len(ends):
            start, end = document.pages[page], ends[page]
            words = r"\s+".join(map(re.escape, title.split()))
            found = re.compile(words, re.IGNORECASE).search(document.text, start, end)
            headings.append(Heading(found.start() if found else start, level, title))
    return tuple(sorted(headings, key=lambda heading: heading.start))


def _metadata(pdf: PdfDocument) -> dict[str, Any]:
    return {
        "title": _text(pdf.get_metadata_value, "Title"),
        "author": _text(pdf.get_metadata_value, "Author"),
        "date": _iso(_text(pdf.get_metadata_value, "CreationDate")),
    }


def _text(get: Callable[..., str], *arguments: str) -> str:
    """Return what PDFium has to say, nothing where that is not the UTF-16 it should be."""
    try:
        return get(*arguments)
    except UnicodeDecodeError:
        return ""


def _iso(date: str) -> str:
    """Turn PDF's ``D:20260131120000+01'00'`` into ``2026-01-31``."""
    found = re.match(r"(?:D:)?(\d{4})(0[1-9]|1[0-2])([0-2]\d|3[01])", date)
    return "-".join(found.groups()) if found else ""
