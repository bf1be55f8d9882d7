"""Tab-separated rows: quoted as Excel and sqlite-utils write them, or with quotes as characters."""

from __future__ import annotations

import csv
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_LINES = 100
"""A quoted cell of more lines than that is taken for a stray quotation mark."""


def rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row, blank lines left out, with the number of its first line.

    Where a row's quotation marks are well formed, they are no part of its cells; else they are
    characters like any other, as in ``5"``, and the row ends with its line.
    """
    source = iter(lines)
    ahead: deque[str] = deque()
    number = 1
    while line := ahead.popleft() if ahead else next(source, ""):
        length, cells = 1, _literal(line)
        if '"' in line:
            ahead.extend(islice(source, MOST_LINES - len(ahead)))
            length, cells = _quoted([line, *ahead]) or (length, cells)
        for _ in range(length - 1):
            ahead.popleft()
        if cells != [""]:
            yield number, cells
        number += length


def _literal(line: str) -> list[str]:
    return line.rstrip("\r\n").split("\t")


def _quoted(lines: Sequence[str]) -> tuple[int, list[str]] | None:
    """Return how many lines the first row takes, and its cells, if it is well formed."""
    for length in (n for n, line in enumerate(lines, 1) if '"' in line):
        try:
            (cells,) = csv.reader(lines[:length], delimiter="\t", strict=True)
        except (csv.Error, ValueError):
            continue
        # Between two ditto marks below each other lie a tab and the end of a line.
        if not any("\t" in cell and "\n" in cell for cell in cells):
            return length, cells
    return None
