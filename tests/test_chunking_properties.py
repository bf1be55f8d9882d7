"""The eight properties that every chunking keeps, whatever the text and the tokenizer."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedsearch.chunking import chunk
from embedsearch.records import Chunk, Document, Kind
from embedsearch.tokens import encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.tokens.protocol import Tokenizer


class WordPieces:
    """Words of at most four letters a piece; a word of more than 20 letters is one unknown.

    As with BERT, white space is no token, and a long word cut in two may count for more.
    """

    name = "word-pieces"

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(self._ends(text)) for text in texts]

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        found = [(text, self._ends(text)) for text in texts]
        return [np.array([*e[:-1], len(t)] if e else e, dtype=np.int64) for t, e in found]

    def _ends(self, text: str) -> list[int]:
        ends: list[int] = []
        for word in re.finditer(r"\w+|[^\w\s]", text):
            long = len(word[0]) > 20
            steps = [] if long else range(word.start() + 4, word.end(), 4)
            ends += [*steps, word.end()]
        return ends


class Hostile:
    """Claims few tokens in a whole text, and counts many more in a part that starts oddly."""

    name = "hostile"

    def count(self, texts: Sequence[str]) -> list[int]:
        return [sum(2 if ord(c) % 7 == 0 else 1 for c in text) + len(text) % 3 for text in texts]

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        return [np.array([*range(3, len(t), 3), *([len(t)] if t else [])], np.int64) for t in texts]


TOKENIZERS: list[Tokenizer] = [
    encoding("cl100k_base"),
    encoding("o200k_base"),
    WordPieces(),
    Hostile(),
]

PIECES = """
a|word |two words. |Ärger |...|!?|'s|DON'T|1234567|(a)[b]{c}|{"a":[1,2,{"b":"c"}]}|<|endoftext|>
👩‍💻|👨‍👩‍👧‍👦|🇩🇪|🇫🇷🇯🇵|👍🏽|क्षि|한국어|각|東京都は日本の首都です。|漢字|שלום |مرحبا.
"""
NASTY = [
    *PIECES.replace("\n", "|").split("|"),
    *(
        " ",
        "  ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "\x00",
        "\x0b",
        "\x1c",
        "\u2028",
        "\xa0",
        "\ufeff",
    ),
    *("# Title\n", "\n## Part\n", "Title\n=====\n", "---\n", "- item\n", "1. item\n", "> quote\n"),
    *("```\n", "\n```py\nx = 1\n```\n", "~~~\n", "````\n```\n````\n", "\n\nclass A:\n    x\n"),
    *("x" * 50, "=" * 30, " " * 40, "<|endoftext|>", "!?\n\n  /", "\uff0c"),
    *(
        "e\u0301",
        "Z" + "\u0301\u0320\u0489" * 9,
        "\u06001",
        "\u200d",
        "\ud800",
        "\udc00",
        "\ud83d\ude00",
    ),
]

texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=8), max_size=60).map("".join)
kinds = st.sampled_from(["text", "markdown", "code", "html"])


def grapheme_cuts(text: str) -> dict[int, str]:
    """Return each place inside a grapheme, with that grapheme."""
    return {
        place: match[0]
        for match in regex.finditer(r"\X", text)
        for place in range(match.start() + 1, match.end())
    }


def check(document: Document, tokenizer: Tokenizer, limit: int, overlap: int) -> list[Chunk]:
    """Assert every property that holds for any text."""
    text = document.text
    chunks = chunk(document, tokenizer, limit=limit, overlap=overlap)
    counts = tokenizer.count([c.text for c in chunks])
    assert [c.tokens for c in chunks] == counts
    assert all(n <= limit or len(c.text) == 1 for n, c in zip(counts, chunks, strict=True))
    assert all(text[c.start : c.end] == c.text for c in chunks)
    assert [c.start for c in chunks[:1]] == ([0] if text else [])
    assert [c.end for c in chunks[-1:]] == ([len(text)] if text else [])
    for before, after in pairwise(chunks):
        assert before.start < after.start <= before.end < after.end
        shared = text[after.start : before.end]
        assert not shared or tokenizer.count([shared])[0] <= overlap
    inside = grapheme_cuts(text)
    for place in {c.start for c in chunks} | {c.end for c in chunks}:
        assert place not in inside or tokenizer.count([inside[place]])[0] > limit
    for c in chunks:
        assert c.start_line == text.count("\n", 0, c.start) + 1
        assert c.end_line == text.count("\n", 0, c.end - 1) + 1
    assert chunks == chunk(document, tokenizer, limit=limit, overlap=overlap)
    return chunks


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda tokenizer: tokenizer.name)
@settings(max_examples=300, deadline=None)
@given(text=texts, kind=kinds, limit=st.integers(1, 40), overlap=st.integers(0, 40))
@example(text="\u06001a\u200dword ", kind="text", limit=4, overlap=0)  # more of it is fewer tokens
def test_every_property_holds_for_nasty_text(
    tokenizer: Tokenizer, text: str, kind: Kind, limit: int, overlap: int
) -> None:
    check(Document("a", text, kind=kind), tokenizer, limit, min(overlap, limit - 1))
