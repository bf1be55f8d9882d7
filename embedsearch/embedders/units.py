"""Texts as arrays: where their words and signs lie, found for all of them at once."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Codes: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
    Offsets: TypeAlias = NDArray[np.int64]

BLOCK = 1 << 17
"""How many characters are looked at at once: the arrays stay within the processor's cache."""

BLANKS = " \t\n\r"
IDEOGRAPHS = range(0x4E00, 0xA000)

_LAST = 0xFFFF
"""Stands for every character beyond the first 65,535; is none itself."""

_OTHER, _BLANK, _WORD, _SIGN = range(4)


class Alphabet:
    """What the characters of a text are: blanks, parts of words, signs, or something else.

    ASCII letters and digits make words; ASCII punctuation, ideographs and the characters of
    ``signs`` are units of their own. ``lowercase`` takes A for a.
    """

    def __init__(self, signs: str, *, lowercase: bool) -> None:
        self._classes = np.full(_LAST + 1, _OTHER, np.uint8)
        for kind, characters in (
            (_BLANK, BLANKS),
            (_WORD, string.ascii_letters + string.digits),
            (_SIGN, string.punctuation + signs),
        ):
            self._classes[[ord(character) for character in characters]] = kind
        self._classes[IDEOGRAPHS.start : IDEOGRAPHS.stop] = _SIGN
        self._lowercase = lowercase

    def codes(self, text: str) -> Codes:
        """Return a code a character, the same for those that are not told apart."""
        if text.isascii():
            data = text.encode()
            return np.frombuffer(data.lower() if self._lowercase else data, np.uint8)
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        codes = np.minimum(points, _LAST).astype(np.uint16)
        if self._lowercase:
            codes[(ord("A") <= codes) & (codes <= ord("Z"))] += 32
        return codes

    def units(
        self, codes: Codes, *, longest: int
    ) -> tuple[Offsets, Offsets, list[tuple[int, int]]]:
        """Return where units start, where they stop, and the segments between blanks left out.

        Those are the ones with a character of no class or with a word longer than ``longest``.
        """
        classes = self._classes.take(codes)
        starts, stops = _spans(classes)
        classes[starts[stops - starts > longest]] = _OTHER
        odd = _segments_with(classes == _OTHER, classes == _BLANK)
        if odd:
            for start, stop in odd:
                classes[start:stop] = _BLANK
            starts, stops = _spans(classes)
        return starts, stops, odd


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield a text in blocks cut at blanks; longer ones hold no blank but at the end."""
    start = 0
    while start < len(text):
        end = start + BLOCK
        if end < len(text):
            end = 1 + max(text.rfind(blank, start, end) for blank in BLANKS)
            if not end:
                places = (text.find(blank, start + BLOCK) for blank in BLANKS)
                end = min((at for at in places if at >= 0), default=len(text))
        yield start, text[start:end]
        start = end


def _spans(classes: NDArray[np.uint8]) -> tuple[Offsets, Offsets]:
    word, sign = classes == _WORD, classes == _SIGN
    starts, stops = word.copy(), word.copy()
    starts[1:] &= ~word[:-1]
    stops[:-1] &= ~word[1:]
    return np.flatnonzero(starts | sign), np.flatnonzero(stops | sign) + 1


def _segments_with(marked: NDArray[np.bool_], blank: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return what lies between blanks and holds a marked character."""
    places = np.flatnonzero(marked)
    if not len(places):
        return []
    bounds = np.concatenate([[-1], np.flatnonzero(blank), [len(blank)]])
    after = np.unique(np.searchsorted(bounds, places))
    return list(zip((bounds[after - 1] + 1).tolist(), bounds[after].tolist(), strict=True))
