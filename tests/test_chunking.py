"""Where chunks begin and end, by example, and what they know of their place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedsearch.chunking import chunk
from embedsearch.records import Document, Heading
from embedsearch.tokens import encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.records import Kind


class Words:
    """One token a word."""

    name = "words"

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        found = [(text, [word.end() for word in re.finditer(r"\S+", text)]) for text in texts]
        return [np.array([*e[:-1], len(t)] if e else [], dtype=np.int64) for t, e in found]


def texts(text: str, *, limit: int, overlap: int = 0, kind: Kind = "text") -> list[str]:
    chunks = chunk(Document("a", text, kind=kind), Words(), limit=limit, overlap=overlap)
    return [c.text for c in chunks]


def headings(text: str, *, limit: int = 1) -> list[str | None]:
    document = Document("a", text, kind="markdown")
    return [c.heading for c in chunk(document, Words(), limit=limit)]


def test_an_empty_text_has_no_chunks() -> None:
    assert texts("", limit=5) == []


def test_white_space_alone_is_covered() -> None:
    assert "".join(texts(" \n\t\r\n" * 9, limit=5)) == " \n\t\r\n" * 9


def test_a_text_that_fits_is_one_chunk() -> None:
    assert texts("a b\n\nc d", limit=4) == ["a b\n\nc d"]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text", "a b c d\ne. f g\n\nh i j", ["a b c d\ne. f g\n\n", "h i j"]),
        ("text", "a b c d. e\nf g h i", ["a b c d. e\n", "f g h i"]),
        ("text", "a b c d. e f g h i", ["a b c d. ", "e f g h i"]),
        ("text", "a b c d e f g h i", ["a b c d e f g h ", "i"]),
        ("text", 'a b c "d!" e f g h i', ['a b c "d!" ', "e f g h i"]),
        ("html", "a b c d\ne. f g\n\nh i j", ["a b c d\ne. f g\n\n", "h i j"]),
        ("markdown", "a b c d\n\n# T\n\ne\n\nf g h", ["a b c d\n\n", "# T\n\ne\n\nf g h"]),
        ("markdown", "a b c d\n- e\n  f g\n h i", ["a b c d\n", "- e\n  f g\n h i"]),
        ("code", "a b c\n d\n\ne\n\n f g h i", ["a b c\n d\n\n", "e\n\n f g h i"]),
        ("code", "a b c\n\n d e\n\n}\n\n f g h", ["a b c\n\n d e\n\n}\n\n", " f g h"]),
        ("code", "a b c d. e f g h i", ["a b c d. e f g h ", "i"]),
    ],
)
def test_the_best_boundary_of_the_second_half_is_cut(
    kind: Kind, text: str, expected: list[str]
) -> None:
    assert texts(text, limit=8, kind=kind) == expected


def test_a_better_boundary_in_the_first_half_is_passed_over() -> None:
    assert texts("a b\n\nc d e f g h i", limit=8) == ["a b\n\nc d e f g h ", "i"]


def test_a_higher_heading_is_preferred_to_a_later_one() -> None:
    text = "a b c d\n\n# One\n\n## Two\n\ne f g h i j"
    assert texts(text, limit=8, kind="markdown")[0] == "a b c d\n\n"


def test_headings_that_the_document_came_with_are_cut_at() -> None:
    document = Document("a", "a b c d Title e f g h", headings=(Heading(8, 1, "Title"),))
    chunks = chunk(document, Words(), limit=7)
    assert [(c.text, c.heading) for c in chunks] == [
        ("a b c d ", None),
        ("Title e f g h", "Title"),
    ]


def test_chinese_is_cut_at_its_sentences() -> None:
    text = "東京都は日本の首都です。人口は多いです。" * 3
    chunks = chunk(Document("a", text), encoding("cl100k_base"), limit=40)
    assert all(c.text.endswith("。") for c in chunks)


def test_a_long_word_is_cut_between_graphemes() -> None:
    text = "👩‍💻" * 20
    chunks = chunk(Document("a", text), encoding("cl100k_base"), limit=20)
    assert {len(c.text) % 3 for c in chunks} == {0}


def test_a_grapheme_beyond_the_limit_is_cut() -> None:
    text = "a" + "\u0301" * 100
    chunks = chunk(Document("a", text), encoding("cl100k_base"), limit=16)
    assert [c.tokens for c in chunks[:-1]] == [16] * (len(chunks) - 1)


def test_a_limit_below_one_character_gives_single_characters() -> None:
    chunks = chunk(Document("a", "👩👩"), encoding("cl100k_base"), limit=1)
    assert [(c.text, c.tokens) for c in chunks] == [("👩", 3), ("👩", 3)]


def test_overlap_begins_at_the_best_boundary_of_its_first_half() -> None:
    assert texts("a b. c d e\nf g h i j k", limit=8, overlap=4) == [
        "a b. c d e\n",
        "c d e\nf g h i j ",
        "g h i j k",
    ]


def test_a_section_does_not_repeat_the_one_before() -> None:
    text = "a b c d e\n\n# T\n\nf g h i"
    assert texts(text, limit=7, overlap=3, kind="markdown") == ["a b c d e\n\n", "# T\n\nf g h i"]
    code = "a b c d e\n\nf g h i j"
    assert texts(code, limit=7, overlap=3, kind="code") == ["a b c d e\n\n", "f g h i j"]


@pytest.mark.parametrize(("limit", "overlap"), [(0, 0), (-1, 0), (5, -1), (5, 5), (5, 6)])
def test_refuses_a_limit_that_the_overlap_fills(limit: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= overlap < limit"):
        texts("a", limit=limit, overlap=overlap)


def test_chunks_know_their_lines() -> None:
    chunks = chunk(Document("a", "a b\nc d\r\n\r\ne f\n"), Words(), limit=2)
    assert [(c.text, c.start_line, c.end_line) for c in chunks] == [
        ("a b\n", 1, 1),
        ("c d\r\n\r\n", 2, 3),
        ("e f\n", 4, 4),
    ]


def test_chunks_know_the_page_they_start_on() -> None:
    document = Document("a", "a b\nc d\ne f\ng h i", pages=(0, 8))
    assert [c.page for c in chunk(document, Words(), limit=2)] == [1, 1, 2, 2, 2]
    assert [c.page for c in chunk(document, Words(), limit=3)] == [1, 1, 2, 2]


def test_a_page_that_fits_is_a_chunk_of_its_own() -> None:
    pages = ["Tsunamis are waves.\n", "\n", "Earthquakes shake.\n", "Hurricanes turn.\n"]
    starts = tuple(sum(map(len, pages[:n])) for n in range(4))
    document = Document("slides.pdf", "".join(pages), pages=starts)
    chunks = chunk(document, Words(), limit=20, overlap=4)
    assert [(c.text, c.page) for c in chunks] == [(text, n) for n, text in enumerate(pages, 1)]


def test_a_page_that_does_not_fit_is_cut_like_any_text() -> None:
    long, short = "word " * 25, "the end of it"
    document = Document("book.pdf", long + short, pages=(0, len(long)))
    chunks = chunk(document, Words(), limit=20)
    assert [(c.tokens, c.page) for c in chunks] == [(20, 1), (9, 1)]


def test_chunks_know_the_headings_they_stand_under() -> None:
    assert headings("x\n# A\n## B\ny\n# C\nz") == [
        None, "A", "A", "A > B", "A > B", "A > B", "C", "C", "C",
    ]  # fmt: skip


def test_the_heading_after_leading_blank_lines_counts() -> None:
    assert headings("\n\n# A\nx", limit=9) == ["A"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# A", "A"),
        ("#  A # b ##  ", "A # b"),
        ("   ###### A", "A"),
        ("A B\n===", "A B"),
        ("x\n\n A\n  --", "A"),
        ("# A\r\nx", "A"),
        ("---\nt: 1\n---\n# A", "A"),
        ("```\n# B\n```\n# A", "A"),
        ("~~~\n```\n~~~\n# A", "A"),
        ("````\n```\n# B\n````\n# A", "A"),
    ],
)
def test_finds_headings_in_markdown(text: str, title: str) -> None:
    assert title in headings(text + "\n\nx")
    assert headings(text + "\n\nx")[-1] == title


@pytest.mark.parametrize(
    "text",
    [
        "#A",
        "####### A",
        "    # A",
        "```\n# A\n```",
        "```\n# A",
        "---\n# A\n---",
        "- A\n---",
        "x\n\n---",
        "x\ny\n---",
        "| A |\n---",
        "#",
        "A\n=-=",
    ],
)
def test_takes_nothing_else_for_a_heading(text: str) -> None:
    assert set(headings(text + "\n\nx")) == {None}


fences = st.tuples(st.sampled_from(["```", "~~~", "````"]), st.integers(0, 30))
prose = st.tuples(st.just(""), st.integers(1, 30))


@given(
    blocks=st.lists(fences | prose, max_size=8),
    limit=st.integers(4, 40),
    overlap=st.integers(0, 3),
    gap=st.sampled_from(["\n", "\n\n"]),
)
@settings(deadline=None, max_examples=300)
def test_a_fence_that_fits_is_never_cut(
    blocks: list[tuple[str, int]], limit: int, overlap: int, gap: str
) -> None:
    text, spans = "", []
    for mark, size in blocks:
        body = "\n".join(f"word{n} and" for n in range(size))
        block = f"{mark}py\n{body}\n{mark}\n" if mark else body + "\n"
        if mark and Words().count([block])[0] <= limit:
            spans.append((len(text), len(text) + len(block)))
        text += block + gap
    chunks = chunk(Document("a", text, kind="markdown"), Words(), limit=limit, overlap=overlap)
    places = {c.start for c in chunks} | {c.end for c in chunks}
    assert not [p for p in places for start, end in spans if start < p < end]


def rank(text: str, place: int) -> int:
    """Say how good a place is to cut a plain text: 4 blank line, 3 line, 2 sentence, 1 word."""
    before, after = text[:place], text[place:]
    if not after.strip() or after[0].isspace():
        return 0
    if before.endswith("\n\n"):
        return 4
    if before.endswith("\n"):
        return 3
    if before.endswith(" "):
        return 2 if before.endswith(". ") else 1
    return 0


@given(
    words=st.lists(
        st.sampled_from(
            ["tree ", "house ", "is. ", "unbelievable ", "end.\n", "line\n", "so.\n\n"]
        ),
        max_size=200,
    ),
    limit=st.integers(12, 40),
)
@settings(deadline=None)
def test_no_better_boundary_is_left_in_the_second_half(words: list[str], limit: int) -> None:
    tokenizer = encoding("cl100k_base")
    text = "".join(words)
    for c in chunk(Document("a", text), tokenizer, limit=limit)[:-1]:
        for place in range(c.start + 1, min(len(text), c.start + 8 * limit)):
            tokens = tokenizer.count([text[c.start : place]])[0]
            # Three tokens of room: where exactly half and all of the limit lie is an estimate.
            if limit / 2 + 3 <= tokens <= limit - 3:
                assert rank(text, place) <= rank(text, c.end)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 300_000,
        "a" + "\u0301" * 30_000,
        '{"id":1,"tags":["a","b"]},' * 5000,
        " " * 200_000,
        "\r\n" * 50_000,
        "🇩🇪🇫🇷" * 5000,
        "\ud800" * 20_000,
        "```\n" * 20_000,
        "# x\n" * 20_000,
        "x\n---\n" * 10_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_long_runs_are_covered_within_the_limit(text: str) -> None:
    tokenizer = encoding("cl100k_base")
    chunks = chunk(Document("a", text, kind="markdown"), tokenizer, limit=256)
    assert "".join(c.text for c in chunks) == text
    assert [c.tokens for c in chunks] == tokenizer.count([c.text for c in chunks])
    assert max(c.tokens or 0 for c in chunks) <= 256
