"""Metadata: what it may hold, and how that is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch import moments

if TYPE_CHECKING:
    from embedsearch.records import Document

_FAULTS = (TypeError, ValueError, RecursionError)


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
    except _FAULTS as error:
        where = _faulty(document.metadata)
        raise ValueError(f"metadata{where} of {document.id!r} is no JSON: {error}") from error


def _encoded(metadata: Mapping[str, Any]) -> str:
    text = _JSON.encode(dict(metadata))
    text.encode()
    return text


def _faulty(metadata: Mapping[str, Any]) -> str:
    """Return the first key that can't be stored, or whose value can't."""
    for key in metadata if isinstance(metadata, Mapping) else ():
        try:
            _encoded({key: metadata[key]})
        except _FAULTS:
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


# A cycle ends in a RecursionError; to look for one takes a third of the time.
_JSON = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, default=_plain_or_refused
)
