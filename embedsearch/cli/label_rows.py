"""Labels of documents in the rows of a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from embedsearch.cli import rows
from embedsearch.store.labels import has_control
from embedsearch.sync.report import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IDS = ("document_id", "document")
"""What stands for the column ``id`` where there is none: our own tables have these."""

OWN = "labels"
"""What the list of them is called in the JSON of ``label --list``."""


@dataclass(slots=True)
class LabelRows:
    """Which labels a stream of rows gives to what; rows that give none are in ``failed``."""

    name: str
    stream: IO[str]
    format: str
    id: str
    label: str
    failed: list[Failure] = field(default_factory=list)

    def read(self) -> dict[str, list[str]]:
        """Return the labels of each id; in JSON one row may hold several of them, as a list.

        Raises:
            ValueError: the columns are not there, or the stream is not of the format.

        """
        found: dict[str, list[str]] = {}
        checked = False
        for place, row in self._rows():
            if not checked and isinstance(row, dict):
                self._settle(row)
                checked = True
            try:
                id_, labels = self._given(rows.as_object(row))
            except rows.RowError as error:
                self.failed.append(Failure(f"{self.name}:{place}", str(error)))
            else:
                own = found.setdefault(id_, [])
                own += [label for label in labels if label not in own]
        return found

    def _rows(self) -> Iterator[tuple[int, Any]]:
        """Yield the rows with their places; our own JSON has them inside of ``labels``."""
        for place, row in rows.read(self.name, self.stream, self.format):
            inside = row.get(OWN) if self.format == "json" and isinstance(row, dict) else None
            if rows.are_rows(inside):
                yield from enumerate(inside, 1)
            else:
                yield place, row

    def _settle(self, first: Mapping[str, Any]) -> None:
        if self.id == "id" and "id" not in first:
            self.id = next((name for name in IDS if name in first), "id")
        rows.Columns(self.id, (self.label,)).check(first, self.format)

    def _given(self, row: Mapping[str, Any]) -> tuple[str, list[str]]:
        id_, value = rows.words_in(row, self.id), row.get(self.label)
        listed = value if isinstance(value, list) else [value]
        labels = [rows.words_in({self.label: each}, self.label).strip() for each in listed]
        if not id_:
            raise rows.RowError(f"has no {self.id!r}")
        if not all(labels) or not labels:
            raise rows.RowError(f"has no {self.label!r}")
        if strange := next(filter(has_control, labels), ""):
            raise rows.RowError(f"has a control character in {self.label!r}: {strange!r}")
        return id_, labels
