"""The metadata block at the head of a Markdown file: YAML between ``---``, TOML between ``+++``."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time
from typing import Any

from embedsearch.readers.decoding import clean

MAX_CHARACTERS = 64 * 1024
"""A block that has not ended by then is none."""

MAX_VALUES = 10_000
"""More values than this come from YAML aliases that multiply, not from a person."""

MAX_BITS = 14_000
"""Longer numbers have more digits than Python writes."""

_BLOCK = re.compile(
    r"(?P<fence>---|\+\+\+)[ \t]*\r?\n(?P<body>.*?)^(?:(?P=fence)|\.\.\.)[ \t]*\r?$",
    re.DOTALL | re.MULTILINE,
)


def parse(text: str) -> dict[str, Any]:
    """Return the block's values as JSON knows them, none of them empty; ``{}`` if it has none.

    A block that does not parse, or that is no mapping, is part of the text and nothing else.
    """
    block = _BLOCK.match(text, 0, MAX_CHARACTERS)
    if block is None:
        return {}
    loaded = _toml(block["body"]) if block["fence"] == "+++" else _yaml(block["body"])
    if not isinstance(loaded, dict):
        return {}
    try:
        plain = _Plain().value(loaded)
    except (OverflowError, RecursionError):
        return {}
    return {key: value for key, value in plain.items() if value not in (None, "", [], {})}


def end(text: str) -> int:
    """Return the offset at which the block ends, 0 if there is none."""
    block = _BLOCK.match(text, 0, MAX_CHARACTERS)
    return block.end() if block is not None else 0


def _yaml(body: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(body)
    # A tag whose value can't be one (``!!bool foo``) fails as its conversion happens to.
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None


def _toml(body: str) -> Any:
    try:
        return tomllib.loads(body.replace("\r\n", "\n"))
    except (ValueError, RecursionError):
        return None


class _Plain:
    """Turns what YAML and TOML know into what JSON knows, counting as it goes."""

    def __init__(self) -> None:
        self.left = MAX_VALUES

    def value(self, value: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise OverflowError
        match value:
            case dict():
                return {str(self.value(key)): self.value(item) for key, item in value.items()}
            case list() | tuple() | set():
                return [self.value(item) for item in value]
            case datetime() | date() | time():
                return value.isoformat()
            case int() if value.bit_length() > MAX_BITS:
                raise OverflowError
            case bool() | int() | None:
                return value
            case float():
                return value if abs(value) < float("inf") else str(value)
            case _:
                return clean(str(value)).strip()
