"""Rows of a table as lines of text, each telling the names of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_HEADER_LENGTH = 80


def lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield one line a row: ``name: value | name: value``, empty cells left out.

    So a chunk far down still says what its numbers are. The first row names the columns if its
    cells are all short, no numbers, and no two alike, and is a line itself, so that line N is row
    N. Without such a row the values stand alone.
    """
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return
    yield _joined(first)
    names = [f"{_tidy(name)}: " if name.strip() else "" for name in first]
    if not _is_header(first):
        names = []
    width = len(names)
    for row in iterator:
        if len(row) == width:
            line = " | ".join([n + v for n, v in zip(names, row, strict=True) if v])
        else:
            line = _ragged(names, row)
        yield line if "\n" not in line and "\r" not in line else _tidy(line)


def _ragged(names: list[str], row: Sequence[str]) -> str:
    padded = names + [""] * (len(row) - len(names))
    return " | ".join([n + v for n, v in zip(padded, row, strict=False) if v])


def _joined(row: Sequence[str]) -> str:
    return " | ".join(_tidy(cell) for cell in row if cell.strip())


def _tidy(cell: str) -> str:
    return " ".join(cell.split())


def _is_header(row: Sequence[str]) -> bool:
    named = [cell.strip() for cell in row if cell.strip()]
    return (
        len(named) > len(row) / 2
        and len(set(named)) == len(named)
        and all(len(name) <= _HEADER_LENGTH and not _is_number(name) for name in named)
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
