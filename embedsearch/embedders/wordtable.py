"""Where the tokens of a long text end, found for all of its words at once.

Words are hashed as arrays and looked up in a hash table of arrays, so that a text costs a few
passes of numpy instead of a step of the interpreter a word.
"""

from __future__ import annotations

import string
from functools import cache
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Offsets: TypeAlias = NDArray[np.int64]
    Hashes: TypeAlias = NDArray[np.uint64]
    Rare: TypeAlias = Callable[[list[str]], Sequence[Sequence[int]]]

LONGEST = 100
"""How long a word may be to be looked up."""

BLOCK = 1 << 17
"""How many characters are hashed at once: the arrays stay within the processor's cache."""

SLOTS = 1 << 19
"""Places of the hash table, a power of two; it is emptied when half of them are taken."""

_BITS = np.uint64(64 - (SLOTS.bit_length() - 1))
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio (Knuth, TAOCP 6.4): spreads a hash over the top bits."""

_BASE = 0x5851F42D4C957F2D
"""An odd multiplier (Knuth's MMIX), so that it has an inverse modulo 2**64."""

_BLANK, _WORD, _SIGN, _OTHER = range(4)


def _classes() -> NDArray[np.uint8]:
    classes = np.full(256, _OTHER, np.uint8)
    for kind, characters in (
        (_BLANK, " \t\n\r"),
        (_WORD, string.ascii_letters + string.digits),
        (_SIGN, string.punctuation),
    ):
        classes[[ord(character) for character in characters]] = kind
    return classes


_CLASSES = _classes()


class WordTable:
    """Remembers where the pieces of ASCII words end.

    ``encode`` gives, for words, the offsets in each at which its pieces end.
    """

    def __init__(self, encode: Callable[[Sequence[str]], Sequence[Sequence[int]]]) -> None:
        self._encode = encode
        self._turn = Lock()
        self._empty()

    def _empty(self) -> None:
        self._keys = np.zeros(SLOTS, np.uint64)
        self._words = np.zeros(SLOTS, np.int64)
        self._known = 0
        # Word n has its ends at firsts[n]..firsts[n + 1] of the others.
        self._firsts = np.zeros(SLOTS // 2 + 1, np.int64)
        self._inner = np.empty(SLOTS, np.int64)

    def ends(self, text: str, rare: Rare) -> Offsets:
        """Return, ascending, the offsets in ``text`` at which tokens end.

        ``rare`` says so for pieces of text between two blanks that are no printable ASCII, hold a
        word longer than ``LONGEST``, or are longer than a block.
        """
        with self._turn:
            found = [start + self._block(block, rare) for start, block in _blocks(text)]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def _block(self, block: str, rare: Rare) -> Offsets:
        if len(block) > BLOCK:
            return np.array(rare([block])[0], np.int64)
        codes = _codes(block)
        classes = _CLASSES[codes]
        starts, stops = _units(classes)
        classes[starts[stops - starts > LONGEST]] = _OTHER
        odd = _segments_with(classes == _OTHER, classes == _BLANK)
        if not odd:
            return self._look_up_ends(block, starts, stops, _hashes(codes, starts, stops))
        for start, stop in odd:
            classes[start:stop] = _BLANK
        starts, stops = _units(classes)
        ends = self._look_up_ends(block, starts, stops, _hashes(codes, starts, stops))
        found = zip(odd, rare([block[start:stop] for start, stop in odd]), strict=True)
        others = [start + end for (start, _), inner in found for end in inner]
        return np.sort(np.concatenate([ends, np.array(others, np.int64)]), kind="stable")

    def _look_up_ends(self, block: str, starts: Offsets, stops: Offsets, hashes: Hashes) -> Offsets:
        """Return where the pieces of words end, given where the words do."""
        words = self._look_up(block, starts, stops, hashes)
        counts = self._firsts[words + 1] - self._firsts[words]
        before = np.cumsum(counts) - counts
        pieces = np.arange(int(counts.sum())) + np.repeat(self._firsts[words] - before, counts)
        ends: Offsets = self._inner[pieces] + np.repeat(starts, counts)
        return ends

    def _look_up(
        self, block: str, starts: Offsets, stops: Offsets, hashes: Hashes
    ) -> NDArray[np.int64]:
        slots = self._slots(hashes)
        words = self._words[slots]
        unseen = np.flatnonzero(self._keys[slots] == 0)
        if not len(unseen):
            return words
        new, first, places = np.unique(hashes[unseen], return_index=True, return_inverse=True)
        if self._known + len(new) > SLOTS // 2:
            self._empty()
            return self._look_up(block, starts, stops, hashes)
        spans = zip(starts[unseen[first]].tolist(), stops[unseen[first]].tolist(), strict=True)
        words[unseen] = self._learn(new, [block[start:stop] for start, stop in spans])[places]
        return words

    def _slots(self, hashes: Hashes) -> NDArray[np.int64]:
        """Return the place of each hash in the table, or the free one where it belongs."""
        slots = (hashes >> _BITS).astype(np.int64)
        astray = np.flatnonzero(self._astray(slots, hashes))
        while len(astray):
            slots[astray] = (slots[astray] + 1) % SLOTS
            astray = astray[self._astray(slots[astray], hashes[astray])]
        return slots

    def _astray(self, slots: NDArray[np.int64], hashes: Hashes) -> NDArray[np.bool_]:
        keys = self._keys[slots]
        astray: NDArray[np.bool_] = (keys != hashes) & (keys != 0)
        return astray

    def _learn(self, hashes: Hashes, words: list[str]) -> Offsets:
        """Add words to the table and return their numbers."""
        pieces = self._encode(words)
        counts = np.fromiter(map(len, pieces), np.int64, len(pieces))
        numbers = np.arange(self._known, self._known + len(pieces))
        used = self._firsts[self._known]
        self._firsts[numbers + 1] = used + np.cumsum(counts)
        self._known += len(pieces)
        until = self._firsts[self._known]
        if until > len(self._inner):
            self._inner = np.resize(self._inner, 2 * until)
        self._inner[used:until] = list(chain.from_iterable(pieces))
        self._place(hashes, numbers)
        return numbers

    def _place(self, hashes: Hashes, numbers: Offsets) -> None:
        while len(hashes):
            slots = self._slots(hashes)
            self._keys[slots] = hashes  # of those that fall on one free slot, the last has it
            placed = self._keys[slots] == hashes
            self._words[slots[placed]] = numbers[placed]
            hashes, numbers = hashes[~placed], numbers[~placed]


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield a text in blocks cut at blanks; longer ones hold no blank but at the end."""
    start = 0
    while start < len(text):
        end = start + BLOCK
        if end < len(text):
            end = 1 + max(text.rfind(blank, start, end) for blank in " \t\n\r")
            if not end:
                blanks = (text.find(blank, start + BLOCK) for blank in " \t\n\r")
                end = min((at for at in blanks if at >= 0), default=len(text))
        yield start, text[start:end]
        start = end


def _codes(text: str) -> NDArray[np.uint8]:
    """Return a code a character: the ASCII one, 255 for others."""
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return np.minimum(points, 255).astype(np.uint8)


def _units(classes: NDArray[np.uint8]) -> tuple[Offsets, Offsets]:
    """Return where words and signs start and stop: a sign is a unit of its own."""
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


@cache
def _powers() -> tuple[Hashes, Hashes]:
    """Return the powers of the base and of its inverse, modulo 2**64."""
    up, down = (np.full(BLOCK + 1, base, np.uint64) for base in (_BASE, pow(_BASE, -1, 1 << 64)))
    up[0] = down[0] = 1
    return np.cumprod(up, dtype=np.uint64), np.cumprod(down, dtype=np.uint64)


def _hashes(codes: NDArray[np.uint8], starts: Offsets, stops: Offsets) -> Hashes:
    """Return a hash of each unit, never 0, which marks a free slot.

    Polynomial hashes of all words come from one running sum, as Karp and Rabin (1987) have it.
    """
    up, down = _powers()
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(codes * up[: len(codes)], out=sums[1:])
    hashes: Hashes = (sums[stops] - sums[starts]) * down[starts] * _SPREAD
    return np.maximum(hashes, np.uint64(1))
