"""Globs: one dialect, that of ``.gitignore``, as a regular expression for SQL and Python alike."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

_TOKEN = re.compile(r"(?s)\\(.)|(\*+)|\[([!^]?)(\]?[^]]+|\])\]|.")
"""An escaped character, stars, a class in brackets, or a character."""

_BRACES = re.compile(r"(?<!\\)\{[^{}]*,[^{}]*\}")
"""What shells expand, and gitignore does not."""

_RANGE = re.compile(r"(?s)(.)-(.)|.")


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Say whether a path, or a folder that it lies in, matches any pattern, and no ``!`` one.

    ``*``, ``?`` and ``[a-z]`` (``[!a-z]``, ``[^a-z]``: any but) stay within a folder, ``**`` stands
    for any number of them, a backslash takes a sign by itself. A pattern with a ``/`` before its
    end is matched from the top, one without at any depth. Without patterns every path matches, and
    with ``!`` ones alone all others. Letters are the same in each of Unicode's forms: a Mac's zip
    writes an ü as two characters.
    """
    return regexp(expression(patterns), path)


@lru_cache
def expression(patterns: tuple[str, ...]) -> str:
    """Return the regular expression of all that patterns match.

    Raises:
        ValueError: a pattern names nothing, or is none.

    """
    wanted = "|".join(_translated(p, p) for p in patterns if not p.startswith("!"))
    unwanted = "|".join(_translated(p[1:], p) for p in patterns if p.startswith("!"))
    return (rf"(?s)(?!(?:{unwanted})\Z)" if unwanted else "(?s)") + f"(?:{wanted or '.*'})"


def regexp(expression: str, path: str) -> bool:
    """Say whether the whole of a path matches; SQLite calls it for ``path regexp expression``."""
    return _compiled(expression).fullmatch(normalize("NFC", path)) is not None


@lru_cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def _translated(pattern: str, given: str) -> str:
    pattern = normalize("NFC", pattern)
    folders = pattern.removeprefix("./").strip("/").split("/")
    if not folders[-1]:
        raise ValueError(f"expected a pattern such as '*.md' or 'docs/', got {given!r}")
    if _BRACES.search(pattern):
        raise ValueError(
            f"{given!r} has braces: give a pattern for each, or write \\{{ for a brace"
        )
    anchored = "/" in pattern.rstrip("/")
    *above, last = folders if anchored else ["**", *folders]
    inside = "/.*" if pattern.endswith("/") else "(?:/.*)?"
    translated = f"/?{_above(above)}{'.+' if last == '**' else _name(last)}{inside}"
    try:
        re.compile(translated)
    except re.error as error:
        raise ValueError(f"{given!r} is no pattern: {error.msg}") from error
    if any(token[0] == "[" for folder in folders for token in _TOKEN.finditer(folder)):
        raise ValueError(f"{given!r} is no pattern: its [ is never closed, write \\[ for a bracket")
    return translated


def _above(folders: list[str]) -> str:
    """Translate the folders before the last name.

    What lies between two ``**`` is matched where it first occurs and never elsewhere, and so is
    what lies between two stars of a name: the time does not explode with their number.
    """
    first, *between = _parted(folders)
    if not between:
        return first
    *between, last = between
    return first + "".join(f"(?>(?:.+?/)??{part})" for part in between if part) + f"(?:.+/)?{last}"


def _parted(folders: list[str]) -> list[str]:
    """Translate the stretches of folders that ``**`` parts, each with a slash at its end."""
    parts = [""]
    for folder in folders:
        if folder == "**":
            parts.append("")
        else:
            parts[-1] += f"{_name(folder)}/"
    return parts


def _name(glob: str) -> str:
    """Translate what stands for a single name."""
    parts = [""]
    for token in _TOKEN.finditer(glob):
        escaped, stars, sign, members = token.groups()
        if stars:
            parts.append("")
        elif members:
            parts[-1] += f"(?!/)[{'^' * bool(sign)}{_RANGE.sub(_range, members)}]"
        else:
            parts[-1] += "[^/]" if token[0] == "?" else re.escape(escaped or token[0])
    if len(parts) == 1:
        return parts[0]
    first, *between, last = parts
    return first + "".join(f"(?>[^/]*?{part})" for part in between) + f"[^/]*{last}"


def _range(found: re.Match[str]) -> str:
    if found[1] is None:
        return re.escape(found[0])
    return f"{re.escape(found[1])}-{re.escape(found[2])}"
