"""VectorIndex against exact search by brute force."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from embedsearch.errors import DimensionMismatch
from embedsearch.vectors import VectorIndex

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    Labels = NDArray[np.int64]
    Vectors = NDArray[np.float32]

SCANNED_FROM = 1_000
DIMENSIONS = 64


def floats(values: ArrayLike) -> Vectors:
    return np.asarray(values, np.float32)


def clustered(rows: int, dimensions: int, *, seed: int = 0) -> Vectors:
    """Unit vectors in clusters, of fewer intrinsic dimensions, as those of texts are."""
    rng = np.random.default_rng(seed)
    centres = 2 * rng.standard_normal((max(1, rows // 50), 12))
    latent = centres[rng.integers(len(centres), size=rows)] + rng.standard_normal((rows, 12))
    vectors = latent @ rng.standard_normal((12, dimensions))
    vectors += 0.3 * rng.standard_normal((rows, dimensions))
    return floats(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def shuffled(rows: int) -> Labels:
    return np.random.default_rng(1).permutation(rows) + 1


def exact(labels: Labels, vectors: Vectors, query: Vectors, k: int) -> Labels:
    order = np.lexsort((labels, -(vectors @ query)))
    return labels[order[:k]]


def each(index: VectorIndex, queries: Vectors, k: int) -> Labels:
    """Return what is found for each of the queries, (q, k)."""
    return np.array([index.search(query, k)[0] for query in queries])


def recall(found: Labels, expected: Labels) -> float:
    pairs = zip(found, expected, strict=True)
    return float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in pairs]))


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return clustered(4_000, DIMENSIONS)


@pytest.fixture(scope="module")
def labels() -> Labels:
    return shuffled(4_000)


@pytest.fixture(scope="module")
def saved(labels: Labels, vectors: Vectors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("index") / "vectors.faiss"
    VectorIndex.build(labels, vectors, flat_below=SCANNED_FROM).save(path, {})
    return path


@pytest.fixture
def scanned(saved: Path) -> VectorIndex:
    """Return a fast-scan index that the test may change."""
    return VectorIndex.load(saved)[0]


def expected(
    labels: Labels, vectors: Vectors, queries: Vectors, k: int, allowed: Labels | None = None
) -> Labels:
    kept = np.ones(len(labels), bool) if allowed is None else np.isin(labels, allowed)
    return np.array([exact(labels[kept], vectors[kept], query, k) for query in queries])


# Exact search


def test_finds_the_best_first_with_their_scores() -> None:
    index = VectorIndex(2)
    index.add(np.array([7, 3, 5]), floats([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]))

    labels, scores = index.search(floats([0, 1]), 2)

    assert labels.tolist() == [3, 5]
    assert scores.tolist() == pytest.approx([1, 0.8])


def test_of_equal_scores_the_lower_label_comes_first() -> None:
    index = VectorIndex(2)
    index.add(np.array([9, 2, 4, 1]), floats([[1, 0], [1, 0], [1, 0], [0, 1]]))

    assert index.search(floats([1, 0]), 2)[0].tolist() == [2, 4]


def test_an_empty_index_finds_nothing() -> None:
    labels, scores = VectorIndex(3).search(floats([1, 0, 0]), 10)

    assert labels.shape == scores.shape == (0,)


@pytest.mark.parametrize("k", [1, 10, 1_000, 10**9])
def test_returns_k_or_all_there_are(k: int, scanned: VectorIndex, vectors: Vectors) -> None:
    labels, scores = scanned.search(vectors[0], k)

    assert len(np.unique(labels)) == min(k, len(vectors))
    assert (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("k", [0, -1])
def test_refuses_a_k_below_one(k: int) -> None:
    with pytest.raises(ValueError, match="k must be at least 1"):
        VectorIndex(2).search(floats([1, 0]), k)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_refuses_components_that_are_not_finite(value: float) -> None:
    index = VectorIndex(2)

    with pytest.raises(ValueError, match="must be finite"):
        index.add(np.array([1]), floats([[1, value]]))
    with pytest.raises(ValueError, match="must be finite"):
        index.search(floats([1, value]), 1)


@pytest.mark.parametrize("shape", [(1, 3), (1, 1), (2,), (0, 3)])
def test_refuses_vectors_of_another_length(shape: tuple[int, ...]) -> None:
    with pytest.raises(DimensionMismatch, match=r"expected the shape \(n, 2\)"):
        VectorIndex(2).add(np.arange(shape[0]) + 1, np.zeros(shape, np.float32))


def test_refuses_queries_of_another_length() -> None:
    with pytest.raises(DimensionMismatch, match=r"expected the shape \(2,\), not \(3,\)"):
        VectorIndex(2).search(np.zeros(3, np.float32), 1)


@pytest.mark.parametrize(
    ("labels", "message"),
    [([1, 5], "label 5 is already"), ([2, 2], "must differ"), ([0, 1], "positive"), ([1], "2 lab")],
)
def test_refuses_labels_and_changes_nothing(labels: list[int], message: str) -> None:
    index = VectorIndex(2)
    index.add(np.array([5]), floats([[1, 0]]))

    with pytest.raises(ValueError, match=message):
        index.add(np.array(labels), floats([[0, 1], [0, 1]]))

    assert index.search(floats([0, 1]), 9)[0].tolist() == [5]


def test_adding_nothing_is_fine() -> None:
    index = VectorIndex(2)
    index.add(np.empty(0, np.int64), np.empty((0, 2), np.float32))

    assert len(index) == 0


# Tombstones


def test_removed_rows_are_not_found() -> None:
    index = VectorIndex(2)
    index.add(np.array([1, 2, 3]), floats([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]))
    query = floats([1, 0])

    index.remove(np.array([1, 77]))
    assert (len(index), index.dead) == (2, 1)
    assert index.wasted == pytest.approx(1 / 3)
    assert index.search(query, 9)[0].tolist() == [2, 3]


def test_a_tombstoned_label_can_be_given_to_another_vector() -> None:
    index = VectorIndex(2)
    index.add(np.array([1, 2]), floats([[1.0, 0.0], [0.8, 0.6]]))
    index.remove(np.array([1]))
    index.add(np.array([1]), floats([[0, 1]]))

    assert index.scores(floats([0, 1]), np.array([1, 2])).tolist() == pytest.approx([1, 0.6])
    assert (len(index), index.dead) == (2, 1)

    index.compact()
    assert index.search(floats([0, 1]), 9)[0].tolist() == [1, 2]
    assert (len(index), index.dead) == (2, 0)


def test_scores_are_nan_where_there_is_no_live_vector() -> None:
    index = VectorIndex(2)
    index.add(np.array([1, 2]), floats([[1.0, 0.0], [0.8, 0.6]]))
    index.remove(np.array([2]))

    scores = index.scores(floats([1, 0]), np.array([2, 1, 3, -4, 0, 1]))

    assert np.isnan(scores).tolist() == [True, False, True, True, True, False]
    assert scores[[1, 5]].tolist() == [1, 1]


def test_vectors_are_given_as_stored_and_zeros_where_none_is_live(
    scanned: VectorIndex, vectors: Vectors
) -> None:
    index = VectorIndex(2)
    index.add(np.array([1, 2]), floats([[1.0, 0.0], [0.8, 0.6]]))
    index.remove(np.array([1]))

    assert index.vectors(np.array([2, 1, 7, 0])).tolist() == [
        pytest.approx([0.8, 0.6]),
        *([[0.0, 0.0]] * 3),
    ]
    labels, scores = scanned.search(vectors[0], 3)
    assert scanned.vectors(labels) @ vectors[0] == pytest.approx(scores, abs=1e-5)


def test_a_sample_is_drawn_evenly_from_the_live_rows() -> None:
    index = VectorIndex(1)
    index.add(np.array([9, 2, 4, 1, 7, 3]), floats([[1.0]] * 6))
    index.remove(np.array([3]))
    assert index.sample(9).tolist() == [9, 2, 4, 1, 7]
    assert index.sample(3).tolist() == [9, 4, 7]
    index.compact()
    assert index.sample(3).tolist() == [9, 4, 7]
    assert VectorIndex(1).sample(3).tolist() == []


# The fast scan


@pytest.mark.parametrize("dead", [0.0, 0.3])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.01, 0.001])
def test_recall_holds_under_filters_and_tombstones(
    dead: float,
    share: float,
    scanned: VectorIndex,
    labels: Labels,
    vectors: Vectors,
) -> None:
    rng = np.random.default_rng(2)
    removed = labels[rng.random(len(labels)) < dead]
    scanned.remove(removed)
    allowed = np.setdiff1d(labels[rng.random(len(labels)) < share], removed)
    queries = clustered(4_000, DIMENSIONS)[rng.choice(4_000, 50)]
    unknown = np.array([10**12, 5_000, -3, 0])
    given = np.concatenate([rng.permutation(allowed), unknown, removed])
    selection = scanned.selection(given)

    found = np.array([scanned.search(query, 10, allowed=selection)[0] for query in queries])

    wanted = expected(labels, vectors, queries, 10, allowed)
    assert found.shape == wanted.shape
    assert recall(found, wanted) >= 0.98
    assert scanned.search(queries[0], 10, allowed=given)[0].tolist() == found[0].tolist()


def test_the_fast_scan_is_calibrated_on_its_own_rows(scanned: VectorIndex) -> None:
    assert VectorIndex(8).recall == 1
    assert 0.98 <= scanned.recall <= 1


def test_measuring_recall_holds_the_scores_of_few_rows_at_a_time() -> None:
    rows = 50_000
    labels, vectors = shuffled(rows), clustered(rows, 16)
    tracemalloc.start()
    try:
        index = VectorIndex.build(labels, vectors, flat_below=SCANNED_FROM)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert index.recall < 1  # it was measured
    assert peak < 16 * 1024 * 1024  # scores of 128 rows against all of them take 26 MB


def test_queries_that_lie_between_the_rows_find_as_much() -> None:
    rows, rng = 20_000, np.random.default_rng(5)
    labels, vectors = shuffled(rows), clustered(rows, DIMENSIONS)
    index = VectorIndex.build(labels, vectors, flat_below=SCANNED_FROM)
    one, other = vectors[rng.integers(rows, size=(2, 200))]
    queries = one + other

    found = each(index, queries, 10)

    assert recall(found, expected(labels, vectors, queries, 10)) >= 0.98


def test_a_deep_search_keeps_its_recall_with_fewer_candidates_for_each_result() -> None:
    rows, k = 20_000, 300
    labels, vectors = shuffled(rows), clustered(rows, DIMENSIONS)
    index = VectorIndex.build(labels, vectors, flat_below=SCANNED_FROM)
    queries = vectors[::1_000]
    found = each(index, queries, k)
    assert recall(found, expected(labels, vectors, queries, k)) >= 0.98


def test_an_index_that_grows_past_the_flat_rung_keeps_its_recall(
    labels: Labels, vectors: Vectors
) -> None:
    index = VectorIndex(DIMENSIONS, flat_below=SCANNED_FROM)
    for start in range(0, len(labels), 130):
        index.add(labels[start : start + 130], vectors[start : start + 130])

    queries = vectors[::100]
    found = each(index, queries, 10)

    assert len(index) == len(labels)
    assert recall(found, expected(labels, vectors, queries, 10)) >= 0.98


def test_scores_are_inner_products_to_a_thousandth(
    scanned: VectorIndex, labels: Labels, vectors: Vectors
) -> None:
    query = vectors[3]

    scores = scanned.scores(query, labels)

    np.testing.assert_allclose(scores, vectors @ query, atol=4e-3)
    found, found_scores = scanned.search(query, 10)
    assert found_scores.tolist() == pytest.approx(scanned.scores(query, found).tolist())


def test_compacting_loses_no_accuracy(
    scanned: VectorIndex, labels: Labels, vectors: Vectors
) -> None:
    gone = labels[::3]
    scanned.remove(gone)
    kept = ~np.isin(labels, gone)
    query = vectors[1]
    before = scanned.scores(query, labels[kept])
    selection = scanned.selection(labels[:2_000])

    scanned.compact()

    assert (scanned.dead, len(scanned)) == (0, kept.sum())
    assert scanned.scores(query, labels[kept]).tolist() == pytest.approx(before.tolist())
    found = each(scanned, vectors[::50], 10)
    assert recall(found, expected(labels[kept], vectors[kept], vectors[::50], 10)) >= 0.98
    found, _ = scanned.search(query, 10**9, allowed=selection)
    assert sorted(found) == sorted(labels[:2_000][kept[:2_000]])


def test_rows_added_after_compacting_are_found(
    scanned: VectorIndex, labels: Labels, vectors: Vectors
) -> None:
    scanned.remove(labels[::3])
    scanned.compact()
    scanned.add(labels[::3], vectors[::3])

    found = each(scanned, vectors[::50], 10)

    assert recall(found, expected(labels, vectors, vectors[::50], 10)) >= 0.98


@pytest.mark.parametrize("dimensions", [1, 3, 16, 17, 33])
def test_any_number_of_dimensions_does(dimensions: int) -> None:
    vectors, labels = clustered(1_500, dimensions), shuffled(1_500)
    index = VectorIndex.build(labels, vectors, flat_below=SCANNED_FROM)

    scores = np.array([index.search(query, 10)[1] for query in vectors[:20]])

    wanted = np.sort(vectors[:20] @ vectors.T)[:, ::-1][:, :10]
    np.testing.assert_allclose(scores, wanted, atol=0.02)


def test_equal_vectors_by_the_thousand_are_no_trouble() -> None:
    vectors = np.repeat(clustered(1, 32), 1_200, axis=0)
    index = VectorIndex.build(shuffled(1_200), vectors, flat_below=SCANNED_FROM)

    labels, scores = index.search(vectors[0], 1_200)

    assert labels.tolist() == list(range(1, 1_201))
    np.testing.assert_allclose(scores, 1, atol=4e-3)


def test_building_twice_gives_the_same_index(
    scanned: VectorIndex, labels: Labels, vectors: Vectors
) -> None:
    again = VectorIndex.build(labels, vectors, flat_below=SCANNED_FROM)

    for query in vectors[:50]:
        assert again.search(query, 20)[0].tolist() == scanned.search(query, 20)[0].tolist()


# Everything at once, against a dict

FEW = 16
label_lists = st.lists(st.integers(-1, 60), max_size=40)


class Model(RuleBasedStateMachine):
    """An index beside a dict of live vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.index = VectorIndex(FEW)
        self.live: dict[int, Vectors] = {}
        self.rng = np.random.default_rng(0)

    @rule(wanted=st.sets(st.integers(1, 60), max_size=30))
    def add(self, wanted: set[int]) -> None:
        new = [label for label in wanted if label not in self.live]
        # Few values: equal vectors and equal scores abound.
        vectors = floats(self.rng.integers(-1, 2, size=(len(new), FEW)))
        self.index.add(np.array(new, np.int64), vectors)
        self.live |= dict(zip(new, vectors, strict=True))

    @rule(labels=label_lists)
    def remove(self, labels: list[int]) -> None:
        self.index.remove(np.array(labels, np.int64))
        self.live = {label: v for label, v in self.live.items() if label not in labels}

    @rule(more=st.integers(0, 100))
    def reserve(self, more: int) -> None:
        self.index.reserve(more)

    @precondition(lambda self: self.index.dead)
    @rule()
    def compact(self) -> None:
        self.index.compact()

    @rule(k=st.integers(1, 80), allowed=st.none() | label_lists)
    def search(self, k: int, allowed: list[int] | None) -> None:
        query = floats(self.rng.integers(-1, 2, size=FEW))
        given = None if allowed is None else np.array(allowed, np.int64)
        rows = [
            (-float(vector @ query), label)
            for label, vector in self.live.items()
            if allowed is None or label in allowed
        ]

        labels, scores = self.index.search(query, k, allowed=given)

        best = sorted(rows)[:k]
        assert labels.tolist() == [label for _, label in best]
        assert scores.tolist() == [-score for score, _ in best]

    @invariant()
    def counts_agree(self) -> None:
        assert len(self.index) == len(self.live)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_k_come_back_from_the_fast_scan_whatever_the_filter(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    vectors, labels = clustered(1_200, 20), shuffled(1_200)
    index = VectorIndex.build(labels, vectors, flat_below=SCANNED_FROM)
    index.remove(labels[rng.random(1_200) < data.draw(st.floats(0, 1))])
    allowed = labels[rng.random(1_200) < data.draw(st.floats(0, 1))]
    live = allowed[~np.isnan(index.scores(vectors[0], allowed))]
    k = data.draw(st.integers(1, 1_300))

    found, scores = index.search(vectors[int(rng.integers(1_200))], k, allowed=allowed)

    assert len(found) == min(k, len(live))
    assert len(np.unique(found)) == len(found)
    assert np.isin(found, live).all()
    assert (np.diff(scores) <= 0).all()
