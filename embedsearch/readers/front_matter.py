"""The metadata block at the head of a Markdown file: YAML between ``---``, TOML between ``+++``."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time
from textwrap import shorten
from typing import Any

from embedsearch.moments import spelled
from embedsearch.readers.decoding import clean

MAX_CHARACTERS = 64 * 1024
"""A block that has not ended by then is none."""

MAX_VALUES = 10_000
"""More values than this come from YAML aliases that multiply, not from a person."""

MAX_BITS = 14_000
"""Longer numbers have more digits than Python writes."""

MAX_WHY = 120
"""Characters told of what is wrong with a block: it may quote what it stumbled on."""

_KEY = re.compile(r"(?:[ \t]*(?:#.*)?\r?\n)*[\"']?[^\W\d][\w .-]*[\"']?:(?!//)")
"""How a block of YAML begins; what does not may be prose between two rules."""

_BLOCK = re.compile(
    r"(?P<fence>---|\+\+\+)[ \t]*\r?\n(?P<body>.*?)^(?:(?P=fence)|\.\.\.)[ \t]*\r?$",
    re.DOTALL | re.MULTILINE,
)


class Malformed(Exception):
    """A block that is meant to hold metadata and can't be understood; the message says why."""


def parse(text: str) -> dict[str, Any]:
    """Return the block's values as JSON knows them, none of them empty; ``{}`` if it has none.

    A block that does not begin as metadata does is part of the text and nothing else.

    Raises:
        Malformed: it does, but it does not parse, or is no mapping.

    """
    block = _BLOCK.match(text, 0, MAX_CHARACTERS)
    if block is None:
        return {}
    toml, body = block["fence"] == "+++", block["body"]
    try:
        # So that its lines have the numbers they have in the file.
        loaded = _toml(f"\n{body}") if toml else _yaml(f"\n{body}")
        if not isinstance(loaded, dict):
            raise Malformed("names no values")  # noqa: TRY301 -- prose is told apart below
        plain = _Plain().value(loaded)
    except Malformed:
        if toml or _KEY.match(body):
            raise
        return {}
    except (OverflowError, RecursionError) as error:
        raise Malformed("holds more than can be read") from error
    return {key: value for key, value in plain.items() if value not in (None, "", [], {})}


def end(text: str) -> int:
    """Return the offset at which the block ends, 0 if there is none."""
    block = _BLOCK.match(text, 0, MAX_CHARACTERS)
    return block.end() if block is not None else 0


def _yaml(body: str) -> Any:
    import yaml

    from embedsearch.readers import core_schema

    try:
        return core_schema.load(body)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}: " if mark else ""
        if error.problem == "found unhashable key":
            raise Malformed(f"has a key that is no text ({where}a list or a mapping)") from error
        raise Malformed(f"is no YAML ({where}{_short(error.problem or error)})") from error
    # A tag whose value can't be one (``!!bool foo``) fails as its conversion happens to.
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise Malformed(f"is no YAML ({_short(error)})") from error


def _toml(body: str) -> Any:
    try:
        return tomllib.loads(body.replace("\r\n", "\n"))
    except ValueError as error:
        raise Malformed(f"is no TOML ({_short(error)})") from error


def _short(error: object) -> str:
    return shorten(str(error), MAX_WHY)


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
                return spelled(value)
            case int() if value.bit_length() > MAX_BITS:
                raise OverflowError
            case bool() | int() | None:
                return value
            case float():
                return value if abs(value) < float("inf") else str(value)
            case _:
                return clean(str(value)).strip()
