"""Spreadsheets: a heading a sheet, a line a row."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from embedsearch.errors import ReadError
from embedsearch.readers import office, rows, zipped
from embedsearch.readers.blocks import Blocks

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

    from embedsearch.records import Document


def read(id: str, data: bytes) -> Document:
    """Read xlsx, xlsb, xls or ods: each row a line, with the names of its columns."""
    zipped.refuse_encrypted(data)
    metadata = _checked(data) if data.startswith(b"PK") else {}
    workbook = _workbook(data)
    blocks = Blocks()
    for name in workbook.sheet_names:
        _add(blocks, workbook, name)
    return blocks.document(id, metadata)


def _checked(data: bytes) -> dict[str, Any]:
    package = zipped.opened(data)
    package.check()
    return office.properties(package)


def _workbook(data: bytes) -> CalamineWorkbook:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as error:
        raise ReadError("is encrypted (a password is needed)") from error
    except CalamineError as error:
        raise ReadError("is damaged, or not a spreadsheet") from error


def _add(blocks: Blocks, workbook: CalamineWorkbook, name: str) -> None:
    from python_calamine import CalamineError

    try:
        cells = workbook.get_sheet_by_name(name).to_python()
    except CalamineError as error:
        raise ReadError(f"has a damaged sheet {name!r}") from error
    lines = [line for line in rows.lines([_cell(c) for c in row] for row in cells) if line]
    if lines:
        blocks.heading(name, level=1)
        blocks.add("\n".join(lines))


def _cell(value: object) -> str:
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
