"""JSON and JSON Lines: every value led by the path to it, every record on a line."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from embedsearch.readers.decoding import clean, decode
from embedsearch.records import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

_JOIN = " | "
_RECORD_LENGTH = 2000
"""Characters of a record that still go on one line."""

_SHORT = 80
_SUFFIXES = frozenset({".json", ".geojson", ".webmanifest"})
_LINE_SUFFIXES = frozenset({".jsonl", ".ndjson"})


def read(id: str, data: bytes) -> Document:
    """Flatten JSON to ``path: value`` lines, and each record to one ``path: value | ...``.

    A record is an element of a list of objects, or a line of JSON Lines, which keeps its number.

    Text that is not JSON after all (comments, a trailing comma) is read as source code.
    """
    text = decode(data)
    suffix = PurePosixPath(id).suffix.lower()
    if suffix in _LINE_SUFFIXES:
        return Document(id=id, text=clean("\n".join(map(_record, text.split("\n")))))
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        # Prose may begin with a bracket too: then only its content made it look like JSON.
        return Document(id=id, text=text, kind="code" if suffix in _SUFFIXES else "text")
    return Document(id=id, text=clean("\n".join(_lines(value))) or text)


def _record(line: str) -> str:
    """Put one record on the line that it had; a line that is no record stays as it is."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    return _JOIN.join([f"{path}: {leaf}" if path else leaf for path, leaf in _leaves(value, "")])


def _lines(value: Any) -> Iterator[str]:
    """Yield the branches of the top one after the other, those of several lines set apart."""
    branches = value.items() if isinstance(value, dict) else [("", value)]
    for key, branch in branches:
        lines = list(_branch(branch, str(key)))
        yield from lines
        if len(lines) > 1:
            yield ""


def _branch(value: Any, path: str) -> Iterator[str]:
    """Yield the elements of a list of objects as a record each, all else leaf by leaf."""
    if not isinstance(value, list) or not any(isinstance(item, dict) for item in value):
        yield from (f"{place}: {leaf}" if place else leaf for place, leaf in _leaves(value, path))
        return
    for number, item in enumerate(value):
        leaves = [f"{place}: {leaf}" if place else leaf for place, leaf in _leaves(item, "")]
        line = _JOIN.join(leaves)
        place = f"{path}[{number}]"
        if len(line) <= _RECORD_LENGTH:
            yield f"{place} {line}" if path else line
        else:
            yield from (f"{place} {leaf}" for leaf in leaves)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every leaf, in order, without recursion.

    A list of nothing but numbers and short strings is one leaf.
    """
    todo = [(path, value)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, dict):
            dot = f"{path}." if path else ""
            todo.extend([(dot + key, item) for key, item in value.items()][::-1])
        elif isinstance(value, list):
            if all(map(_is_short, value)):
                yield path, ", ".join(map(_scalar, value))
            else:
                todo.extend([(f"{path}[{i}]", item) for i, item in enumerate(value)][::-1])
        elif value not in ("", None):
            yield path, _scalar(value)


def _is_short(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _SHORT
    return not isinstance(value, (dict, list))


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(value.split()) if "\n" in value or "\r" in value else value
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)
