"""What is to be embedded, and how: light, as every client imports it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from embedsearch.client.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedsearch.client.arrays import Vectors
    from embedsearch.errors import InputRefused

Count: TypeAlias = Callable[[Sequence[str]], Sequence[int]]

MOST_INPUTS = 2048
"""Inputs of one request, by OpenAI's API reference."""


class Embedded(NamedTuple):
    """Vectors of shape (n, d), where their texts stand in the stream, and the tokens billed.

    Without positions it is an answer of no use that was billed all the same.
    """

    positions: list[int]
    vectors: Vectors
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Texts to embed, and how."""

    texts: Iterable[str]
    model: str
    dimensions: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    """What else goes into every request, the options of `Call` among them."""
    batch_size: int = MOST_INPUTS
    concurrency: int = 16
    count: Count | None = None
    label: Callable[[int], str] | None = None
    on_refused: Callable[[InputRefused], None] | None = None
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        if isinstance(self.texts, str):
            raise TypeError("expected texts, got one str: put it into a list")
        if not isinstance(self.texts, Iterable):
            raise TypeError(f"expected texts, got {type(self.texts).__name__}")
        if isinstance(self.texts, (list, tuple)):  # Of a stream, each is looked at as it is read.
            check_texts(enumerate(self.texts))
        if self.batch_size < 1 or self.concurrency < 1:
            raise ValueError(
                f"expected batch_size and concurrency of 1 or more, "
                f"got {self.batch_size} and {self.concurrency}"
            )


def check_texts(texts: Iterable[tuple[int, str]]) -> None:
    """Raise TypeError for what is no text, by its position."""
    for position, text in texts:
        if not isinstance(text, str):
            raise TypeError(f"expected texts, got {type(text).__name__} at position {position}")
