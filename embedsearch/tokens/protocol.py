"""What the chunker asks of a tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class Tokenizer(Protocol):
    """Counts tokens exactly, and says where in a text they end.

    One that can be pickled is used in several processes, where there is enough to read.
    """

    @property
    def name(self) -> str:
        """The encoding's name, as ``cl100k_base``."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the exact number of tokens of each text, encoded on its own, specials left out."""

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Return, for each text, ascending, the character offset in it at which each token ends.

        A token that ends inside a character is given the end of that character, so offsets may
        repeat; the last one is ``len(text)`` unless the text is empty, which has none.
        """


class UnknowingTokenizer(Tokenizer, Protocol):
    """A tokenizer that does not know every character, and says so."""

    def unknown(self, texts: Sequence[str]) -> list[float]:
        """Return the share of each text's characters, blanks left out, that it does not know."""


class SeamedTokenizer(Tokenizer, Protocol):
    """A tokenizer that knows where counts add up, so that a chunk needs no encoding of its own.

    ``seam`` is a pattern for the regex package. Wherever it matches in any text,
    ``count([text]) == count([text[:p]]) + count([text[p:]])`` for the start ``p`` of the match.
    A pattern that looks ahead or behind may look at one character.
    """

    @property
    def seam(self) -> str:
        """The pattern."""


@runtime_checkable
class RememberingTokenizer(Tokenizer, Protocol):
    """A tokenizer that remembers what it has seen, and is told when much was read."""

    def forget(self) -> None:
        """Let go of what was remembered."""
