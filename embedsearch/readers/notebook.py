"""Jupyter notebooks: prose as Markdown, code in fences, text results after it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from embedsearch.errors import ReadError
from embedsearch.readers.blocks import filled
from embedsearch.readers.decoding import clean, decode
from embedsearch.records import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TICKS = re.compile(r"`{3,}")
_TITLE = re.compile(r"^#[ \t]+(.+)", re.MULTILINE)


def read(id: str, data: bytes) -> Document:
    """Read a notebook's cells in order; pictures and other rich results are left out."""
    try:
        notebook = json.loads(decode(data))
    except (ValueError, RecursionError) as error:
        raise ReadError("is not JSON, which a notebook has to be") from error
    cells = _cells(notebook)
    language = _language(notebook)
    text = "\n\n".join(block for cell in cells for block in _cell(cell, language) if block.strip())
    title = next((t for cell in cells if (t := _title(cell))), "")
    return Document(id=id, text=clean(text), metadata=filled({"title": title}), kind="markdown")


def _cells(notebook: Any) -> list[dict[str, Any]]:
    """Return the cells of format 4, or of the sheets of format 3."""
    if not isinstance(notebook, dict):
        raise ReadError("is JSON, but no notebook")
    sheets = notebook.get("worksheets")
    sources = sheets if isinstance(sheets, list) else [notebook]
    lists = [source.get("cells") for source in sources if isinstance(source, dict)]
    known = [list_ for list_ in lists if isinstance(list_, list)]
    if not known:
        raise ReadError("is JSON, but no notebook: it has no cells")
    return [cell for list_ in known for cell in list_ if isinstance(cell, dict)]


def _language(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata")
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        info = metadata.get(key) if isinstance(metadata, dict) else None
        language = info.get(name) if isinstance(info, dict) else None
        if isinstance(language, str) and language:
            return language
    return ""


def _cell(cell: dict[str, Any], language: str) -> Iterator[str]:
    source = _joined(cell.get("source", cell.get("input")))
    if cell.get("cell_type") != "code":
        yield source
        return
    yield _fenced(source, language)
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else []:
        if isinstance(output, dict):
            yield _fenced(_ANSI.sub("", _result(output)), "")


def _result(output: dict[str, Any]) -> str:
    """Return the text of a stream, a result or an error, whichever the output is."""
    if "traceback" in output:
        trace = output["traceback"]
        return "\n".join(map(str, trace)) if isinstance(trace, list) else str(trace)
    data = output.get("data")
    plain = data.get("text/plain") if isinstance(data, dict) else None
    return _joined(output.get("text", plain))


def _fenced(text: str, language: str) -> str:
    """Fence a block with more ticks than it holds itself."""
    if not text.strip():
        return ""
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    body = text.strip("\n")
    return f"{fence}{language}\n{body}\n{fence}"


def _joined(source: Any) -> str:
    """Join the lines that a notebook keeps as a list."""
    if isinstance(source, list):
        return "".join(map(str, source))
    return source if isinstance(source, str) else ""


def _title(cell: dict[str, Any]) -> str:
    if cell.get("cell_type") != "markdown":
        return ""
    found = _TITLE.search(_joined(cell.get("source")))
    return found[1].rstrip(" \t\r#") if found else ""
