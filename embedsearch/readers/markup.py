"""HTML: the page's text in blocks, with its headings.

Marks are put into the parsed tree where blocks, lines, cells and headings begin and end; the text
of the whole tree then comes out of the parser in one piece, and is cut at the marks.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from embedsearch.errors import ReadError
from embedsearch.readers.blocks import Blocks
from embedsearch.readers.decoding import decode

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from embedsearch.records import Document

# Noncharacters, which Unicode sets apart for a program's own use and no text holds.
_BLOCK, _PARAGRAPH, _LINE, _ROW, _CELL, _ITEM, _DEFINITION, _PRE, _PRE_END, _HEADING_END = map(
    chr, range(0xFDD0, 0xFDDA)
)
_HEADING = {chr(0xFDE0 + level): level for level in range(1, 7)}
_ALL_MARKS = (
    *(_BLOCK, _PARAGRAPH, _LINE, _ROW, _CELL, _ITEM, _DEFINITION, _PRE, _PRE_END, _HEADING_END),
    *_HEADING,
)
_LINES = frozenset({_LINE, _ROW, _ITEM, _DEFINITION})
_MARKS = re.compile(f"([{''.join(_ALL_MARKS)}])")

_AROUND = {
    **dict.fromkeys(("p", "div", "section", "article", "header", "footer", "center"), _PARAGRAPH),
    **dict.fromkeys(("main", "aside", "address", "details", "summary", "form"), _PARAGRAPH),
    **dict.fromkeys(("ul", "ol", "dl", "table", "blockquote", "figure", "hr"), _BLOCK),
    **dict.fromkeys(("br", "option", "legend", "caption", "figcaption"), _LINE),
}
_TAGS: dict[str, tuple[str, str]] = {
    **{tag: (mark, mark) for tag, mark in _AROUND.items()},
    **{f"h{level}": (mark, _HEADING_END) for mark, level in _HEADING.items()},
    "tr": (_ROW, _ROW),
    "td": (_CELL, _CELL),
    "th": (_CELL, _CELL),
    "li": (_ITEM, _LINE),
    "dt": (_BLOCK, _LINE),
    "dd": (_DEFINITION, _LINE),
    "pre": (_PRE, _PRE_END),
}
_SELECTOR = ",".join((*_TAGS, "img[alt]"))
_UNSEEN = "script,style,template,iframe"
_NAVIGATION = "nav,[role=navigation],[role=contentinfo],body>footer,body>.footer,a.headerlink"
_NESTING = re.compile(
    r"<(/?)(?:div|section|article|ul|ol|dl|table|blockquote|pre|center|form)\b", re.IGNORECASE
)
MAX_DEPTH = 10_000
"""HTML's own rules take a time that grows with the square of the depth: here 0.15 s."""

_STEP = 16 * 1024
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)


def read(id: str, data: bytes) -> Document:
    """Read an HTML page: scripts, styles and what is marked as navigation are left out."""
    blocks = Blocks()
    metadata = add(blocks, _decoded(data))
    return blocks.document(id, metadata)


def add(blocks: Blocks, html: str) -> dict[str, Any]:
    """Add a page's text, and return the title and the rest that its head tells.

    A page that is nothing but navigation keeps it.
    """
    for mark in _ALL_MARKS:
        # One fast search each, where a regex over the whole page would cost as much as parsing.
        html = html.replace(mark, " ")
    tree = _parsed(html)
    pieces = _pieces(tree, without=f"{_UNSEEN},{_NAVIGATION}")
    if all(not piece or piece.isspace() for piece in pieces[::2]):
        pieces = _pieces(_parsed(html), without=_UNSEEN)
    _cut(blocks, pieces)
    return _metadata(tree)


def _parsed(html: str) -> LexborHTMLParser:
    from selectolax.lexbor import LexborHTMLParser

    if _depth(html) > MAX_DEPTH:
        raise ReadError(f"is nested more than {MAX_DEPTH} deep")
    return LexborHTMLParser(html)


def _depth(html: str) -> int:
    """Count how deep the elements nest that nothing but their own end closes.

    That takes as long as parsing, so a rough count, too high by every ``<br>``, comes first.
    """
    steps = range(0, len(html), _STEP)
    rises = (html.count("<", i, i + _STEP) - 2 * html.count("</", i, i + _STEP) for i in steps)
    if max(accumulate(rises), default=0) < MAX_DEPTH // 2:
        return 0
    return max(accumulate(-1 if tag[1] else 1 for tag in _NESTING.finditer(html)), default=0)


def _pieces(tree: LexborHTMLParser, *, without: str) -> list[str]:
    """Return the body's text cut at the marks: a text, a mark, a text, ..., a text."""
    body = tree.body or tree.root
    if body is None:
        return [""]
    for node in body.css(without):
        node.decompose()
    _mark(body)
    return _MARKS.split(body.text())


def _decoded(data: bytes) -> str:
    declared = _CHARSET.search(data, 0, 2048)
    return decode(data, declared=declared[1].decode() if declared else None)


def _metadata(tree: LexborHTMLParser) -> dict[str, Any]:
    head = tree.head
    if head is None:
        return {}
    title = head.css_first("title")
    named = {
        (node.attributes.get("name") or "").lower(): node.attributes.get("content")
        for node in head.css("meta[name][content]")
    }
    return {
        "title": title.text() if title is not None else None,
        "author": named.get("author"),
        "description": named.get("description"),
        "date": named.get("date"),
    }


def _mark(body: LexborNode) -> None:
    for node in body.css(_SELECTOR):
        marks = _TAGS.get(node.tag or "")
        if marks is not None:
            node.insert_before(marks[0])
            node.insert_after(marks[1])
        else:
            node.insert_before(f" {node.attributes['alt'] or ''} ")


def _cut(blocks: Blocks, pieces: list[str]) -> None:
    """Add the pieces, of which every other one is a mark, each parted by the widest gap due."""
    blocks.add(" ".join(pieces[0].split()))
    gap, bullet, level = "", "", 0
    in_row = in_pre = opened = in_cell_only = False
    for mark, raw in zip(pieces[1::2], pieces[2::2], strict=True):
        if mark == _PARAGRAPH:
            if not (in_row or opened):
                gap = "\n\n"
            elif not gap:
                # Paragraphs of a cell are lines; where the cell ends, so does that.
                gap, in_cell_only = "\n", True
        elif mark == _CELL:
            gap = gap if "\n" in gap and not in_cell_only else " | "
            in_row, in_cell_only = True, False
        elif mark in _LINES:
            gap = gap if gap == "\n\n" else "\n"
            in_row = in_row and mark != _ROW
            opened = mark in (_ITEM, _DEFINITION)
            bullet = "- " if mark == _ITEM else bullet
        else:
            gap = "\n\n"
            in_pre = mark == _PRE or (in_pre and mark != _PRE_END)
            level = _HEADING.get(mark, 0)
        if not raw or raw.isspace():
            continue
        text = raw.strip("\n").rstrip() if in_pre else " ".join(raw.split())
        if level:
            blocks.heading(text, level=level)
        else:
            blocks.add(bullet + text, gap=gap or " ")
        gap, bullet, opened, in_cell_only = "", "", False, False
