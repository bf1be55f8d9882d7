"""Snippets: the few lines of a passage that matter most for a query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embedsearch.cli.terminal import CONTROLS

if TYPE_CHECKING:
    from collections.abc import Iterable

MARKS = ("\ufdd0", "\ufdd1")
"""Put around the words that matched: noncharacters, which Unicode keeps for a program's own use."""

LINES = 3
"""How many lines a snippet has."""

CHARACTERS = 300
"""How many characters of them are shown: three lines of a wide terminal."""

_SHOWN = str.maketrans({**CONTROLS, "\t": "    ", "\r": "", "\n": "\n", "\f": ""})


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its number, and the spans of the words in it that matched."""

    number: int
    text: str
    spans: tuple[tuple[int, int], ...] = ()
    chosen: bool = True
    """Whether it is one of the best, or stands around them."""

    @property
    def words(self) -> int:
        """How many distinct words matched."""
        return len({self.text[start:end].casefold() for start, end in self.spans})


def lines(marked: str, first: int) -> list[Line]:
    """Cut a text with ``MARKS`` into lines, the first of which has the number ``first``."""
    shown = marked.translate(_SHOWN).split("\n")
    return [_parse(line, number) for number, line in enumerate(shown, first)]


def exact(marked: str, first: int) -> Line:
    """Return the line of a text with ``MARKS`` that matters most, as it is, tabs and all."""
    passage = [_parse(line, number) for number, line in enumerate(marked.split("\n"), first)]
    return matching([line for line in passage if line.text] or passage)


def moved(line: Line, before: str) -> Line:
    """Return a line with what stands before it put in front."""
    spans = tuple((start + len(before), end + len(before)) for start, end in line.spans)
    return replace(line, text=before + line.text, spans=spans)


def _parse(marked: str, number: int) -> Line:
    text, spans = "", []
    for part in marked.split(MARKS[0]):
        word, mark, rest = part.partition(MARKS[1])
        if mark:
            spans.append((len(text), len(text) + len(word)))
        text += word + rest
    return Line(number, text.rstrip(), tuple(spans))


def matching(passage: Iterable[Line]) -> Line:
    """Return the line with most of the query's words, the first of several."""
    return max(passage, key=lambda line: (line.words, -line.number))


def best(passage: Iterable[Line]) -> list[Line]:
    """Return the lines with most of the query's words, else the first ones, in their order."""
    visible = [line for line in passage if line.text]
    if not visible:
        return []
    peak = matching(visible)
    order = sorted(
        visible,
        key=lambda line: (-line.words, line.number < peak.number, abs(line.number - peak.number)),
    )
    chosen, room = [], CHARACTERS
    for line in order[:LINES]:
        if room > 0:
            chosen.append(clipped(line, CHARACTERS))
            room -= len(line.text)
    return sorted(chosen, key=lambda line: line.number)


def clipped(line: Line, most: int) -> Line:
    """Cut a long line to about ``most`` characters around its first word that matched."""
    if len(line.text) <= most:
        return line
    first = line.spans[0][0] if line.spans else 0
    start = max(0, min(first - most // 3, len(line.text) - most))
    start = line.text.find(" ", start, first) + 1 or start if start else 0
    end = min(start + most, len(line.text))
    if end < len(line.text):
        end = max(line.text.rfind(" ", start + most // 2, end), start + most // 2)
    before, after = "… " if start else "", " …" if end < len(line.text) else ""
    moved = len(before) - start
    spans = [(a + moved, b + moved) for a, b in line.spans if start <= a and b <= end]
    return replace(line, text=f"{before}{line.text[start:end]}{after}", spans=tuple(spans))


def surrounded(chosen: list[Line], text: str, around: int) -> list[Line]:
    """Return lines with up to ``around`` lines of the text before and after each."""
    whole = lines(text.removesuffix("\n"), 1)
    wanted = {
        n
        for line in chosen
        for n in range(max(1, line.number - around), min(len(whole), line.number + around) + 1)
    }
    known = {line.number: line for line in chosen}
    return [
        known.get(n) or replace(clipped(whole[n - 1], CHARACTERS), chosen=False)
        for n in sorted(wanted)
    ]
