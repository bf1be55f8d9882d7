"""Word documents: paragraphs, tables, text boxes, notes, headers and footers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from embedsearch.readers import office, xml_events, zipped
from embedsearch.readers.blocks import Blocks

if TYPE_CHECKING:
    from embedsearch.readers.zipped import Package
    from embedsearch.records import Document

_AFTER = ("footnotes", "endnotes", "comments", "header", "footer")
"""The kinds of parts that are read after the body, in this order."""

_HEADING_NAME = re.compile(r"heading ([1-9])", re.IGNORECASE)


def read(id: str, data: bytes) -> Document:
    """Read a Word document in the order of its body; what stands around it comes at the end."""
    package = zipped.opened(data)
    main = office.main_part(package, "word/document.xml")
    around = office.relations(package, main)
    styles = next((target for kind, target in around if kind == "styles"), None)
    levels = _levels(package, styles) if styles else {}
    blocks = Blocks()
    office.add_part(blocks, package, main, styles=levels)
    for wanted in _AFTER:
        for target in dict.fromkeys(target for kind, target in around if kind == wanted):
            office.add_part(blocks, package, target, styles=levels)
    return blocks.document(id, office.properties(package))


def _levels(package: Package, part: str) -> dict[str, int]:
    """Return the heading level of each paragraph style, by name as names are the same everywhere.

    Elements end inside out, so a style's name and outline level are seen before the style.
    """
    levels: dict[str, int] = {}
    level = 0
    found = xml_events.leaves(package.read(part), "style", "name", "outlineLvl")
    for name, attributes, _ in found:
        if name == "name":
            heading = _HEADING_NAME.fullmatch(attributes.get("val", ""))
            level = min(int(heading[1]), 6) if heading else int(attributes.get("val") == "Title")
        elif name == "outlineLvl":
            level = level or office.outline(attributes)
        elif name == "style":
            levels[attributes.get("styleId", "")] = level
            level = 0
    return {style: level for style, level in levels.items() if level}
