"""The nearest rows of many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedsearch.vectors.neighbours import Neighbours, neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray


def units(n: int, d: int = 16, seed: int = 0) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def test_they_are_those_of_all_pairs() -> None:
    rows, queries = units(500), units(70, seed=1)
    similarities, found = neighbours(rows, 5, queries)
    every = queries @ rows.T
    assert (found == np.argsort(-every, axis=1)[:, :5]).all()
    assert np.allclose(similarities, np.take_along_axis(every, found, axis=1), atol=1e-6)


def test_a_row_finds_itself_first() -> None:
    rows = units(300)
    similarities, found = neighbours(rows, 2)
    assert (found[:, 0] == np.arange(300)).all()
    assert np.allclose(similarities[:, 0], 1, atol=1e-5)


def test_many_rows_are_searched_by_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    centres = units(50, seed=2)
    rows = centres[np.arange(5_000) % 50] + 0.1 * units(5_000, seed=3)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    similarities, exact = neighbours(rows, 10)
    monkeypatch.setattr("embedsearch.vectors.neighbours.EXACT_PAIRS", 1)
    near, found = neighbours(rows, 10)
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, found, strict=True)])
    assert recall > 0.95
    assert np.abs(near - np.vecdot(rows[found], rows[:, np.newaxis])).max() < 1e-4
    assert (near <= similarities + 1e-4).all()


@pytest.mark.parametrize("k", [0, 4])
def test_k_is_within_the_rows(k: int) -> None:
    with pytest.raises(ValueError, match=f"expected k from 1 to the 3 rows there are, got {k}"):
        neighbours(units(3), k)


def test_no_queries_find_nothing() -> None:
    similarities, found = neighbours(units(3), 2, units(0))
    assert similarities.shape == found.shape == (0, 2)


@pytest.mark.parametrize("probes", [None, 3])
def test_the_rows_can_be_read_again(probes: int | None) -> None:
    rows = units(200)
    assert (Neighbours(rows, probes=probes).vectors == rows).all()
