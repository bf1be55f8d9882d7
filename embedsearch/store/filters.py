"""Conditions on documents: what ``where`` and ``glob`` say, as SQL over ``documents d``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from embedsearch.store import globs
from embedsearch.store.metadata import plain

Scalar: TypeAlias = str | int | float | bool | None
Where: TypeAlias = Mapping[str, Any] | Sequence[str] | str | None

_OPERATORS = {
    "eq": "=",
    "ne": "!=",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "in": "in",
    "nin": "not in",
}
"""OpenAI's comparison types (its vector-store file search), and SQL's words for them."""

_COMPOUNDS = {"and", "or"}
_COMPARISON = {"type", "key", "value"}
_COMPOUND = {"type", "filters"}
"""The keys of OpenAI's two kinds of filters."""

FACTS = {
    "@label": "select document, label as value from current_labels",
    "@predicted": "select document, label as value from predictions"
    " where version = (select max(version) from models)",
}
"""What is known of documents besides their metadata, by the keys that stand for it."""

_SPELLED = {"=": "eq", "==": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}

_NO_PATH = re.compile('["\0]')
"""What a path into JSON can't hold."""

_CONDITION = re.compile(r"\s*([^=!<>]+?)\s*([=!<>]+)\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Filter:
    """An SQL condition over ``documents d`` with the values to bind.

    ``keys`` are those of the metadata, and the likes of ``@label``, that it may need to be met.
    """

    sql: str = "1"
    values: tuple[Scalar, ...] = ()
    keys: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.sql != "1"

    def __and__(self, other: Filter) -> Filter:
        return _joined("and", [self, other])


ALL = Filter()
"""Every document."""


def where(condition: Where) -> Filter:
    """Return the filter that a condition on metadata stands for.

    ``{"lang": "en", "year": {"gte": 2020}}``: every key must match; a list of values means any
    of them. ``{"type": "gte", "key": "year", "value": 2020}`` and ``{"type": "and" | "or",
    "filters": [...]}`` are OpenAI's comparison and compound filters; an ``or`` of nothing matches
    nothing. ``"year>=2020"``, or several of these, is what the command line takes: as a number
    where the metadata holds a number, as text where it holds text. In a key a dot stands for
    itself or for an object inside another. A document whose metadata holds a list matches when any
    of its items does; ``ne`` and ``nin`` are the opposites of ``eq`` and ``in``: they match where
    the key is missing. A date or a time of Python stands for its text, one with a time zone in UTC
    (``2026-01-31T06:00:00Z``), as files' metadata has it. ``"@label"`` and ``"@predicted"`` are
    no metadata: the labels of a document, and what the newest classifier said of it.

    Raises:
        ValueError: the condition can't be understood.
        TypeError: it is none of these.

    """
    if condition is None:
        return Filter()
    if not isinstance(condition, Iterable):
        raise TypeError(
            "expected a condition as {'year': 2020} or 'year>=2020', or a list of these,"
            f" got {condition!r:.40}"
        )
    if isinstance(condition, str):
        return _spelled(condition)
    if isinstance(condition, Mapping):
        return _mapping(condition)
    return _joined("and", [where(part) for part in condition])


def _mapping(condition: Mapping[str, Any]) -> Filter:
    kind = condition.get("type")
    if not isinstance(kind, str) or not _is_openai(kind, condition):
        return _joined("and", [_entry(key, value) for key, value in condition.items()])
    if kind in _COMPOUNDS and condition.keys() == _COMPOUND and _is_list(condition["filters"]):
        return _joined(kind, [where(part) for part in condition["filters"]])
    if kind in _OPERATORS and condition.keys() == _COMPARISON:
        return _compare(condition["key"], kind, condition["value"])
    raise ValueError(
        f"expected {{'type': {'|'.join(_OPERATORS)}, 'key', 'value'}} or {{'type': and|or,"
        f" 'filters': [...]}}, got {dict(condition)!r:.80}: for a key of your own that is called"
        f" 'type' write {{'type': {{'eq': {kind!r}}}}}"
    )


def _is_openai(kind: str, condition: Mapping[str, Any]) -> bool:
    """Whether a condition with a ``type`` is meant as OpenAI's: documents may have one, too."""
    shaped = condition.keys() >= _COMPARISON or _is_list(condition.get("filters"))
    return shaped or kind in _OPERATORS or kind in _COMPOUNDS


def _entry(key: str, value: Any) -> Filter:
    if isinstance(key, str) and key.endswith(("=", "<", ">", "!")):
        raise ValueError(
            f"expected a metadata key, got {key!r}: write {{'n': {{'>=': 2}}}} or the text 'n>=2'"
        )
    if isinstance(value, Mapping):
        parts = [
            _compare(key, _SPELLED.get(name, name.removeprefix("$")), operand)
            for name, operand in value.items()
        ]
        return _joined("and", parts)
    return _compare(key, "in" if _is_list(value) else "eq", value)


def _spelled(text: str) -> Filter:
    match = _CONDITION.fullmatch(text)
    if not match:
        raise ValueError(f"expected KEY=VALUE, KEY>=VALUE or alike, got {text!r}")
    key, operator, value = match.groups()
    if operator not in _SPELLED:
        raise ValueError(
            f"unknown comparison {operator!r} in {text!r}: choose from {', '.join(_SPELLED)}; a"
            " value that begins with such a sign stands after a blank"
        )
    operation = _SPELLED[operator]
    # 2020 on the command line may be the number or the text: match either.
    readings = [value, *_readings(value)]
    if operation in {"eq", "ne"}:
        return _compare(key, {"eq": "in", "ne": "nin"}[operation], readings)
    return _joined("or", [_compare(key, operation, reading) for reading in readings])


def _readings(value: str) -> list[Scalar]:
    """Return what a text says in JSON, if that is a value that can be compared."""
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return []
    return [read] if _comparable(read) else []


def _comparable(value: Any) -> bool:
    if not isinstance(value, (int, float)):
        return isinstance(value, str)
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _compare(key: str, operation: str, value: Any) -> Filter:
    if operation not in _OPERATORS:
        raise ValueError(f"unknown comparison {operation!r}: choose from {sorted(_OPERATORS)}")
    value = plain(value)
    if operation in {"in", "nin"}:
        values = _listed(key, operation, value)
        matches = _items(key, "i.value in (select value from json_each(?))", json.dumps(values))
    elif operation in {"eq", "ne"}:
        matches = _items(key, "i.value is ?", None if value is None else _bound(key, value))
    else:
        # SQLite orders every text above every number: compare like with like only.
        alike = "typeof(i.value) = 'text'" if isinstance(value, str) else "i.value < ''"
        condition = f"{alike} and i.value {_OPERATORS[operation]} ?"
        matches = _items(key, condition, _bound(key, value))
    if operation in {"ne", "nin"}:
        return Filter(f"not {matches.sql}", matches.values)
    return matches


def _listed(key: str, operation: str, values: Any) -> list[Scalar]:
    if not _is_list(values):
        raise ValueError(f"expected a list for {operation!r} of {key!r}, got {values!r}")
    return [_bound(key, plain(value)) for value in values]


def _is_list(value: Any) -> bool:
    return isinstance(value, Collection) and not isinstance(value, (str, bytes, Mapping))


def _bound(key: str, value: Any) -> Scalar:
    """Return a value as SQLite has it: JSON's integers beyond 64 bits are floats there."""
    if not _comparable(value):
        expected = "text, a finite number, true/false or a date"
        raise ValueError(f"expected {expected} for {key!r}, got {value!r}")
    beyond = isinstance(value, int) and not -(2**63) <= value < 2**63
    scalar: Scalar = float(value) if beyond else value
    return scalar


def _items(key: Any, condition: str, value: Scalar) -> Filter:
    """Match when any item under a key meets the condition; a scalar is its own only item."""
    if key in FACTS:
        found = f"select i.document from ({FACTS[key]}) i where {condition}"
        return Filter(f"d.id in ({found})", (value,), frozenset({key}))
    if not isinstance(key, str) or not key or _NO_PATH.search(key):
        raise ValueError(f"expected a metadata key without quotation marks, got {key!r}")
    exists = f"exists (select 1 from json_each(d.metadata, ?) i where {condition})"
    return _joined("or", [Filter(exists, (path, value), frozenset({key})) for path in paths(key)])


def paths(key: str) -> list[str]:
    """Return where a key may be in the JSON of metadata: by itself, and inside of objects."""
    nested = ".".join(f'"{part}"' for part in key.split("."))
    return list(dict.fromkeys((f'$."{key}"', f"$.{nested}")))


def glob(patterns: Sequence[str]) -> Filter:
    """Return the filter for documents whose id the patterns match, as ``globs.matches`` does."""
    if not patterns:
        return Filter()
    return Filter("d.id regexp ?", (globs.expression(tuple(patterns)),))


def other_than(id: str, position: int | None = None) -> Filter:
    """Return the filter for chunks ``c`` of other documents, or other than the one at a place."""
    if position is None:
        return Filter("d.id != ?", (id,))
    return Filter("(d.id != ? or c.position != ?)", (id, position))


def named(ids: Sequence[str]) -> Filter:
    """Return the filter for the documents of these ids."""
    return Filter("d.id in (select value from json_each(?))", (json.dumps(list(ids)),))


def of_source(number: int) -> Filter:
    """Return the filter for documents that were read from files of a source."""
    return Filter("d.source = ?", (number,))


def _joined(word: str, parts: Sequence[Filter]) -> Filter:
    real = [part for part in parts if part]
    if word == "or":
        return _tree(word, real) if len(real) == len(parts) else Filter()
    return _tree(word, real) if real else Filter()


def _tree(word: str, parts: Sequence[Filter]) -> Filter:
    """Join filters in pairs of pairs: SQLite bounds how deep an expression is."""
    if len(parts) < 2:
        return parts[0] if parts else Filter("0")
    half = len(parts) // 2
    one, other = _tree(word, parts[:half]), _tree(word, parts[half:])
    sql = f"({one.sql} {word} {other.sql})"
    return Filter(sql, one.values + other.values, one.keys | other.keys)
