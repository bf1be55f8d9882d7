"""The rules of gitleaks (MIT): what keys and tokens look like.

``gitleaks.toml`` is ``config/gitleaks.toml`` of gitleaks 8.30.1 as it was published; put a newer
one in its place to know newer tokens.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import regex

LEFT_OUT = {
    # Any word beside "key" or "token" that looks random: most of what it finds is a name in code,
    # and it takes a hundred times as long as all others together.
    "generic-api-key",
    # They try every way to part the lines after "curl", which takes time quadratic in a line.
    "curl-auth-header",
    "curl-auth-user",
}

PREFIX = r"[\w.-]{0,50}?"
"""What stands before a keyword, so that a report can show it. It changes no finding, but without
it a pattern starts with its keyword, and is found forty times as fast."""

FLAGS = regex.VERSION1 | regex.ASCII
"""RE2's meaning, which the patterns are written for: flags hold to the end of their group, and
classes as ``\\w`` are ASCII."""


@dataclass(frozen=True)
class Allowed:
    """Findings that are no secrets, as placeholders: by pattern or by a word in the secret."""

    patterns: tuple[str, ...]
    words: tuple[str, ...]
    of_match: bool
    """Whether patterns are searched in the whole match, not in the secret alone."""

    def covers(self, found: regex.Match[str], secret: str) -> bool:
        """Say whether a finding is allowed."""
        target = found[0] if self.of_match else secret
        lowered = secret.lower()
        return any(word in lowered for word in self.words) or any(
            pattern.search(target) for pattern in self._compiled
        )

    @cached_property
    def _compiled(self) -> list[regex.Pattern[str]]:
        return [regex.compile(pattern, FLAGS) for pattern in self.patterns]


@dataclass(frozen=True)
class Rule:
    """What one kind of secret looks like; ``entropy`` is in bits a character."""

    kind: str
    expression: str
    keywords: tuple[str, ...]
    entropy: float
    group: int
    path: str | None
    allowed: tuple[Allowed, ...]

    @cached_property
    def pattern(self) -> regex.Pattern[str]:
        """The pattern, compiled when a text holds one of the keywords."""
        return regex.compile(self.expression.replace(PREFIX, ""), FLAGS)

    def reads(self, path: str) -> bool:
        """Say whether the rule is for a file of this name."""
        return self.path is None or regex.search(self.path, path, FLAGS) is not None


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules that are used."""
    text = Path(__file__).with_name("gitleaks.toml").read_text(encoding="utf-8")
    # RE2's name for the end of a text is known to the newest releases of regex alone.
    table = tomllib.loads(text.replace(r"\z", r"\Z"))
    everywhere = _allowed(table["allowlist"])
    return tuple(
        _rule(row, everywhere)
        for row in table["rules"]
        if "regex" in row and row["id"] not in LEFT_OUT
    )


def _rule(row: dict[str, Any], everywhere: Allowed) -> Rule:
    return Rule(
        kind=row["id"],
        expression=row["regex"],
        keywords=tuple(row["keywords"]),
        entropy=row.get("entropy", 0.0),
        group=row.get("secretGroup", 0),
        path=row.get("path"),
        allowed=(everywhere, *map(_allowed, row.get("allowlists", ()))),
    )


def _allowed(row: dict[str, Any]) -> Allowed:
    return Allowed(
        patterns=tuple(row.get("regexes", ())),
        words=tuple(row.get("stopwords", ())),
        of_match=row.get("regexTarget") == "match",
    )
