"""Prints the cells of the spreadsheet on stdin: a script, run in a process that may die of it.

calamine lays every sheet out in full and copies a text into each cell that shows it, so a file
of one kilobyte can ask for all the memory there is; where it gets none, its process ends.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import suppress
from datetime import date, datetime, time
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

MEMORY_BYTES = 2**30
"""What reading may take, on the systems that keep to such a limit."""

CPU_SECONDS = 120

MAX_CELLS = 5_000_000
"""Of the rectangles that the sheets span, all together."""

MAX_BYTES = 256 * 2**20
"""Of what is printed."""

REFUSED = 3
"""The exit code when the last line of stderr says why; any other means that the reader died."""


def main() -> None:
    """Print each sheet's name and then a list of texts a row, as lines of JSON."""
    _limit()
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    data = sys.stdin.buffer.read()
    try:
        _print(CalamineWorkbook.from_filelike(io.BytesIO(data)))
    except PasswordError:
        _refuse("is encrypted (a password is needed)")
    except CalamineError:
        _refuse("is damaged, or not a spreadsheet")


def _print(workbook: CalamineWorkbook) -> None:
    cells = printed = 0
    for name in workbook.sheet_names:
        print(json.dumps(name))
        sheet = workbook.get_sheet_by_name(name)
        cells += sheet.height * sheet.width
        if cells > MAX_CELLS:
            _refuse(f"spreads over more than {MAX_CELLS:,} cells")
        for row in sheet.to_python():
            line = json.dumps([_text(value) for value in row])
            printed += len(line)
            if printed > MAX_BYTES:
                _refuse(f"unpacks to more than {MAX_BYTES >> 20} MB")
            print(line)


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows and macOS lack some of it
        import resource

        for kind, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_CPU, CPU_SECONDS),
            (resource.RLIMIT_AS, MEMORY_BYTES),
        ):
            resource.setrlimit(kind, (most, most))


def _refuse(why: str) -> NoReturn:
    print(why, file=sys.stderr)
    sys.exit(REFUSED)


if __name__ == "__main__":
    main()
