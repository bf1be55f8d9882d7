"""Hashes of slices of a text, all at once, and a hash table of arrays to look them up in."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.embedders.units import Codes, Offsets

    Hashes: TypeAlias = NDArray[np.uint64]

LONGEST = 1 << 17
"""How many characters are hashed at once: the arrays stay within the processor's cache."""

ABSENT = -1
"""The number of a hash that a table does not hold."""

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio (Knuth, TAOCP 6.4): spreads a hash over the top bits."""

_BASE = 0x5851F42D4C957F2D
"""An odd multiplier (Knuth's MMIX), so that it has an inverse modulo 2**64."""


class Slices:
    """Gives the hash of any slice of a text, at most ``LONGEST`` characters of it.

    Polynomial hashes of all slices come from one running sum, as Karp and Rabin (1987) have it.
    """

    def __init__(self, codes: Codes) -> None:
        up, self._down = _powers()
        self._sums = np.zeros(len(codes) + 1, np.uint64)
        np.cumsum(codes * up[: len(codes)], out=self._sums[1:])

    def hashes(self, starts: Offsets, stops: Offsets) -> Hashes:
        """Return a hash of each slice, never 0, which marks a free slot."""
        hashes: Hashes = self._sums[stops]
        hashes -= self._sums[starts]
        hashes *= self._down[starts]
        return np.maximum(hashes, np.uint64(1), out=hashes)


@cache
def _powers() -> tuple[Hashes, Hashes]:
    """Return the powers of the base and, spread, of its inverse, modulo 2**64."""
    up, down = (np.full(LONGEST + 1, base, np.uint64) for base in (_BASE, pow(_BASE, -1, 1 << 64)))
    up[0] = down[0] = 1
    return np.cumprod(up, dtype=np.uint64), np.cumprod(down, dtype=np.uint64) * _SPREAD


class HashTable:
    """Numbers distinct hashes in the order in which they come.

    Open addressing with linear probing; ``slots`` is a power of two, of which half are used.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._bits = np.uint64(64 - (slots.bit_length() - 1))
        self._keys = np.zeros(slots, np.uint64)
        self._numbers = np.full(slots, ABSENT, np.int64)
        self._held = 0

    def __len__(self) -> int:
        return self._held

    def has_room(self, count: int) -> bool:
        """Whether so many more fit."""
        return self._held + count <= self._slots // 2

    def find(self, hashes: Hashes) -> Offsets:
        """Return the number of each hash, ``ABSENT`` for others."""
        return self._numbers[self._places(hashes)]

    def add(self, hashes: Hashes) -> None:
        """Give numbers to distinct hashes, none of which is there."""
        numbers = np.arange(self._held, self._held + len(hashes))
        self._held += len(hashes)
        while len(hashes):
            slots = self._places(hashes)
            self._keys[slots] = hashes  # of those that fall on one free slot, the last has it
            placed = self._keys[slots] == hashes
            self._numbers[slots[placed]] = numbers[placed]
            hashes, numbers = hashes[~placed], numbers[~placed]

    def _places(self, hashes: Hashes) -> Offsets:
        """Return the place of each hash in the table, or the free one where it belongs."""
        slots = (hashes >> self._bits).astype(np.int64)
        astray = np.flatnonzero(self._astray(slots, hashes))
        while len(astray):
            slots[astray] = (slots[astray] + 1) % self._slots
            astray = astray[self._astray(slots[astray], hashes[astray])]
        return slots

    def _astray(self, slots: Offsets, hashes: Hashes) -> NDArray[np.bool_]:
        keys = self._keys[slots]
        astray: NDArray[np.bool_] = (keys != hashes) & (keys != 0)
        return astray
