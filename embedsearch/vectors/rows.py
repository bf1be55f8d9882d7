"""Stored vectors as plain numpy: growing tables, codecs, exact scoring and ranking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BLOCK = 8_192
"""Rows decoded at once: 12 MB of float32 at 384 dimensions, which stays in a core's cache."""

ENCODED_AT_ONCE = 1_024
"""Rows encoded at once: 1.5 MB of float32 at 384 dimensions."""

LEVELS = 2**16 - 1
CODES = np.dtype("<u2")
"""What a component can be, and how it is stored."""

SORTED_WHOLE = 512
"""Scores up to which sorting all of them is faster than finding the best first."""


class Table:
    """An array that grows at its end, at amortised constant cost a row."""

    def __init__(self, rows: NDArray[Any]) -> None:
        self._buffer = rows
        self._length = len(rows)

    @property
    def rows(self) -> NDArray[Any]:
        """What was appended so far; a view, good until the next append."""
        return self._buffer[: self._length]

    def reserve(self, count: int) -> None:
        """Make room for ``count`` rows in all: until then none is copied again."""
        if count > len(self._buffer):
            buffer = np.empty((count, *self._buffer.shape[1:]), self._buffer.dtype)
            buffer[: self._length] = self.rows
            self._buffer = buffer

    def append(self, rows: NDArray[Any]) -> None:
        """Add ``rows`` at the end."""
        end = self._length + len(rows)
        if end > len(self._buffer):
            self.reserve(max(end, self._length + self._length // 2))
        self._buffer[self._length : end] = rows
        self._length = end


class FloatCodec:
    """Vectors as they are; scored as ``codes . weights + offset``, as all codes are."""

    def encode(self, vectors: NDArray[np.float32]) -> NDArray[Any]:
        """Return ``vectors``."""
        return vectors

    def decode(self, codes: NDArray[Any]) -> NDArray[np.float32]:
        """Return ``codes``, which are the vectors."""
        return codes

    def weigh(self, query: NDArray[np.float32]) -> tuple[NDArray[np.float32], np.float32]:
        """Return ``query`` and 0."""
        return query, np.float32(0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what the codec is made of, for a file: nothing."""
        return {}


@dataclass(frozen=True, slots=True, eq=False)
class ShortCodec:
    """Two bytes a component, spread evenly over the range that component takes in a sample.

    With one byte, as FAISS's SQ8 has it, 2 % of the 10 nearest are lost where rows lie close
    together, however many candidates are taken.

    The vectors it decodes lie within half a ``step`` of the originals; components beyond the
    sample's range are clipped to it.
    """

    low: NDArray[np.float32]
    step: NDArray[np.float32]

    @classmethod
    def fit(cls, sample: NDArray[np.float32]) -> ShortCodec:
        """Return the codec for vectors like those of ``sample``, (n, d)."""
        low, high = sample.min(axis=0), sample.max(axis=0)
        step = (high - low) / np.float32(LEVELS)
        return cls(low, np.where(step > 0, step, np.float32(1)))

    def encode(self, vectors: NDArray[np.float32]) -> NDArray[Any]:
        """Return the nearest codes."""
        codes = vectors - self.low
        codes /= self.step
        np.rint(codes, out=codes)
        np.clip(codes, 0, LEVELS, out=codes)
        return codes.astype(CODES)

    def decode(self, codes: NDArray[Any]) -> NDArray[np.float32]:
        """Return the vectors that the codes stand for."""
        vectors = codes.astype(np.float32)
        vectors *= self.step
        vectors += self.low
        return vectors

    def weigh(self, query: NDArray[np.float32]) -> tuple[NDArray[np.float32], np.float32]:
        """Return the steps scaled by the query, and the query's product with the lows."""
        return query * self.step, np.float32(query @ self.low)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what the codec is made of, for a file."""
        return {"low": self.low, "step": self.step}


class Rows:
    """Encoded vectors by position, with exact inner products of what is stored.

    What it starts from stays where it is, in a mapped file say; what is added is in memory.
    """

    def __init__(self, codec: FloatCodec | ShortCodec, codes: NDArray[Any]) -> None:
        self.codec = codec
        self._first = codes
        self._added = Table(np.empty((0, codes.shape[1]), codes.dtype))

    def __len__(self) -> int:
        return len(self._first) + len(self._added.rows)

    @property
    def parts(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The codes, shape (n, d), in two parts: views, good until the next append."""
        return self._first, self._added.rows

    def reserve(self, count: int) -> None:
        """Make room for ``count`` rows in all."""
        self._added.reserve(count - len(self._first))

    def append(self, vectors: NDArray[np.float32]) -> None:
        """Encode ``vectors`` and add them at the end."""
        for start in range(0, len(vectors), ENCODED_AT_ONCE):
            self._added.append(self.codec.encode(vectors[start : start + ENCODED_AT_ONCE]))

    def vectors(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the decoded vectors at ``positions``."""
        return self.codec.decode(self._taken(positions))

    def scores(
        self, query: NDArray[np.float32], positions: NDArray[np.int64] | None
    ) -> NDArray[np.float32]:
        """Return the inner products of ``query`` with the rows at ``positions`` (None: all)."""
        if positions is not None and 2 * len(positions) > len(self):
            return self.scores(query, None)[positions]
        weights, offset = self.codec.weigh(query)
        if positions is not None and len(positions) <= BLOCK:
            return _products(self._taken(positions), weights) + offset
        count = len(self) if positions is None else len(positions)
        scores = np.empty(count, np.float32)
        for block, codes in self._blocks(positions):
            scores[block] = _products(codes, weights)
        scores += offset
        return scores

    def kept(self, mask: NDArray[np.bool_]) -> Rows:
        """Return the rows where ``mask`` is set."""
        first, added = self.parts
        rows = Rows(self.codec, first[mask[: len(first)]])
        rows._added = Table(added[mask[len(first) :]])
        return rows

    def decoded(self) -> Iterator[NDArray[np.float32]]:
        """Yield all vectors in order, some thousands at a time."""
        return (self.codec.decode(codes) for _, codes in self._blocks(None))

    def _blocks(self, positions: NDArray[np.int64] | None) -> Iterator[tuple[slice, NDArray[Any]]]:
        if positions is not None:
            for start in range(0, len(positions), BLOCK):
                chosen = positions[start : start + BLOCK]
                yield slice(start, start + len(chosen)), self._taken(chosen)
            return
        end = 0
        for part in self.parts:
            for start in range(0, len(part), BLOCK):
                codes = part[start : start + BLOCK]
                end += len(codes)
                yield slice(end - len(codes), end), codes

    def _taken(self, positions: NDArray[np.int64]) -> NDArray[Any]:
        """Return the codes at ``positions``, all of which are rows'."""
        first, added = self.parts
        if not len(added):
            return _unchecked(first, positions)
        if not len(first):
            return _unchecked(added, positions)
        codes = _unchecked(first, positions)
        later = np.flatnonzero(positions >= len(first))
        codes[later] = added[positions[later] - len(first)]
        return codes


def _unchecked(codes: NDArray[Any], positions: NDArray[np.int64]) -> NDArray[Any]:
    """Return the codes at ``positions``; the last one's for those beyond it."""
    # A check would take numpy half as long again.
    return codes.take(positions, axis=0, mode="clip")


def _products(codes: NDArray[Any], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    # Not matmul: BLAS threads even one query, and waits for a busy neighbour (30 times as long).
    products: NDArray[np.float32] = np.vecdot(codes.astype(np.float32, copy=False), weights)
    return products


def best(scores: NDArray[np.float32], labels: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return where the ``k`` best scores are, best first; of equal scores the lower label first."""
    if k >= len(scores) or len(scores) <= SORTED_WHOLE:
        return np.lexsort((labels, -scores))[:k]
    threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
    kept = np.flatnonzero(scores >= threshold)
    return kept[np.lexsort((labels[kept], -scores[kept]))[:k]]
