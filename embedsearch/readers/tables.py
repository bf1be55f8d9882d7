"""CSV and its kin: one record a line."""

from __future__ import annotations

import csv
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from embedsearch.readers import rows, tab_separated
from embedsearch.readers.decoding import decode
from embedsearch.records import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

_DELIMITERS = ",;\t|"
_BY_SUFFIX = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
_SAMPLE_LINES = 20
_LINE_END = re.compile(r"\r\n|\r|\n")


def read(id: str, data: bytes) -> Document:
    """Read delimited text: line N is record N, the names of the columns before their values.

    Text that does not parse (a field above csv's own limit of 128 kB, which a quote that never
    ends makes; between tabs above ``tab_separated``'s) stays as it is.
    """
    text = decode(data)
    delimiter = _BY_SUFFIX.get(PurePosixPath(id).suffix.lower()) or _delimiter(text)
    try:
        return Document(id=id, text="\n".join(rows.lines(_records(text, delimiter))))
    except csv.Error:
        return Document(id=id, text=text)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    lines = _with_ends(text)
    if delimiter == "\t":
        return (cells for _, cells in tab_separated.rows(lines))
    return csv.reader(lines, delimiter=delimiter)


def _with_ends(text: str) -> Iterator[str]:
    """Split at line ends only, and not at the form feeds and the like that splitlines splits at."""
    start = 0
    for found in _LINE_END.finditer(text):
        yield text[start : found.end()]
        start = found.end()
    if start < len(text):
        yield text[start:]


def _delimiter(text: str) -> str:
    """Take the delimiter that most of the first lines hold equally often."""
    lines = [line for line in text[: 64 * 1024].splitlines()[:_SAMPLE_LINES] if line.strip()]

    def score(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in lines]
        usual = max(set(counts), key=counts.count, default=0)
        return (counts.count(usual) if usual else 0, usual)

    return max(_DELIMITERS, key=score)
