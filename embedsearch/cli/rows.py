"""Rows of tables: csv, tsv, json and jsonl, read as they stream in."""

from __future__ import annotations

import csv
import json
from collections import Counter, deque
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, Self, TypeGuard

import click

from embedsearch.cli.options import TABLE_FORMATS
from embedsearch.readers import tab_separated
from embedsearch.readers.tab_separated import MOST_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Row = Mapping[str, Any]

ALL = "*"
"""Stands for every column that is neither the id nor the text."""

NAMED = 20
"""How many columns are named where one is missing."""

TOO_DEEP = "its lists and objects are nested too deeply"


class RowError(Exception):
    """A row that is no document; the message says why."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table are the id, the text and the metadata."""

    id: str = "id"
    text: tuple[str, ...] = ("text",)
    metadata: tuple[str, ...] = ()

    def check(self, names: Row, format_: str) -> None:
        """Raise ValueError, naming the columns there are, when one that is needed is not there.

        Records of JSON may leave out what they do not have, but for the id and some text.
        """
        everywhere = {self.id, *self.text, *self.metadata} - {ALL}
        if format_ in {"json", "jsonl"}:
            everywhere = {self.id, *(self.text if names.keys().isdisjoint(self.text) else ())}
        if missing := sorted(everywhere - names.keys()):
            said = f"no column {missing[0]!r}: the columns are {_named(names)}"
            inner = (name for name, value in names.items() if are_rows(value))
            if name := next(inner, None):
                said = f"no column {missing[0]!r}: the rows are inside of {name!r}, give that list"
            raise ValueError(said)


def _named(names: Iterable[str]) -> str:
    """Return the names of columns as a user can read them, the first of many."""
    listed = [f"{name:.40}" for name in names]
    more = f" and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more or "none"


def are_rows(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    """Tell a list of rows from all else."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def read(name: str, stream: IO[str], format_: str) -> Iterator[tuple[int, Any]]:
    """Yield the rows of a table with the lines they begin on; one that can't be read is a RowError.

    Raises ValueError where the stream is not of the format.
    """
    try:
        yield from _READERS[format_](stream)
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not {error.encoding}: {error.reason}") from error
    except csv.Error as error:
        raise ValueError(f"{name} is no {format_}: {error}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} is no JSON: {error}") from error
    except RecursionError as error:
        raise ValueError(f"{name} can't be read: {TOO_DEEP}") from error


def format_of(file: str) -> str:
    """Return the format that a file's name tells."""
    suffix = PurePath(file).suffix.lower().removeprefix(".")
    format_ = {"ndjson": "jsonl", "tab": "tsv"}.get(suffix, suffix)
    if format_ not in TABLE_FORMATS:
        raise click.UsageError(f"what is in {file}? say --from {'|'.join(TABLE_FORMATS)}")
    return format_


def as_object(row: Any) -> Row:
    """Return a row as it is. Raises RowError for what is no object of columns."""
    if isinstance(row, RowError):
        raise row
    if not isinstance(row, dict):
        raise RowError(f"is no object but {json.dumps(row)[:40]}")
    try:
        json.dumps(row, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise RowError("holds half of a surrogate pair") from error
    except ValueError as error:  # Python reads both, 1e999 as infinity
        raise RowError("holds NaN, or a number beyond all that can be stored") from error
    except RecursionError as error:
        raise RowError(TOO_DEEP) from error
    return row


def words_in(row: Row, name: str) -> str:
    """Return what a cell says, "" for nothing. Raises RowError for a list or an object."""
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise RowError(f"{name!r} is no text but {json.dumps(value)[:40]}")


def _csv(stream: IO[str]) -> Iterator[tuple[int, Any]]:
    """Read comma-separated rows, or those that a semicolon parts in much of Europe."""
    header = stream.readline()
    semicolons = header.count(";") > header.count(",")
    return _delimited(chain([header], stream), ";" if semicolons else ",")


def _tsv(stream: IO[str]) -> Iterator[tuple[int, Any]]:
    return _records(tab_separated.rows(stream))


class _Lines:
    """The lines of a stream: those since the last row are in ``row``, and may be put back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.row: list[str] = []
        self.number = 1
        """Of the row's first line."""
        self.ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, None)
        self.ended = line is None
        if line is None:
            raise StopIteration
        self.row.append(line)
        return line

    def go_on(self, *, after: int) -> None:
        """Begin the next row after so many lines of this one."""
        self._again.extendleft(reversed(self.row[after:]))
        self.number += after
        self.row.clear()


def _delimited(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, Any]]:
    before = csv.field_size_limit(MOST_CHARACTERS)  # one for the whole process: to be put back
    try:
        yield from _records(_cells(_Lines(lines), delimiter))
    finally:
        csv.field_size_limit(before)


def _records(rows: Iterable[tuple[int, list[str] | RowError]]) -> Iterator[tuple[int, Any]]:
    """Give the cells of each row the names that the first row has for them."""
    names: list[str] = []
    for number, cells in rows:
        if isinstance(cells, RowError):
            yield number, cells
        elif not names:
            names = _each_once(cells)
        elif len(cells) > len(names):
            yield number, RowError("has more cells than there are columns")
        else:
            yield number, dict(zip_longest(names, cells))


def _each_once(names: list[str]) -> list[str]:
    """Return the names of columns, of which none stands for two; blank ones stand for none."""
    for name, count in Counter(names).items():
        if name and count > 1:
            raise csv.Error(f"{count} columns are called {name!r}")
    return names


def _cells(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str] | RowError]]:
    """Yield each row by the number of its first line.

    One stray quotation mark makes a row of all lines up to the next: they are read again.
    """
    for cells in csv.reader(lines, delimiter=delimiter):
        several = len(lines.row) > 1 or lines.ended
        if several and not _well_formed(lines.row, delimiter):
            yield lines.number, RowError("its quotation mark is never closed")
            lines.go_on(after=1)
        else:
            if cells:
                yield lines.number, cells
            lines.go_on(after=len(lines.row))


def _well_formed(row: list[str], delimiter: str) -> bool:
    try:
        return bool(list(csv.reader(row, delimiter=delimiter, strict=True)))
    except csv.Error:
        return False


def _json(stream: IO[str]) -> Iterator[tuple[int, Any]]:
    read = json.load(stream)
    rows = [read] if isinstance(read, dict) else read
    if not isinstance(rows, list):
        raise ValueError("expected a JSON list of objects, or one object")  # noqa: TRY004 -- the file's fault, not the caller's
    yield from enumerate(rows, 1)


def _jsonl(stream: IO[str]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(stream, 1):
        if line.strip():
            yield number, _record(line)


def _record(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        return RowError(f"is no JSON: {error}")
    except RecursionError:
        return RowError(TOO_DEEP)


_READERS: dict[str, Callable[[IO[str]], Iterator[tuple[int, Any]]]] = {
    "csv": _csv,
    "tsv": _tsv,
    "json": _json,
    "jsonl": _jsonl,
}
