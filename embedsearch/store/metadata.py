"""Metadata: what it may hold, how that is stored, and how it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch import moments
from embedsearch.store import json_columns
from embedsearch.store.json_columns import FAULTS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from embedsearch.errors import IndexDamaged
    from embedsearch.records import Document


def plain(value: Any) -> Any:
    """Return what JSON has for a scalar of numpy, a date or a time; all else as it is."""
    match value:
        case np.bool_():
            return bool(value)
        case np.integer():
            return int(value)
        case np.floating():
            return float(value)
        case date() if value.year == value.year:  # not so for pandas' NaT
            return moments.spelled(value)
        case _:
            return value


def encoded_metadata(document: Document) -> str:
    """Return a document's metadata as JSON.

    Raises:
        ValueError: it is no JSON that UTF-8 can hold.

    """
    if not document.metadata:
        return "{}"
    try:
        return _encoded(document.metadata)
    except FAULTS as error:
        where = _faulty(document.metadata)
        raise ValueError(f"metadata{where} of {document.id!r} is no JSON: {error}") from error


def _encoded(metadata: Mapping[str, Any]) -> str:
    if not isinstance(metadata, Mapping):
        raise TypeError(f"expected a dict, got {metadata!r:.60}")
    text = _JSON.encode(dict(metadata))
    text.encode()
    return text


def _faulty(metadata: Mapping[str, Any]) -> str:
    """Return the first key that can't be stored, or whose value can't."""
    for key in metadata if isinstance(metadata, Mapping) else ():
        try:
            _encoded({key: metadata[key]})
        except FAULTS:
            return f" {key!r}"
    return ""


def _plain_or_refused(value: object) -> Any:
    known = plain(value)
    if known is value:
        raise TypeError(
            "expected text, numbers, true/false, None, dates, or lists and dicts of these,"
            f" got {value!r:.60}"
        )
    return known


def decoded(path: Path | None, ids: Sequence[str], stored: Sequence[str]) -> list[dict[str, Any]]:
    """Return the metadata of documents out of what is stored.

    Raises:
        IndexDamaged: it can't be read of one of them.

    """
    try:
        # One call for all: json.loads spends most of its time on getting started.
        found: list[dict[str, Any]] = json.loads(f"[{','.join(stored)}]")
    except FAULTS:
        found = []
    if len(found) != len(ids) or not all(map(_is_object, found)):
        for id in json_columns.damaged(zip(ids, stored, strict=True), _is_object):
            raise unreadable(path, id)
    return found


def _is_object(found: Any) -> bool:
    return isinstance(found, dict)


def unreadable(path: Path | None, id: str) -> IndexDamaged:
    """Return the error that the metadata of a document can't be read."""
    return json_columns.unreadable(path, f"the metadata of {id!r}")


def damaged(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the ids of documents whose metadata can't be read."""
    rows = connection.execute("select id, cast(metadata as blob) from documents order by number")
    return json_columns.damaged(rows, _is_object)


# A cycle ends in a RecursionError; to look for one takes a third of the time.
_JSON = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, default=_plain_or_refused
)
