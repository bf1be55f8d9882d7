"""Tab-separated rows: quoted as Excel and sqlite-utils write them, or with quotes as characters."""

from __future__ import annotations

import csv
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_CHARACTERS = 100_000_000
"""The largest cell that is read: as large as the largest file."""

MOST_LINES = 100_000
"""A quoted cell of more lines than that is taken for a stray quotation mark."""

FEW_LINES = 100
"""So many are looked at again of those that a stray quotation mark had looked at, which keeps a
file that is full of them linear in time."""


def rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row, blank lines left out, with the number of its first line.

    Where a row's quotation marks are well formed, they are no part of its cells; else they are
    characters like any other, as in ``5"``, and the row ends with its line. Raises csv.Error for a
    cell above ``MOST_CHARACTERS``.
    """
    source = iter(lines)
    ahead: deque[str] = deque()
    number, seen = 1, 0
    while line := ahead.popleft() if ahead else next(source, ""):
        length, cells = 1, _literal(line)
        if '"' in line:
            most = MOST_LINES if number >= seen else FEW_LINES
            taken, quoted = _quoted(islice(_on(line, ahead, source), most))
            if quoted is None:
                seen = max(seen, number + taken - 1)
            else:
                length, cells = taken, quoted
        for _ in range(length - 1):
            ahead.popleft()
        if cells != [""]:
            yield number, cells
        number += length


def _on(line: str, ahead: deque[str], source: Iterator[str]) -> Iterator[str]:
    """Yield a line and those after it, which are kept ahead."""
    yield line
    yield from ahead
    for after in source:
        ahead.append(after)
        yield after


def _literal(line: str) -> list[str]:
    return line.rstrip("\r\n").split("\t")


def _quoted(lines: Iterable[str]) -> tuple[int, list[str] | None]:
    """Return how many lines were read, and the cells of the row they are, if it is well formed."""
    reader = csv.reader(lines, delimiter="\t", strict=True)
    before = csv.field_size_limit(MOST_CHARACTERS)  # one for the whole process: to be put back
    try:
        cells = next(reader)
    except csv.Error as error:
        if "field larger than" in str(error):
            raise
        return reader.line_num, None
    finally:
        csv.field_size_limit(before)
    # Between two ditto marks below each other lie a tab and the end of a line.
    ditto = any("\t" in cell and "\n" in cell for cell in cells)
    return reader.line_num, None if ditto else cells
