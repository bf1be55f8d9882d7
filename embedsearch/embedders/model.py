"""What there is to know about a sentence model before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from embedsearch.tokens.protocol import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from embedsearch.embedders.protocol import Role

Pooling: TypeAlias = Literal["mean", "cls"]
"""How the vectors of the tokens become one: their mean, or the first of them."""


class EncodingTokenizer(Tokenizer, Protocol):
    """A tokenizer that also gives the ids a model reads."""

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, the model's special tokens included, nothing cut off."""


@dataclass(frozen=True, slots=True)
class SentenceModel:
    """A transformer that turns a text into one vector; ``graph`` and ``tokenizer`` load it.

    The model reads ``max_length`` ids; ``max_tokens`` leaves out the special ones and those of
    the longest of the ``prefixes``. ``graph`` returns an ONNX model, as bytes or as the path of
    its file; ``remake`` makes this again from its name, in another process.
    """

    name: str
    space: str
    dimensions: int
    max_length: int
    max_tokens: int
    pooling: Pooling
    prefixes: Mapping[Role, str]
    graph: Callable[[], bytes | str]
    tokenizer: Callable[[], EncodingTokenizer]
    remake: Callable[[str], SentenceModel]
