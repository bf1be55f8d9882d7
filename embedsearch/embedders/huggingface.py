"""Any tokenizer that comes as a ``tokenizer.json``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from embedsearch.embedders.unknown import share

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer as Encoder

UNKNOWN = ("[UNK]", "<unk>")
"""What tokenizers call the token that stands for all they don't know."""
SURROGATE = re.compile("[\ud800-\udfff]")


class HuggingFaceTokenizer:
    """A tokenizer of the ``tokenizers`` library, as it is."""

    def __init__(self, name: str, encoder: Encoder) -> None:
        self._name = name
        self._encoder = encoder

    @property
    def name(self) -> str:
        """The name of the model's folder."""
        return self._name

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, special ones left out."""
        return [len(ids) for ids in self._encode(texts, special=False)]

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Return, for each text, ascending, the character offset at which each token ends.

        What follows the last token belongs to it; a text without any token has one end.
        """
        return [self._ends(text) for text in texts]

    def _ends(self, text: str) -> NDArray[np.int64]:
        import numpy as np

        encoding = self._encoder.encode(_printable(text), add_special_tokens=False)
        ends = [end for _, end in encoding.offsets]
        if text:
            ends[-1:] = [len(text)]
        return np.maximum.accumulate(np.array(ends, dtype=np.int64))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, special ones included, nothing cut off."""
        return self._encode(texts, special=True)

    def unknown(self, texts: Sequence[str]) -> list[float]:
        """Return the share of each text's characters, without blanks, that it does not know."""
        known = self._encoder.get_vocab()
        token = next((known[name] for name in UNKNOWN if name in known), None)
        if token is None:
            return [0.0] * len(texts)
        return [share(self._encoder.encode(_printable(text)), token, text) for text in texts]

    def _encode(self, texts: Sequence[str], *, special: bool) -> list[list[int]]:
        return [
            self._encoder.encode(_printable(text), add_special_tokens=special).ids for text in texts
        ]


def _printable(text: str) -> str:
    return SURROGATE.sub("\ufffd", text)
