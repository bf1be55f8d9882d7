"""Where the tokens of a long text end, found for all of its words at once.

Words are hashed as arrays and looked up in a hash table of arrays, so that a text costs a few
passes of numpy instead of a step of the interpreter a word.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from embedsearch.embedders.hashing import ABSENT, HashTable, Slices
from embedsearch.embedders.pieces import PieceTable
from embedsearch.embedders.units import BLOCK, Alphabet, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from embedsearch.embedders.pieces import Pieces
    from embedsearch.embedders.units import Offsets

    Rare: TypeAlias = Callable[[list[str]], Sequence[Sequence[int]]]

LONGEST = 100
"""How long a word may be to be looked up."""

SLOTS = 1 << 19
"""Places of the hash table, a power of two; it is emptied when half of them are taken."""


class WordTable:
    """Remembers where the pieces of ASCII words end.

    ``rare`` says so for pieces of text between two blanks that are no printable ASCII, hold a
    word longer than ``LONGEST``, or are longer than a block.
    """

    def __init__(self, pieces: Pieces, rare: Rare) -> None:
        self._pieces = PieceTable(pieces, longest=LONGEST)
        self._alphabet = Alphabet(pieces.signs, lowercase=pieces.lowercase)
        self._rare = rare
        self._turn = Lock()
        self._empty()

    def _empty(self) -> None:
        self._words = HashTable(SLOTS)
        # Word n has counts[n] pieces; where all but the last end stands from firsts[n] on.
        self._counts = np.zeros(SLOTS // 2, np.int64)
        self._firsts = np.zeros(SLOTS // 2, np.int64)
        self._inner = np.empty(SLOTS, np.int64)
        self._used = 0

    def ends(self, text: str) -> Offsets:
        """Return, ascending, the offsets in ``text`` at which tokens end."""
        with self._turn:
            found = [start + self._block(block) for start, block in blocks(text)]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def _block(self, block: str) -> Offsets:
        if len(block) > BLOCK:
            return np.array(self._rare([block])[0], np.int64)
        codes = self._alphabet.codes(block)
        starts, stops, odd = self._alphabet.units(codes, longest=LONGEST)
        ends = self._ends(Slices(codes), starts, stops)
        if not odd:
            return ends
        found = zip(odd, self._rare([block[start:stop] for start, stop in odd]), strict=True)
        others = [start + end for (start, _), inner in found for end in inner]
        return np.sort(np.concatenate([ends, np.array(others, np.int64)]), kind="stable")

    def _ends(self, text: Slices, starts: Offsets, stops: Offsets) -> Offsets:
        """Return where the pieces of words end, given where the words do."""
        words = self._numbers(text, starts, stops)
        counts = self._counts[words]
        ends = np.repeat(stops, counts)
        several = np.flatnonzero(counts > 1)
        inner = counts[several] - 1
        before = np.cumsum(inner) - inner
        step = np.arange(int(inner.sum()))
        places = step + np.repeat(np.cumsum(counts)[several] - counts[several] - before, inner)
        found = step + np.repeat(self._firsts[words[several]] - before, inner)
        ends[places] = self._inner[found] + np.repeat(starts[several], inner)
        return ends

    def _numbers(self, text: Slices, starts: Offsets, stops: Offsets) -> Offsets:
        """Return the number of each word, new ones included."""
        hashes = text.hashes(starts, stops)
        numbers = self._words.find(hashes)
        unseen = np.flatnonzero(numbers == ABSENT)
        if not len(unseen):
            return numbers
        new, first = np.unique(hashes[unseen], return_index=True)
        if not self._words.has_room(len(new)):
            self._empty()
            return self._numbers(text, starts, stops)
        known = len(self._words)
        self._words.add(new)
        self._learn(
            known, *self._pieces.inner_ends(text, starts[unseen[first]], stops[unseen[first]])
        )
        numbers[unseen] = self._words.find(hashes[unseen])
        return numbers

    def _learn(self, number: int, counts: Offsets, inner: Offsets) -> None:
        """Remember the pieces of words, from ``number`` on."""
        until = self._used + len(inner)
        if until > len(self._inner):
            self._inner = np.resize(self._inner, 2 * until)
        self._inner[self._used : until] = inner
        self._counts[number : number + len(counts)] = counts + 1
        self._firsts[number : number + len(counts)] = self._used + np.cumsum(counts) - counts
        self._used = until
