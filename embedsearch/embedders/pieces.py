"""WordPiece for plain words: the greedy longest match, without a library call a word."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from embedsearch.embedders.hashing import ABSENT, HashTable, Slices

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer as Encoder

    from embedsearch.embedders.units import Offsets

MARKS = [*range(0x80, 0x3100), *range(0xFE10, 0xFF66)]
"""Where Unicode keeps the punctuation of scripts in wide use."""

AT_ONCE = 1_000
"""How many pieces are hashed at once."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces that words of ASCII letters and digits are made of.

    Longest match first (Schuster and Nakajima, 2012; as BERT has it): three times as fast in
    Python as the library is from Python, which spends its time on what is not asked for here.
    """

    first: frozenset[str]
    inner: frozenset[str]
    longest: int
    signs: str
    lowercase: bool

    @classmethod
    def of(cls, encoder: Encoder) -> Self:
        """Take the pieces from a WordPiece tokenizer whose words may be of any case."""
        prefix: str = encoder.model.continuing_subword_prefix
        vocabulary = [p for p in encoder.get_vocab(with_added_tokens=False) if p.isascii()]
        inner = {piece.removeprefix(prefix) for piece in vocabulary if piece.startswith(prefix)}
        first = {piece for piece in vocabulary if not piece.startswith(prefix)}
        return cls(
            frozenset(first),
            frozenset(inner),
            longest=max(map(len, first | inner), default=1),
            signs=_signs(encoder),
            lowercase=encoder.normalizer.normalize_str("A") == "a",
        )

    def ends(self, word: str) -> tuple[int, ...]:
        """Return where in a word its pieces end; one that is not made of pieces is one whole."""
        text = word.lower() if self.lowercase else word
        length, start, pieces = len(text), 0, self.first
        found = []
        while start < length:
            end = min(length, start + self.longest)
            while text[start:end] not in pieces:
                end -= 1
                if end == start:
                    return (length,)
            found.append(end)
            start, pieces = end, self.inner
        return tuple(found)


def _signs(encoder: Encoder) -> str:
    """Return the punctuation beyond ASCII that is a token of its own, whatever stands beside it."""
    marks = [mark for mark in map(chr, MARKS) if unicodedata.category(mark)[0] == "P"]
    text = " ".join(f"a{mark}b" for mark in marks)
    tokens = set(encoder.encode(text, add_special_tokens=False).offsets)
    places = zip(marks, range(1, len(text), 4), strict=True)
    return "".join(mark for mark, n in places if {(n - 1, n), (n, n + 1), (n + 1, n + 2)} <= tokens)


class PieceTable:
    """The same for many words at once: the pieces are known by their hashes."""

    def __init__(self, pieces: Pieces, *, longest: int) -> None:
        self._first, self._inner = (
            _Hashed([piece for piece in kind if len(piece) <= longest])
            for kind in (pieces.first, pieces.inner)
        )

    def inner_ends(self, text: Slices, starts: Offsets, stops: Offsets) -> tuple[Offsets, Offsets]:
        """Return where the pieces of words end, but for the last, which ends where its word does.

        Gives how many there are of each word, and, word by word, their offsets in the word.
        """
        words = np.flatnonzero(~self._first.holds(text, starts, stops))
        at, pieces = starts[words], self._first
        unmade = np.zeros(len(starts), np.bool_)
        found = [(words[:0], at[:0])]
        while len(words):
            ends = pieces.longest_match(text, at, stops[words])
            unmade[words[ends == at]] = True
            going = (at < ends) & (ends < stops[words])
            words, at, pieces = words[going], ends[going], self._inner
            found.append((words, at))
        words, ends = (np.concatenate(column) for column in zip(*found, strict=True))
        made = ~unmade[words]
        words, ends = words[made], ends[made]
        order = np.argsort(words, kind="stable")
        return np.bincount(words, minlength=len(starts)), (ends - starts[words])[order]


class _Hashed:
    def __init__(self, pieces: list[str]) -> None:
        self._longest = max(map(len, pieces), default=1)
        self._table = HashTable(1 << (4 * len(pieces)).bit_length())
        for first in range(0, len(pieces), AT_ONCE):
            self._add(pieces[first : first + AT_ONCE])

    def _add(self, pieces: list[str]) -> None:
        stops = np.cumsum([len(piece) for piece in pieces])
        starts = np.concatenate([[0], stops[:-1]])
        codes = np.frombuffer("".join(pieces).encode(), np.uint8)
        self._table.add(Slices(codes).hashes(starts, stops))

    def holds(self, text: Slices, starts: Offsets, stops: Offsets) -> NDArray[np.bool_]:
        """Return whether each slice is a piece."""
        known: NDArray[np.bool_] = self._table.find(text.hashes(starts, stops)) != ABSENT
        return known

    def longest_match(self, text: Slices, starts: Offsets, stops: Offsets) -> Offsets:
        """Return where the longest piece from each place ends: there where none starts."""
        lengths = np.minimum(stops - starts, self._longest)
        until = np.cumsum(lengths)
        firsts = until - lengths
        begins = np.repeat(starts, lengths)
        ends = np.arange(1, len(begins) + 1) + np.repeat(starts - firsts, lengths)
        known = np.where(self.holds(text, begins, ends), ends, begins)
        longest: Offsets = np.maximum.reduceat(known, firsts)
        return longest
