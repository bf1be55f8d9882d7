"""What is one document at two times: whether it moved, and which of its passages changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedsearch import Document, Index
from embedsearch.compare import change, drift, paired
from embedsearch.compare.drifting import SAME
from embedsearch.errors import DimensionMismatch, DocumentNotFound
from embedsearch.records import Chunk
from embedsearch.store.vectors import Passages
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

AXES = np.eye(8, dtype=np.float32)


def units(n: int, seed: int) -> Vectors:
    rows: Vectors = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def passages(vectors: Vectors, *texts: str) -> Passages:
    """Return passages that are whole lines, one after the other."""
    ends = np.cumsum([len(text) + 1 for text in texts]).tolist()
    chunks = [
        Chunk(text, end - 1 - len(text), end - 1, None, 1, 1)
        for text, end in zip(texts, ends, strict=True)
    ]
    return Passages(chunks, vectors)


def test_names_in_both_are_pairs() -> None:
    assert paired(["a", "b", "c"], ["c", "d", "a"]) == [(0, 2), (2, 0)]
    assert paired([], ["a"]) == []


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 200), st.floats(0, 1))
def test_a_document_of_both_has_moved_or_not_but_is_neither_new_nor_gone(
    n: int, m: int, seed: int, near: float
) -> None:
    a, b = units(n, seed), units(m, seed + 1)
    b[: min(n, m) // 2] = a[: min(n, m) // 2]
    pairs = paired([str(row) for row in range(n)], [str(row) for row in range(5, m)])
    pairs = [(row, other + 5) for row, other in pairs] + [(0, 0)]
    found = drift(a, b, pairs=pairs, near=near)
    cosines = {(move.before, move.after): move.similarity for move in found.moved}
    assert list(cosines.values()) == sorted(cosines.values())
    expected = {pair: float(a[pair[0]] @ b[pair[1]]) for pair in pairs}
    assert cosines == pytest.approx({p: c for p, c in expected.items() if c < SAME}, abs=1e-6)
    apart = drift(a, b, near=near)
    assert found.new == [row for row in apart.new if row not in {after for _, after in pairs}]
    assert found.gone == [row for row in apart.gone if row not in {before for before, _ in pairs}]
    assert apart.moved == []


def test_the_passage_least_like_the_other_version_is_what_changed() -> None:
    before = passages(AXES[:3], "kept\nshared", "lost entirely", "kept too")
    between = (AXES[2] + AXES[5]) / np.sqrt(2)
    after = passages(np.stack([AXES[0], between]), "kept\nshared", "kept too\nand  more")
    found = change(before, after)
    assert found.lost
    assert found.lost.chunk.text == "lost entirely"
    assert found.lost.nearest == 0
    assert found.lost.lines == ("lost entirely",)
    assert found.gained
    assert found.gained.nearest == pytest.approx(0.7071, abs=1e-4)
    assert found.gained.lines == ("and  more",)


def test_a_line_that_became_a_longer_one_is_lost_and_gained() -> None:
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document("1", "It takes 1 day\nCats live here\n")])
        index.add([Document("2", "It takes 1 day or 10\nCats live here\n")])
        found = change(index.passages("1"), index.passages("2"))
    assert found.lost
    assert found.gained
    assert found.lost.lines == ("It takes 1 day",)
    assert found.gained.lines == ("It takes 1 day or 10",)


def test_a_line_that_is_only_cut_elsewhere_did_not_change() -> None:
    words = [f"word{n}" for n in range(40)]
    with Index.open(":memory:", HashEmbedder(), chunk_tokens=8, chunk_overlap=2) as index:
        index.add([Document("1", " ".join(words))])
        index.add([Document("2", f"a new beginning\n{' '.join(words)}")])
        found = change(index.passages("1"), index.passages("2"))
    assert found.lost
    assert found.gained
    assert found.lost.lines == found.gained.lines == ()


def test_what_was_only_added_to_lost_nothing() -> None:
    before, after = passages(AXES[:1], "a"), passages(AXES[:2], "a", "b")
    found = change(before, after)
    assert found.lost is None
    assert found.gained
    assert found.gained.chunk.text == "b"
    assert change(before, before) == change(after, after)


def test_versions_that_can_not_be_compared_are_refused() -> None:
    one = passages(AXES[:1], "a")
    with pytest.raises(ValueError, match="two versions with embedded passages"):
        change(one, passages(AXES[:0]))
    with pytest.raises(DimensionMismatch, match="got 8 and 3 components"):
        change(one, passages(units(1, 0), "a"))


def test_the_passages_of_a_document_are_those_that_are_embedded() -> None:
    with Index.open(":memory:", HashEmbedder(), chunk_tokens=4, chunk_overlap=0) as index:
        text = "one two three four\n\nfive six seven eight\n\nnine ten eleven twelve\n"
        index.add([Document("a", text)])
        found = index.passages("a")
        assert found.chunks == index.chunks("a")
        assert len(found.chunks) == 3
        assert np.allclose(found.vectors, index.embed([c.text for c in found.chunks]), atol=1e-3)
        assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)
        index.add([Document("b", f"{text}\nthirteen fourteen")], embed=False)
        assert [c.text for c in index.passages("b").chunks] == [c.text for c in found.chunks][:2]
        index.add([Document("c", "new")], embed=False)
        assert index.passages("c").vectors.shape == (0, 64)
        with pytest.raises(DocumentNotFound, match="no document 'nope'"):
            index.passages("nope")
