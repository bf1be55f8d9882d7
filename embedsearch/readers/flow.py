"""The flow of an office text: paragraphs, headings and tables, from events to blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedsearch.readers.blocks import Blocks


@dataclass(slots=True)
class _Table:
    rows: int = 0
    cells: list[list[str]] = field(default_factory=list)


class Flow:
    """Sends finished paragraphs to blocks, or to the cell of the table they lie in.

    Paragraphs nest, as those of a text box do: the inner ones come first.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._paragraphs: list[list[str]] = []
        self._tables: list[_Table] = []

    def text(self, text: str) -> None:
        """Add text to the innermost open paragraph; outside of any there is none."""
        if self._paragraphs:
            self._paragraphs[-1].append(text)

    def begin_paragraph(self) -> None:
        """Open a paragraph."""
        self._paragraphs.append([])

    def end_paragraph(self, *, level: int = 0, bullet: bool = False) -> None:
        """Close the innermost paragraph: a heading if it has a level, a list item by bullet."""
        text = "".join(self._paragraphs.pop()) if self._paragraphs else ""
        if not text.strip():
            return
        if self._tables and self._tables[-1].cells:
            self._tables[-1].cells[-1].append(" ".join(text.split()))
        elif level:
            self._blocks.heading(text, level=level)
        else:
            self._blocks.add(f"- {text.strip()}" if bullet else text.rstrip())

    def begin_table(self) -> None:
        """Open a table, within a cell or not."""
        self._tables.append(_Table())

    def begin_cell(self) -> None:
        """Open the next cell of the row."""
        if self._tables:
            self._tables[-1].cells.append([])

    def end_row(self) -> None:
        """Write the row as a line, its cells parted by bars."""
        if not self._tables:
            return
        table = self._tables[-1]
        line = " | ".join(" ".join(cell) for cell in table.cells).strip(" |")
        table.cells = []
        outer = self._tables[-2] if len(self._tables) > 1 else None
        if outer is not None and outer.cells:
            outer.cells[-1].append(line)
        elif line:
            self._blocks.add(line, gap="\n" if table.rows else "\n\n")
            table.rows += 1

    def end_table(self) -> None:
        """Close the innermost table."""
        if self._tables:
            self._tables.pop()
