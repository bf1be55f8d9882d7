"""What Word and PowerPoint files share: parts, relations, properties, paragraphs of runs."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from embedsearch.readers import xml_events
from embedsearch.readers.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedsearch.readers.blocks import Blocks
    from embedsearch.readers.zipped import Package

_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_PROPERTIES = ("title", "creator", "subject", "keywords", "created", "modified")
_SKIPPED = frozenset({"Fallback", "pPrChange", "moveFrom", "del", "tabs", "tabLst"})
"""What repeats the element before it, was deleted with changes tracked, or says where tabs end."""


def main_part(package: Package, otherwise: str) -> str:
    """Return the name of the part that the package is about."""
    for kind, target in relations(package, ""):
        if kind == "officeDocument":
            return target
    return otherwise


def relations(package: Package, part: str) -> list[tuple[str, str]]:
    """Return the kind and the target of each of a part's relations, in their order."""
    return [(kind, target) for _, kind, target in _relations(package, part)]


def targets(package: Package, part: str) -> dict[str, str]:
    """Return the target of each of a part's relations by its id."""
    return {id: target for id, _, target in _relations(package, part)}


def _relations(package: Package, part: str) -> list[tuple[str, str, str]]:
    folder, name = posixpath.split(part)
    rels = posixpath.join(folder, "_rels", f"{name}.rels")
    if rels not in package.names:
        return []
    found = []
    for _, attributes, _ in xml_events.leaves(package.read(rels), "Relationship"):
        target = attributes.get("Target", "")
        path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        if path in package.names:
            kind = attributes.get("Type", "").rpartition("/")[2]
            found.append((attributes.get("Id", ""), kind, path))
    return found


def properties(package: Package) -> dict[str, Any]:
    """Return the title, the author and the date that the core properties hold."""
    if "docProps/core.xml" not in package.names:
        return {}
    found = xml_events.leaves(package.read("docProps/core.xml"), *_PROPERTIES)
    given = {name: text for name, _, text in found}
    return {
        "title": given.get("title"),
        "author": given.get("creator"),
        "subject": given.get("subject"),
        "keywords": given.get("keywords"),
        "date": given.get("modified") or given.get("created"),
    }


def add_part(
    blocks: Blocks, package: Package, part: str, *, styles: Mapping[str, int] | None = None
) -> None:
    """Add the text of a part; ``styles`` gives the heading level of paragraph styles by id."""
    runs = _Runs(Flow(blocks), styles or {})
    xml_events.parse(package.read(part), start=runs.start, end=runs.end, text=runs.text)


class _Runs:
    """Follows paragraphs (``p``), text (``t``) and tables (``tbl``) of either vocabulary."""

    def __init__(self, flow: Flow, styles: Mapping[str, int]) -> None:
        self._flow = flow
        self._styles = styles
        self._skipping = 0
        self._in_text = False
        self._in_title = False
        self._levels: list[int] = []
        self._bullets: list[bool] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take note of what an element opens."""
        if self._skipping or name in _SKIPPED:
            self._skipping += 1
        elif name == "p":
            self._flow.begin_paragraph()
            self._levels.append(1 if self._in_title else 0)
            self._bullets.append(False)
        elif name == "t":
            self._in_text = True
        elif name == "tbl":
            self._flow.begin_table()
        elif name == "tc":
            self._flow.begin_cell()
        else:
            self._detail(name, attributes)

    def _detail(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in _BREAKS:
            self._flow.text(_BREAKS[name])
        elif name == "pStyle" and self._levels:
            self._levels[-1] = self._styles.get(attributes.get("val", ""), self._levels[-1])
        elif name == "outlineLvl" and self._levels:
            self._levels[-1] = outline(attributes)
        elif name == "numPr" and self._bullets:
            self._bullets[-1] = True
        elif name == "ph":
            self._in_title = attributes.get("type") in ("title", "ctrTitle")

    def end(self, name: str) -> None:
        """Close what an element opened."""
        if self._skipping:
            self._skipping -= 1
        elif name == "p":
            self._flow.end_paragraph(level=self._levels.pop(), bullet=self._bullets.pop())
        elif name == "t":
            self._in_text = False
        elif name == "tr":
            self._flow.end_row()
        elif name == "tbl":
            self._flow.end_table()
        elif name == "sp":
            self._in_title = False

    def text(self, text: str) -> None:
        """Take the text of a run, not the white space between elements."""
        if self._in_text and not self._skipping:
            self._flow.text(text)


def outline(attributes: Mapping[str, str]) -> int:
    """Return the heading level, 1 to 6, of an outline level; 0 for body text."""
    found = re.fullmatch(r"[0-8]", attributes.get("val", ""))
    return min(int(found[0]) + 1, 6) if found else 0
