"""Globs: what they mean to a search and to a sync, against pathspec's ``.gitignore``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal
from unicodedata import normalize

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from embedsearch import Document, Index
from embedsearch.store.globs import matches
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    *("a.md", "b.md", "top.txt", "docs/a.md", "docs/mytest.md", "docs/test.md", "docs/x/test.md"),
    *("docs/x/y/test.md", "x/docs/b.md", "odd/[x].md", "odd/!.md", "odd/a*b"),
]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["[!a].md"], ["b.md", "odd/!.md", "x/docs/b.md"]),
        (["[^a].md"], ["b.md", "odd/!.md", "x/docs/b.md"]),
        (["[a-b].md"], ["a.md", "b.md", "docs/a.md", "x/docs/b.md"]),
        (["docs/**/test.md"], ["docs/test.md", "docs/x/test.md", "docs/x/y/test.md"]),
        (["docs/*.md"], ["docs/a.md", "docs/mytest.md", "docs/test.md"]),
        (["docs/?.md"], ["docs/a.md"]),
        (["docs/x/**"], ["docs/x/test.md", "docs/x/y/test.md"]),
        (["**/y/*"], ["docs/x/y/test.md"]),
        (["/docs/x"], ["docs/x/test.md", "docs/x/y/test.md"]),
        (["docs/"], [name for name in NAMES if "docs/" in name]),
        (["a.md/"], []),
        (["/a.md"], ["a.md"]),
        (["./a.md"], ["a.md"]),
        (["*.txt", "docs/x"], ["docs/x/test.md", "docs/x/y/test.md", "top.txt"]),
        (["*.md", "!docs", "!odd/*"], ["a.md", "b.md"]),
        (["!*.md"], ["odd/a*b", "top.txt"]),
        ([r"a\*b"], ["odd/a*b"]),
        (["[[]x].md"], ["odd/[x].md"]),
        (["[x].md"], []),
        ([r"odd/\[x*"], ["odd/[x].md"]),
        (["{a}.md"], []),
        (["odd/*", "!*[[]*"], ["odd/!.md", "odd/a*b"]),
        ([r"\{a,b}.md"], []),
        (["A.md"], []),
    ],
)
def test_a_pattern_means_the_same_to_a_search_and_to_a_sync(
    tmp_path: Path, patterns: list[str], expected: list[str]
) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"words of {name}")
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add(Document(name, f"words of {name}") for name in NAMES)
        for mode in ("hybrid", "dense", "lexical"):
            hits = index.search("words", k=99, mode=mode, glob=patterns)
            assert sorted(hit.document_id for hit in hits) == sorted(expected)
    with Index.open(":memory:", HashEmbedder()) as index:
        index.sync(tmp_path, glob=patterns)
        assert [document.id for document in index.documents()] == sorted(expected)


@pytest.mark.parametrize("pattern", ["Über*", "/*größe.md", "[Üx]*", "?bergröße.md", "!a.md"])
@pytest.mark.parametrize(("stored", "typed"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_a_pattern_matches_letters_in_each_of_unicodes_forms(
    tmp_path: Path, pattern: str, stored: Literal["NFC", "NFD"], typed: Literal["NFC", "NFD"]
) -> None:
    name, glob = normalize(stored, "Übergröße.md"), [normalize(typed, pattern)]
    for written in ("a.md", name):
        (tmp_path / written).write_text("words")
    with Index.open(":memory:", HashEmbedder()) as index:
        index.sync(tmp_path, glob=glob)
        index.add([Document("a.md", "words")])
        assert [document.id for document in index.documents(glob=glob)] == [name]


PARTS = ["a", "b", "ab", "a.b", ".a"]
GLOBS = st.lists(
    st.sampled_from(["*", "**", "?", "[ab]", "[!a]", "[^.]", "[a-b]b", "a*", "*b", "*.*", *PARTS]),
    min_size=1,
    max_size=6,
)


@settings(max_examples=300)
@given(
    path=st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map("/".join),
    pattern=GLOBS.map("/".join),
    start=st.sampled_from(["", "/"]),
    end=st.sampled_from(["", "/"]),
)
def test_a_pattern_matches_what_gitignore_would(
    path: str, pattern: str, start: str, end: str
) -> None:
    glob = start + pattern + end
    assume(not glob.endswith("**/"))  # pathspec takes it for "**"; git, as we, for a folder
    assert matches(path, (glob,)) == GitIgnoreSpec.from_lines([glob]).match_file(path)


@given(st.text("ab/*?[]!^-\\.&|~", min_size=1))
def test_a_pattern_is_understood_or_refused(pattern: str) -> None:
    assume(not pattern.startswith("!"))
    try:
        matches("a/b", (pattern,))
    except ValueError as error:
        assert repr(pattern) in str(error)  # noqa: PT017 - most are understood


@pytest.mark.parametrize(
    "pattern", ["", "/", "!", "[b-a]", "![b-a]", "[", "odd/[]", "a[b", "*.{md,txt}"]
)
def test_what_is_no_pattern_is_refused_by_its_name(pattern: str) -> None:
    with Index.open(":memory:", HashEmbedder()) as index, pytest.raises(ValueError) as refused:  # noqa: PT011 -- the name is what is tested
        index.documents(glob=[pattern])
    assert repr(pattern) in str(refused.value)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("a" * 5_000, "*a" * 50 + "b"),
        ("a/" * 50 + "c", "**/" * 3_000 + "b"),
        ("a/" * 50 + "c", "**/a/" * 20 + "b"),
    ],
)
def test_many_stars_take_no_time(path: str, pattern: str) -> None:
    begin = time.perf_counter()
    assert not matches(path, (pattern,))
    assert time.perf_counter() - begin < 1
