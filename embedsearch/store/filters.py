"""Conditions on documents: what ``where`` and ``glob`` say, as SQL over ``documents d``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

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

_SPELLED = {"=": "eq", "==": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}

_CONDITION = re.compile(r"\s*([^=!<>]+?)\s*(==|!=|>=|<=|=|>|<)\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Filter:
    """An SQL condition over ``documents d`` with the values to bind."""

    sql: str = "1"
    values: tuple[Scalar, ...] = ()

    def __bool__(self) -> bool:
        return self.sql != "1"

    def __and__(self, other: Filter) -> Filter:
        return _joined("and", [self, other])


def where(condition: Where) -> Filter:
    """Return the filter that a condition on metadata stands for.

    ``{"lang": "en", "year": {"gte": 2020}}``: every key must match; a list of values means any
    of them. ``{"type": "gte", "key": "year", "value": 2020}`` and ``{"type": "and" | "or",
    "filters": [...]}`` are OpenAI's comparison and compound filters. ``"year>=2020"``, or several
    of these, is what the command line takes. A document whose metadata holds a list matches when
    any of its items does; ``ne`` and ``nin`` are the opposites of ``eq`` and ``in``, so they match
    where the key is missing.

    Raises:
        ValueError: the condition can't be understood.

    """
    if condition is None:
        return Filter()
    if isinstance(condition, str):
        return _spelled(condition)
    if isinstance(condition, Mapping):
        return _mapping(condition)
    return _joined("and", [where(part) for part in condition])


def _mapping(condition: Mapping[str, Any]) -> Filter:
    kind = condition.get("type")
    if kind in {"and", "or"} and "filters" in condition:
        return _joined(str(kind), [where(part) for part in condition["filters"]])
    if kind in _OPERATORS and {"key", "value"} <= condition.keys():
        return _compare(condition["key"], str(kind), condition["value"])
    return _joined("and", [_entry(key, value) for key, value in condition.items()])


def _entry(key: str, value: Any) -> Filter:
    if isinstance(value, Mapping):
        parts = [
            _compare(key, _SPELLED.get(name, name.removeprefix("$")), operand)
            for name, operand in value.items()
        ]
        return _joined("and", parts)
    return _compare(key, "in" if isinstance(value, (list, tuple, set)) else "eq", value)


def _spelled(text: str) -> Filter:
    match = _CONDITION.fullmatch(text)
    if not match:
        raise ValueError(f"expected KEY=VALUE, KEY>=VALUE or alike, got {text!r}")
    key, operator, value = match.groups()
    readings = {value, *_readings(value)}
    operation = _SPELLED[operator]
    if operation in {"eq", "ne"}:
        # 2020 on the command line may be the number or the text: match either.
        return _compare(key, {"eq": "in", "ne": "nin"}[operation], sorted(readings, key=str))
    numbers = [reading for reading in readings if isinstance(reading, (int, float))]
    return _compare(key, operation, numbers[0] if numbers else value)


def _readings(value: str) -> list[Scalar]:
    try:
        read = json.loads(value)
    except ValueError:
        return []
    return [read] if isinstance(read, (str, int, float, bool)) else []


def _compare(key: str, operation: str, value: Any) -> Filter:
    if operation not in _OPERATORS:
        raise ValueError(f"unknown comparison {operation!r}: choose from {sorted(_OPERATORS)}")
    if operation in {"in", "nin"}:
        matches = _items(key, f"i.value in ({', '.join('?' * len(value))})", tuple(value))
    elif value is None:
        matches = _items(key, "i.value is null", ())
    elif operation in {"eq", "ne"}:
        matches = _items(key, "i.value = ?", (value,))
    else:
        # SQLite orders every text above every number: compare like with like only.
        alike = "typeof(i.value) = 'text'" if isinstance(value, str) else "i.value < ''"
        matches = _items(key, f"{alike} and i.value {_OPERATORS[operation]} ?", (value,))
    if operation in {"ne", "nin"}:
        return Filter(f"not {matches.sql}", matches.values)
    return matches


def _items(key: Any, condition: str, values: tuple[Any, ...]) -> Filter:
    """Match when any item under a key meets the condition; a scalar is its own only item."""
    if not isinstance(key, str) or not key or '"' in key:
        raise ValueError(f"expected a metadata key without quotation marks, got {key!r}")
    for value in values:
        if not isinstance(value, (str, int, float, bool)):
            raise ValueError(f"expected text, a number or true/false for {key!r}, got {value!r}")  # noqa: TRY004 -- one error for a bad filter
    path = "$." + ".".join(f'"{part}"' for part in key.split("."))
    return Filter(
        f"exists (select 1 from json_each(d.metadata, ?) i where {condition})", (path, *values)
    )


def glob(patterns: Sequence[str]) -> Filter:
    """Return the filter for documents whose id matches any of the patterns, ``!`` ones excepted.

    ``*`` and ``?`` also cross ``/``, as in ``ripgrep --glob`` without one; a pattern without ``/``
    matches the name alone.
    """
    wanted = [_glob(p) for p in patterns if not p.startswith("!")]
    unwanted = [_glob(p[1:]) for p in patterns if p.startswith("!")]
    refused = [Filter(f"not {f.sql}", f.values) for f in unwanted]
    return _joined("and", [_joined("or", wanted), *refused])


def other_than(id: str, position: int | None = None) -> Filter:
    """Return the filter for chunks ``c`` of other documents, or other than the one at a place."""
    if position is None:
        return Filter("d.id != ?", (id,))
    return Filter("(d.id != ? or c.position != ?)", (id, position))


def of_source(number: int) -> Filter:
    """Return the filter for documents that were read from files of a source."""
    return Filter("d.source = ?", (number,))


def _glob(pattern: str) -> Filter:
    alternatives = _spellings(pattern)
    return Filter(f"({' or '.join(['d.id glob ?'] * len(alternatives))})", alternatives)


def _spellings(pattern: str) -> tuple[str, ...]:
    pattern = pattern.removeprefix("./").removeprefix("/").replace("**/", "*").replace("**", "*")
    return (pattern,) if "/" in pattern else (pattern, f"*/{pattern}")


def matches(path: str, patterns: Sequence[str]) -> bool:
    """Say whether ``glob(patterns)`` would match a document of this id."""
    wanted = [p for p in patterns if not p.startswith("!")]
    unwanted = [p[1:] for p in patterns if p.startswith("!")]
    return (not wanted or _any(path, wanted)) and not _any(path, unwanted)


def _any(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(path, glob) for p in patterns for glob in _spellings(p))


def _joined(word: str, parts: Sequence[Filter]) -> Filter:
    real = [part for part in parts if part]
    if not real or (word == "or" and len(real) < len(parts)):
        return Filter()
    if len(real) == 1:
        return real[0]
    values = tuple(value for part in real for value in part.values)
    return Filter(f"({f' {word} '.join(part.sql for part in real)})", values)
