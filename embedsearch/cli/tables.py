"""Tables as documents: each row is one, with an id, a text and metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from embedsearch.cli.rows import ALL, RowError, as_object, read, words_in
from embedsearch.records import Document
from embedsearch.sync.report import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedsearch.cli.rows import Columns, Row

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")


@dataclass(slots=True)
class Table:
    """The documents in a stream of rows; rows that hold none are in ``failed`` at the end."""

    name: str
    stream: IO[str]
    format: str
    columns: Columns
    failed: list[Failure] = field(default_factory=list)

    def documents(self) -> Iterator[Document]:
        """Yield a document for each row.

        Raises:
            ValueError: the columns are not there, or the stream is not of the format.

        """
        checked = False
        for place, row in read(self.name, self.stream, self.format):
            if not checked and isinstance(row, dict):
                self.columns.check(row, self.format)
                checked = True
            try:
                document = self._document(as_object(row))
            except RowError as error:
                self.failed.append(Failure(f"{self.name}:{place}", str(error)))
            else:
                yield document

    def _document(self, row: Row) -> Document:
        id_ = words_in(row, self.columns.id)
        text = "\n\n".join(filter(str.strip, (words_in(row, name) for name in self.columns.text)))
        if not id_:
            raise RowError(f"has no {self.columns.id!r}")
        if "\0" in id_:
            raise RowError(f"{self.columns.id!r} holds a NUL character")
        if not text:
            raise RowError(f"has no {' or '.join(map(repr, self.columns.text))}")
        return Document(id_, text, self._metadata(row))

    def _metadata(self, row: Row) -> dict[str, Any]:
        wanted = self.columns.metadata
        if ALL in wanted:
            wanted = tuple(row.keys() - {self.columns.id, *self.columns.text})
        given = {name: row[name] for name in row if name in wanted and row[name] not in ("", None)}
        return given if self.format in {"json", "jsonl"} else _typed(given)


def _typed(cells: dict[str, str]) -> dict[str, str | int | float]:
    """Read the numbers among cells, so that they compare as such; 007 and 1e5 stay text."""
    return {
        name: (float(cell) if "." in cell else int(cell)) if _NUMBER.fullmatch(cell) else cell
        for name, cell in cells.items()
    }
