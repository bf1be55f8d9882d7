"""The scan of a text for secrets: keywords first, patterns where one is found."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from math import log2
from operator import itemgetter
from typing import TYPE_CHECKING

from embedsearch.privacy.rules import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    import regex

    from embedsearch.privacy.rules import Rule


@dataclass(frozen=True, slots=True, order=True)
class Secret:
    """Where a text holds a secret, and of what kind; the secret itself is not kept."""

    line: int
    kind: str


def scan(text: str, *, path: str = "") -> list[Secret]:
    """Return the secrets in a text in the order of its lines, which count from 1.

    ``path`` says what file the text is from, for the rules that are for some files only.
    """
    found = {
        Secret(text.count("\n", 0, start) + 1, rule.kind)
        for rule in _candidates(text.lower())
        if rule.reads(path)
        for start in _places(rule, text)
    }
    return sorted(found)


def _candidates(lowered: str) -> list[Rule]:
    """Return the rules that a text holds a keyword of."""
    pattern, rules_of = _hints()
    hinted = {rule.kind: rule for hint in set(pattern.findall(lowered)) for rule in rules_of[hint]}
    return [rule for rule in hinted.values() if any(word in lowered for word in rule.keywords)]


@cache
def _hints() -> tuple[re.Pattern[str], dict[str, list[Rule]]]:
    """Return a pattern that finds what all keywords have in them, and the rules of each hint.

    One look at each place, by the first character first, takes half the time of a search for
    each keyword.
    """
    words = {word for rule in rules() for word in rule.keywords}
    hints = sorted(w for w in words if not any(o in w for o in words - {w}))
    parts = [
        f"{re.escape(first)}(?:{'|'.join(re.escape(hint[1:]) for hint in group)})"
        for first, group in groupby(hints, key=itemgetter(0))
    ]
    rules_of = {h: [rule for rule in rules() if any(h in w for w in rule.keywords)] for h in hints}
    return re.compile(f"(?=({'|'.join(parts)}))"), rules_of


def _places(rule: Rule, text: str) -> Iterator[int]:
    for found in rule.pattern.finditer(text):
        group = rule.group or _first_group(found)
        secret = found[group]
        if _entropy(secret) <= rule.entropy and rule.entropy:
            continue
        if not any(allowed.covers(found, secret) for allowed in rule.allowed):
            yield found.start(group)


def _first_group(found: regex.Match[str]) -> int:
    """Return the number of the first group that holds anything, else that of the whole match."""
    return next((number for number, text in enumerate(found.groups(), 1) if text), 0)


def _entropy(text: str) -> float:
    """Return Shannon's entropy, in bits a character."""
    counts = Counter(text).values()
    return sum(count / len(text) * log2(len(text) / count) for count in counts)
