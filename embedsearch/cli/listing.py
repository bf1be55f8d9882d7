"""Lists of records, printed in every format alike."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

from embedsearch.cli.terminal import printable, show, show_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Record = Mapping[str, Any]


def fitted(line: str) -> str:
    """Return a line cut to the width of the terminal it is for, whole for a pipe or a file."""
    if not sys.stdout.isatty():
        return line
    from rich.text import Text  # which a pipe need not wait for

    text = Text(printable(line))
    text.truncate(shutil.get_terminal_size().columns, overflow="ellipsis")
    return text.plain


def as_json(record: Record, *, indent: int | None = None) -> str:
    """Return what a command prints as JSON: one object that says how it is to be read."""
    versioned = {"schema_version": 1, **record}
    return json.dumps(versioned, ensure_ascii=False, indent=indent, default=str)


def csv_row(cells: Iterable[Any]) -> str:
    """Return a row of CSV without the end of its line; lists in it are joined by ``|``."""
    row = io.StringIO()
    csv.writer(row, lineterminator="\r\n").writerow(map(_cell, cells))  # so that either is quoted
    return row.getvalue().removesuffix("\r\n")


def _cell(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return "|".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else value


def show_records(
    records: Iterable[Any],
    format_: str,
    *,
    name: str,
    line: Callable[[Any], str],
    columns: Sequence[str],
    head: str = "",
    end: str = "\n",
) -> None:
    """Print records: as JSON under their name, a line of JSON or of CSV each, or as text.

    ``line`` makes a record's text, ``end`` ends it, and ``head`` says on a terminal, before all of
    them, what it holds; ``columns`` are those of CSV.
    """
    if format_ == "json":
        show(as_json({name: list(records)}))
    elif format_ == "jsonl":
        show_all(json.dumps(record, ensure_ascii=False) for record in records)
    elif format_ == "csv":
        rows = ([record[column] for column in columns] for record in records)
        show_all(map(csv_row, chain([columns], rows)))
    else:
        if head and records and sys.stdout.isatty():
            show(f"{fitted(head)}\n")
        show_all(map(line, records), end=end)
