"""Spreadsheets: a heading a sheet, a line a row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from embedsearch.errors import ReadError
from embedsearch.readers import cells, office, rows, zipped
from embedsearch.readers.blocks import Blocks

if TYPE_CHECKING:
    from embedsearch.records import Document


def read(id: str, data: bytes) -> Document:
    """Read xlsx, xlsb, xls or ods: each row a line, with the names of its columns."""
    zipped.refuse_encrypted(data)
    metadata = _checked(data) if data.startswith(b"PK") else {}
    blocks = Blocks()
    for name, grid in _sheets(data):
        lines = [line for line in rows.lines(grid) if line]
        if lines:
            blocks.heading(name, level=1)
            blocks.add("\n".join(lines))
    return blocks.document(id, metadata)


def _checked(data: bytes) -> dict[str, Any]:
    package = zipped.opened(data)
    package.check()
    return office.properties(package)


def _sheets(data: bytes) -> list[tuple[str, list[list[str]]]]:
    """Return the name and the rows of each sheet, read by a process that can't take ours along."""
    sheets: list[tuple[str, list[list[str]]]] = []
    for line in _printed(data).splitlines():
        item = json.loads(line)
        if isinstance(item, str):
            sheets.append((item, []))
        else:
            sheets[-1][1].append(item)
    return sheets


def _printed(data: bytes) -> bytes:
    run = subprocess.run(
        [sys.executable, "-P", cells.__file__],
        input=data,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RUST_BACKTRACE": "0"},
        check=False,
    )
    if run.returncode == cells.REFUSED:
        raise ReadError(run.stderr.decode(errors="replace").splitlines()[-1])
    if run.returncode:
        most = cells.MEMORY_BYTES >> 30
        raise ReadError(f"crashed its reader: it is damaged, or takes more than {most} GB to read")
    return run.stdout
