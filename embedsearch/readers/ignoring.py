"""Which names a ``.gitignore`` leaves out, decided entry by entry as git does."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_GLOB = re.compile(r"[*?\[\\]")
_NEVER = re.compile(r"(?!)")
_CLASS = re.compile(r"\[:([a-z]+):\]")
_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \t",
    "digit": "0-9",
    "lower": "a-z",
    "space": " \t\n\r\f\v",
    "upper": "A-Z",
    "xdigit": "a-fA-F0-9",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an ignore file.

    A ``floating`` rule has no slash but the last, and is held against the name alone; the others
    are held against the path under the ignore file's folder.
    """

    regex: re.Pattern[str]
    ignores: bool
    floating: bool
    folders_only: bool

    def matches(self, path: str, name: str, *, folder: bool) -> bool:
        """Say whether the rule is about this very entry, not about a folder above it."""
        if self.folders_only and not folder:
            return False
        found = self.regex.search(name if self.floating else path)
        return found is not None and not found.groupdict().get("ps_d")


@dataclass(frozen=True, slots=True)
class Sieve:
    """Lets through the names that some rule may be about, and stops nearly all others cheaply."""

    names: frozenset[str]
    endings: tuple[str, ...]
    rest: re.Pattern[str]

    def catches(self, name: str) -> bool:
        """Return False only if no rule can ignore an entry of this name."""
        return (
            name in self.names or name.endswith(self.endings) or self.rest.search(name) is not None
        )


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The rules of one folder, last line first because the last match wins."""

    rules: tuple[Rule, ...]
    sieve: Sieve

    def verdict(self, path: str, name: str, *, folder: bool) -> bool | None:
        """Return True for ignored, False for kept by a ``!`` rule, None for not mentioned."""
        for rule in self.rules:
            if rule.matches(path, name, folder=folder):
                return rule.ignores
        return None


def parse(lines: Iterable[str]) -> IgnoreFile:
    """Compile an ignore file; a line that git could not use either is passed over."""
    rules = []
    ends = []
    for line in lines:
        # Whether it is for folders alone is kept apart, as pathspec means what is in them too.
        body = line if line.endswith("\\ ") else line.rstrip()
        inner = body.rstrip("/")
        pattern = _compile(inner)
        if pattern is None or pattern.regex is None:
            continue
        glob = inner.removeprefix("!")
        rules.append(
            Rule(
                regex=pattern.regex,
                ignores=bool(pattern.include),
                floating="/" not in glob,
                folders_only=body != inner,
            )
        )
        if pattern.include:
            ends.append(glob.rsplit("/", 1)[-1])
    return IgnoreFile(rules=tuple(reversed(rules)), sieve=_sieve(ends))


def _compile(line: str) -> GitIgnoreSpecPattern | None:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    named = _CLASS.sub(lambda found: _CLASSES.get(found[1], found[0]), line)
    with warnings.catch_warnings():
        # A bracket within brackets is one of the characters, to git and to re as it is today.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return GitIgnoreSpecPattern(named)
        except (ValueError, re.error):
            return None


def _sieve(ends: list[str]) -> Sieve:
    """Sort the last parts of all ignoring rules into plain names, ``*.ext`` and the rest."""
    names = {end for end in ends if not _GLOB.search(end)}
    endings = {end[1:] for end in ends if end[:1] == "*" and not _GLOB.search(end[1:])}
    rest = [end for end in ends if end not in names and end[1:] not in endings]
    return Sieve(frozenset(names), tuple(endings - {""}), _any(rest, everything="" in endings))


def _any(globs: list[str], *, everything: bool) -> re.Pattern[str]:
    if everything or "**" in globs:
        return re.compile("")
    patterns = [_compile(glob) for glob in globs]
    regexes = [p.regex.pattern for p in patterns if p is not None and p.regex is not None]
    if not regexes:
        return _NEVER
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        # Each pattern brings a group of the same name, which one regex cannot hold twice.
        return re.compile("|".join(regexes).replace("(?P<ps_d>", "(?:"))
