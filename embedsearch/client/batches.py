"""A stream of texts cut into batches that a server takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from embedsearch.client.job import check_texts
from embedsearch.tokens.encodings import encoding
from embedsearch.tokens.models import known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from embedsearch.client.job import Count

MOST_TOKENS = 300_000
"""Tokens of all inputs of one request, by OpenAI's API reference."""

BYTES_PER_TOKEN = 4
"""Of English text; for models whose tokenizer is not known."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts for one request, where they stand in the stream, and the tokens of each."""

    positions: list[int]
    texts: list[str]
    tokens: list[int]

    def part(self, start: int, stop: int) -> Batch:
        """Return the texts from ``start`` to ``stop``."""
        of = slice(start, stop)
        return Batch(self.positions[of], self.texts[of], self.tokens[of])

    def only(self, indices: list[int]) -> Batch:
        """Return some of the texts."""
        columns = (self.positions, self.texts, self.tokens)
        return Batch(*([column[i] for i in indices] for column in columns))  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True)
class Ruler:
    """Weighs texts in a model's tokens; ``longest`` is what it reads of one, None if unknown."""

    count: Count | None
    longest: int | None

    def weigh(self, texts: Sequence[str], *, room: int) -> list[int]:
        """Return the tokens of each text, or as many or more where they fit into ``room``.

        A token has a byte at least, so that short texts need no tokenizer.
        """
        sizes = [len(text) if text.isascii() else len(text.encode()) for text in texts]
        if self.count is None:
            return [size // BYTES_PER_TOKEN + 1 for size in sizes]
        if sum(sizes) <= room and max(sizes, default=0) <= (self.longest or room):
            return sizes
        return list(self.count(texts))


def ruler(model: str, count: Count | None = None) -> Ruler:
    """Return the ruler of a model; a caller who knows the counts gives ``count``."""
    facts = known(model)
    if facts is None:
        return Ruler(count, None)
    return Ruler(count or encoding(facts.encoding).count, facts.context)


class Cutter:
    """Cuts a stream: reads no further than the next batch needs."""

    def __init__(self, texts: Iterable[str], ruler: Ruler) -> None:
        self._texts = enumerate(texts)
        self._ruler = ruler
        self._rest = Batch([], [], [])

    def next(self, most_inputs: int) -> Batch | None:
        """Return the next batch, None at the end of the stream."""
        rest = self._rest
        if len(rest) < most_inputs:
            read = list(islice(self._texts, most_inputs - len(rest)))
            rest = _joined(rest, self._weighed(read))
        size = _fitting(rest.tokens[:most_inputs])
        self._rest = rest.part(size, len(rest))
        return rest.part(0, size) if size else None

    def _weighed(self, read: list[tuple[int, str]]) -> Batch:
        check_texts(read)
        texts = [sendable(text) for _, text in read]
        weights = self._ruler.weigh(texts, room=MOST_TOKENS)
        return Batch([position for position, _ in read], texts, weights)


def sendable(text: str) -> str:
    """Return the text as JSON can hold it: a lone surrogate becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def split(batch: Batch, size: int) -> Iterator[Batch]:
    """Cut a batch into batches of ``size`` inputs."""
    for start in range(0, len(batch), size):
        yield batch.part(start, start + size)


def _joined(one: Batch, other: Batch) -> Batch:
    return Batch(
        one.positions + other.positions, one.texts + other.texts, one.tokens + other.tokens
    )


def _fitting(tokens: list[int]) -> int:
    """Return how many texts from the first on fit into one request, one at least."""
    total = 0
    for count, each in enumerate(tokens):
        total += each
        if total > MOST_TOKENS and count:
            return count
    return len(tokens)
