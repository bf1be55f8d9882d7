"""PowerPoint presentations: a page a slide, its notes after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.readers import office, xml_events, zipped
from embedsearch.readers.blocks import Blocks

if TYPE_CHECKING:
    from embedsearch.readers.zipped import Package
    from embedsearch.records import Document

_WITH_SLIDE = ("diagramData", "notesSlide", "comments")


def read(id: str, data: bytes) -> Document:
    """Read the slides in the order in which they are shown; titles become headings."""
    package = zipped.opened(data)
    main = office.main_part(package, "ppt/presentation.xml")
    blocks = Blocks()
    for slide in _slides(package, main):
        blocks.page()
        office.add_part(blocks, package, slide)
        around = office.relations(package, slide)
        for wanted in _WITH_SLIDE:
            for kind, target in around:
                if kind == wanted:
                    office.add_part(blocks, package, target)
    return blocks.document(id, office.properties(package))


def _slides(package: Package, main: str) -> list[str]:
    targets = office.targets(package, main)
    shown = [
        targets.get(attributes.get("r:id", ""))
        for _, attributes, _ in xml_events.leaves(package.read(main), "sldId")
    ]
    return [part for part in shown if part]
