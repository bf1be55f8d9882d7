"""Which names a ``.gitignore`` leaves out, decided entry by entry as git does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_GLOB = re.compile(r"[*?\[\\]")
_NEVER = re.compile(r"(?!)")


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
        subject = (name if self.floating else path) + ("/" if self.folders_only else "")
        found = self.regex.search(subject)
        if found is None:
            return False
        end = found.groupdict().get("ps_d") and found.end("ps_d")
        return not end or (self.folders_only and end == len(subject))


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
        pattern = _compile(line)
        if pattern is None or pattern.regex is None:
            continue
        body = _body(line)
        inner = body.rstrip("/")
        rules.append(
            Rule(
                regex=pattern.regex,
                ignores=bool(pattern.include),
                floating="/" not in inner,
                folders_only=body.endswith("/"),
            )
        )
        if pattern.include:
            ends.append(inner.rsplit("/", 1)[-1])
    return IgnoreFile(rules=tuple(reversed(rules)), sieve=_sieve(ends))


def _body(line: str) -> str:
    stripped = line if line.endswith("\\ ") else line.rstrip()
    return stripped.removeprefix("!")


def _compile(line: str) -> GitIgnoreSpecPattern | None:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    try:
        return GitIgnoreSpecPattern(line)
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
    # Each pattern brings a group of the same name, which one regex cannot hold twice.
    return re.compile("|".join(regexes).replace("(?P<ps_d>", "(?:"))
