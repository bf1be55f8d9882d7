"""OpenDocument texts and presentations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embedsearch.errors import ReadError
from embedsearch.readers import xml_events, zipped
from embedsearch.readers.blocks import Blocks
from embedsearch.readers.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedsearch.readers.zipped import Package
    from embedsearch.records import Document

_MANIFEST = "META-INF/manifest.xml"
_PROPERTIES = ("title", "creator", "initial-creator", "date", "creation-date")
_SKIPPED = frozenset({"tracked-changes", "forms"})
_OF_COMMENTS = frozenset({"creator", "date", "date-string", "creator-initials"})
"""What says of a comment who made it and when; elsewhere they are fields, which are read."""
_OF_PICTURES = frozenset({"title", "desc"})


def read(id: str, data: bytes) -> Document:
    """Read the paragraphs and tables in order; a slide is a page, its notes lie on it."""
    blocks = Blocks()
    package = zipped.opened(data)
    if _MANIFEST in package.names and b"encryption-data" in package.read(_MANIFEST):
        raise ReadError("is encrypted (a password is needed)")
    events = _Events(blocks)
    content = package.read("content.xml")
    xml_events.parse(content, start=events.start, end=events.end, text=events.text)
    return blocks.document(id, _metadata(package))


def _metadata(package: Package) -> dict[str, Any]:
    if "meta.xml" not in package.names:
        return {}
    found = xml_events.leaves(package.read("meta.xml"), *_PROPERTIES)
    given = {name: text for name, _, text in found}
    return {
        "title": given.get("title"),
        "author": given.get("creator") or given.get("initial-creator"),
        "date": given.get("date") or given.get("creation-date"),
    }


class _Events:
    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._flow = Flow(blocks)
        self._skipping = 0
        self._levels: list[int] = []
        self._lists = 0
        self._comments = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._skipping or name in _SKIPPED or (self._comments and name in _OF_COMMENTS):
            self._skipping += 1
        elif name in ("p", "h"):
            self._flow.begin_paragraph()
            level = attributes.get("outline-level", "1")
            self._levels.append((int(level) if level.isdigit() else 1) if name == "h" else 0)
        elif name == "table":
            self._flow.begin_table()
        elif name in ("table-cell", "covered-table-cell"):
            self._flow.begin_cell()
        elif name == "page":
            self._blocks.page()
        elif name == "list-item":
            self._lists += 1
        elif name == "annotation":
            self._comments += 1
        else:
            self._space(name, attributes)

    def _space(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "s":
            count = attributes.get("c", "1")
            self._flow.text(" " * min(int(count) if count.isdigit() else 1, 100))
        elif name in _OF_PICTURES:
            self._flow.text(" ")
        elif name == "tab":
            self._flow.text("\t")
        elif name == "line-break":
            self._flow.text("\n")

    def end(self, name: str) -> None:
        if self._skipping:
            self._skipping -= 1
        elif name in ("p", "h"):
            self._flow.end_paragraph(level=self._levels.pop(), bullet=self._lists > 0)
        elif name == "table-row":
            self._flow.end_row()
        elif name == "table":
            self._flow.end_table()
        elif name == "list-item":
            self._lists -= 1
        elif name == "annotation":
            self._comments -= 1
        elif name in _OF_PICTURES:
            self._flow.text(" ")

    def text(self, text: str) -> None:
        if not self._skipping:
            self._flow.text(text)
