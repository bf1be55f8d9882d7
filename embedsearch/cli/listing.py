"""Lists of records, printed in every format alike."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from embedsearch.cli.terminal import printable, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Record = Mapping[str, Any]


def fitted(line: str) -> str:
    """Return a line cut to the width of the terminal it is for, whole for a pipe or a file."""
    if not sys.stdout.isatty():
        return line
    from rich.text import Text  # which a pipe need not wait for

    text = Text(printable(line))
    text.truncate(shutil.get_terminal_size().columns, overflow="ellipsis")
    return text.plain


def show_records(
    records: Sequence[Record],
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
    them, what it holds; ``columns`` are those of CSV, lists in them joined by ``|``.
    """
    if format_ == "json":
        show(json.dumps({"schema_version": 1, name: list(records)}, ensure_ascii=False))
    elif format_ == "jsonl":
        for record in records:
            show(json.dumps(record, ensure_ascii=False))
    elif format_ == "csv":
        _show_csv(records, columns)
    else:
        if head and records and sys.stdout.isatty():
            show(f"{fitted(head)}\n")
        for record in records:
            show(line(record), end=end)


def _show_csv(records: Sequence[Record], columns: Sequence[str]) -> None:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for record in records:
        writer.writerow([_cell(record[column]) for column in columns])
    show(file.getvalue(), end="")


def _cell(value: Any) -> Any:
    return "|".join(map(str, value)) if isinstance(value, (list, tuple)) else value
