"""OpenAI's encodings, straight from the package: no network, no environment variables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from embedsearch.tokens import pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import tiktoken
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Definition:
    """What makes an encoding, by value from ``tiktoken_ext/openai_public.py`` (MIT).

    ``count`` is the number of tokens that have a rank; ``sha256`` pins the unpacked ranks.
    """

    count: int
    sha256: str
    pattern: str
    special_tokens: dict[str, int]


DEFINITIONS = {
    "cl100k_base": Definition(
        count=100_256,
        sha256="18288f996f452d44e0e65996176591a4b712a3eb1b42afd6f0511e735c099480",
        pattern=r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        special_tokens={
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
    "o200k_base": Definition(
        count=199_998,
        sha256="440741350e7cfa1c0f4869ce742d1b043550adbda5187adcac9e787edac6fba9",
        pattern=r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        special_tokens={"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    ),
}

MOST_BLANKS = 450_000
"""From so many blanks in a row on they are cut; at a million the pattern overflows its stack."""

SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


@dataclass(frozen=True, slots=True)
class Piece:
    r"""A token and the characters ``text[start:end]`` that it is, or is a part of.

    Bytes that are no whole character read as escapes: ``\xf0\x9f``.
    """

    id: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TiktokenTokenizer:
    """An encoding of OpenAI's, exact to the token; its ranks are unpacked at the first use.

    Any text is encoded as plain text: ``<|endoftext|>`` is seven tokens, no special one, and a
    lone surrogate counts as U+FFFD.
    """

    name: str

    # Both patterns end a piece where a space follows a non-space, and where punctuation other
    # than an apostrophe follows a letter, whatever stands around. The letters are those of old
    # scripts, because what a new code point is depends on the version of Unicode.
    seam: ClassVar[str] = (
        r"(?<=\S) "
        r"|(?<=[A-Za-z\u0400-\u0481\u05d0-\u05ea\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3])"
        r"[,.;:!?\"()\[\]{}\u3001\u3002\u300c\u300d\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]"
    )

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the exact number of tokens of each text."""
        encode = _encoding(self.name).encode_ordinary
        return [sum(len(encode(part)) for part in _parts(text)) for text in texts]

    def encode(self, text: str) -> list[int]:
        """Return the ids of the tokens."""
        encode = _encoding(self.name).encode_ordinary
        return list(chain.from_iterable(map(encode, _parts(text))))

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Return, for each text, ascending, the character offset at which each token ends."""
        return [self._ends(text) for text in texts]

    def _ends(self, text: str) -> NDArray[np.int64]:
        _, byte_ends = self._encode(text)
        if text.isascii():
            return byte_ends
        return _offsets(_character_numbers(text)[byte_ends - 1], text)

    def pieces(self, text: str) -> list[Piece]:
        """Return every token with the text that it stands for."""
        ids, byte_ends = self._encode(text)
        numbers = _character_numbers(text)
        first_bytes = byte_ends - _lengths(self.name)[ids]
        return [
            Piece(id_, _tokens(self.name)[id_].decode(errors="backslashreplace"), start, end)
            for id_, start, end in zip(
                ids.tolist(),
                _offsets(numbers[first_bytes] - 1, text).tolist(),
                _offsets(numbers[byte_ends - 1], text).tolist(),
                strict=True,
            )
        ]

    def _encode(self, text: str) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Return the ids of the tokens and the byte offset at which each ends."""
        import numpy as np

        encode = _encoding(self.name).encode_to_numpy
        parts = _parts(_without_surrogates(text))
        ids = np.concatenate([encode(part, disallowed_special=()) for part in parts])
        return ids, np.cumsum(_lengths(self.name)[ids], dtype=np.int64)


def encoding(name: str) -> TiktokenTokenizer:
    """Return the tokenizer of an encoding.

    Raises ValueError for an encoding that is not shipped.
    """
    if name not in DEFINITIONS:
        raise ValueError(f"unknown encoding {name!r}: choose from {sorted(DEFINITIONS)}")
    return TiktokenTokenizer(name)


@cache
def _tokens(name: str) -> list[bytes]:
    definition = DEFINITIONS[name]
    packed = pack.path(name).read_bytes()
    return pack.unpack(packed, count=definition.count, sha256=definition.sha256)


@cache
def _encoding(name: str) -> tiktoken.Encoding:
    import tiktoken

    return tiktoken.Encoding(
        name,
        pat_str=DEFINITIONS[name].pattern,
        mergeable_ranks={token: rank for rank, token in enumerate(_tokens(name))},
        special_tokens=DEFINITIONS[name].special_tokens,
    )


@cache
def _lengths(name: str) -> NDArray[np.uint8]:
    import numpy as np

    return np.fromiter(map(len, _tokens(name)), dtype=np.uint8)


def _parts(text: str) -> Iterator[str]:
    """Cut a text within white space that goes on and on, at which tiktoken's pattern would panic.

    There the count is a few tokens more than that of the whole: 7,816 for 7,815.
    """
    start = 0
    for end in range(MOST_BLANKS, len(text), MOST_BLANKS):
        if text[end - 1].isspace() and text[end - MOST_BLANKS : end].isspace():
            yield text[start:end]
            start = end
    yield text[start:]


def _without_surrogates(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates, as tiktoken does."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _character_numbers(text: str) -> NDArray[np.int64]:
    """Return for each byte of the UTF-8 the number of its character, from 1."""
    import numpy as np

    content = np.frombuffer(_without_surrogates(text).encode(), dtype=np.uint8)
    return np.cumsum((content & 0xC0) != 0x80, dtype=np.int64)


def _offsets(numbers: NDArray[np.int64], text: str) -> NDArray[np.int64]:
    """Return where in ``text`` that many characters end, a surrogate pair being one of them."""
    import numpy as np

    if _without_surrogates(text) is text:
        return numbers
    pairs = [match.start() for match in SURROGATE_PAIR.finditer(text)]
    return numbers + np.searchsorted(np.array(pairs) - np.arange(len(pairs)), numbers)
