"""JSON and JSON Lines: every value on a line of its own, led by the path to it."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from embedsearch.readers.decoding import clean, decode
from embedsearch.records import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINES = frozenset({".jsonl", ".ndjson"})


def read(id: str, data: bytes) -> Document:
    """Flatten JSON to ``path: value`` lines, JSON Lines to one ``path: value | ...`` a record.

    Text that is not JSON after all (comments, a trailing comma) is read as source code.
    """
    text = decode(data)
    if PurePosixPath(id).suffix.lower() in _LINES:
        return Document(id=id, text=clean("\n".join(map(_record, text.split("\n")))))
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Document(id=id, text=text, kind="code")
    return Document(id=id, text=clean(_blocks(value)) or text)


def _record(line: str) -> str:
    """Put one record on the line that it had; a line that is no record stays as it is."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    return " | ".join(_flat(value, ""))


def _blocks(value: Any) -> str:
    """Part the records of a list, and the branches of an object, by blank lines."""
    match value:
        case list():
            parts = ["\n".join(_flat(item, f"[{i}]")) for i, item in enumerate(value)]
        case dict():
            parts = ["\n".join(_flat(item, str(key))) for key, item in value.items()]
        case _:
            return _scalar(value)
    separators = ["\n\n" if "\n" in part else "\n" for part in parts]
    return "".join(p + s for p, s in zip(parts, separators, strict=True) if p).rstrip("\n")


def _flat(value: Any, path: str) -> Iterator[str]:
    """Yield ``path: value`` for every leaf, in order, without recursion."""
    todo = [(path, value)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, dict):
            dot = f"{path}." if path else ""
            todo.extend([(f"{dot}{k}", v) for k, v in value.items()][::-1])
        elif isinstance(value, list):
            todo.extend([(f"{path}[{i}]", v) for i, v in enumerate(value)][::-1])
        elif value not in ("", None):
            yield f"{path}: {_scalar(value)}" if path else _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(value.split()) if "\n" in value or "\r" in value else value
    return json.dumps(value)
