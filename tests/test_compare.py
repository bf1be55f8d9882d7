"""What is alike, what is odd, what a collection is made of: against oracles and known answers."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedsearch import Document, Index
from embedsearch.compare import (
    clusters,
    diverse,
    diversity,
    drift,
    duplicates,
    layout,
    oddity,
    shifts,
    wanted,
)
from embedsearch.compare.clustering import distinctive
from embedsearch.compare.page import page, points
from embedsearch.errors import DimensionMismatch, MissingDependency
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


def units(n: int, d: int = 16, seed: int = 0) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def groups(k: int, each: int, spread: float = 0.1) -> NDArray[np.float32]:
    """Return k groups of rows one after the other, around axes of their own."""
    rows = np.repeat(np.eye(16, dtype=np.float32)[:k], each, axis=0)
    rows = rows + spread * units(k * each, seed=1)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def test_clusters_are_the_groups_there_are_and_as_many() -> None:
    found = clusters(groups(6, 50))
    assert sorted(sorted(cluster.rows) for cluster in found) == [
        list(range(50 * n, 50 * n + 50)) for n in range(6)
    ]
    assert clusters(groups(6, 50))[0].rows.tolist() == found[0].rows.tolist()


def test_of_many_rows_some_say_how_many_clusters_there_are_and_name_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("embedsearch.compare.clustering.CHOSEN_ON", 60)
    monkeypatch.setattr("embedsearch.compare.clustering.NAMED_BY", 30)
    texts = [f"{word} text" for word in ("refund", "login", "card") for _ in range(50)]
    found = clusters(groups(3, 50), texts)
    assert sorted(sorted(cluster.rows) for cluster in found) == [
        list(range(50 * n, 50 * n + 50)) for n in range(3)
    ]
    assert sorted(cluster.terms[0] for cluster in found) == ["card", "login", "refund"]


def test_the_most_central_rows_stand_for_a_cluster() -> None:
    rows = groups(2, 40)
    for cluster in clusters(rows, k=2):
        own = rows[cluster.rows]
        centre = own.sum(axis=0) / np.linalg.norm(own.sum(axis=0))
        assert (np.diff(own @ centre) <= 1e-3).all()
        assert cluster.cohesion == pytest.approx(float((own @ centre).mean()), abs=1e-3)
        assert cluster.representatives == cluster.rows[:3].tolist()


def test_clusters_are_named_by_what_sets_them_apart() -> None:
    texts = [
        "the refund of money",
        "money back: a refund",
        "a lost password",
        "password lost again",
    ]
    assert [set(terms) for terms in distinctive([texts[:2], texts[2:]], n=2)] == [
        {"refund", "money"},
        {"lost", "password"},
    ]
    assert distinctive([["the of"], ["and"]]) == [(), ()]


def test_few_rows_are_clusters_too() -> None:
    assert [c.rows.tolist() for c in clusters(units(1))] == [[0]]
    assert len(clusters(units(5), k=5)) == 5
    with pytest.raises(ValueError, match="expected k from 1 to the 5 documents there are, got 6"):
        clusters(units(5), k=6)
    with pytest.raises(ValueError, match="nothing to cluster"):
        clusters(units(0))


def test_oddity_is_one_less_the_mean_cosine_to_the_nearest_others() -> None:
    rows = units(60)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -2)
    expected = 1 - np.sort(cosines, axis=1)[:, -5:].mean(axis=1)
    assert np.allclose(oddity(rows, 5), expected, atol=1e-5)


def test_copies_are_not_odd_and_a_row_alone_is() -> None:
    rows = np.concatenate([np.repeat(units(1), 30, axis=0), units(1, seed=5)])
    odd = oddity(rows)
    assert odd.argmax() == 30
    assert np.allclose(odd[:30], 0, atol=1e-5)
    assert oddity(units(1)).tolist() == [1]


@given(st.integers(2, 30), st.integers(0, 100))
def test_diversity_is_that_of_all_pairs(n: int, seed: int) -> None:
    rows = units(n, d=8, seed=seed)
    cosines = (rows @ rows.T).astype(np.float64)
    found = diversity(rows)
    pairs = cosines[np.triu_indices(n, 1)]
    assert found.dissimilarity == pytest.approx(1 - pairs.mean(), abs=1e-5)
    shares = np.linalg.eigvalsh(cosines / n)
    shares = shares[shares > 1e-9]
    assert found.kinds == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-3)


def test_copies_are_one_kind_and_strangers_many() -> None:
    assert diversity(np.repeat(units(1), 9, axis=0)).kinds == pytest.approx(1, abs=1e-3)
    assert diversity(np.eye(9, dtype=np.float32)).kinds == pytest.approx(9, abs=1e-3)
    assert diversity(np.eye(9, dtype=np.float32)).dissimilarity == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="nothing to measure"):
        diversity(units(0))


def test_a_diverse_sample_has_a_row_of_each_group() -> None:
    assert {row // 20 for row in diverse(groups(8, 20), 8)} == set(range(8))
    assert sorted(diverse(units(5), 5)) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="a sample of 1 to 5 documents, got 6"):
        diverse(units(5), 6)


@pytest.mark.parametrize("pool", [1, 7, 500])
def test_a_sample_is_the_same_however_few_rows_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, pool: int
) -> None:
    monkeypatch.setattr("embedsearch.compare.variety.POOL", pool)
    rows = units(300, seed=5)
    expected = [int((rows @ rows.sum(axis=0)).argmax())]
    while len(expected) < 40:
        nearest = (rows @ rows[expected].T).max(axis=1)
        nearest[expected] = np.inf
        expected.append(int(nearest.argmin()))
    assert diverse(rows, 40) == expected
    assert sorted(diverse(rows, 300)) == list(range(300))


@pytest.fixture
def approximate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedsearch.vectors.neighbours.EXACT_PAIRS", 1)


@pytest.mark.usefixtures("approximate")
def test_of_many_rows_duplicates_are_found_by_lists() -> None:
    rows = np.concatenate([groups(16, 20), groups(16, 20)])
    texts = [f"{n:04}" for n in range(len(rows))]
    found = duplicates(rows, texts, threshold=0.9999)
    assert [(group.keep, group.others) for group in found] == [(n, (n + 320,)) for n in range(320)]


def test_the_oddest_of_many_rows_are_as_odd_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.concatenate([groups(16, 60), units(8, seed=9)])
    exact = oddity(rows, 10)
    monkeypatch.setattr("embedsearch.compare.oddities.LOOKED_AT_AGAIN", 20)
    monkeypatch.setattr("embedsearch.vectors.neighbours.EXACT_PAIRS", 20 * len(rows))
    odd = oddity(rows, 10)
    oddest = np.argsort(-exact)[:8]
    assert odd[oddest] == pytest.approx(exact[oddest], abs=1e-6)
    assert (odd >= exact - 1e-3).all()


def test_what_is_new_among_many_rows_is_so_for_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = units(900, seed=2), units(900, seed=3)
    near = float(np.sort((b @ a.T).max(axis=1))[40])
    expected = drift(a, b, near=near)
    for module in ("vectors.neighbours", "compare.drifting"):
        monkeypatch.setattr(f"embedsearch.{module}.EXACT_PAIRS", 800 * 900)
    found = drift(a, b, near=near)
    assert found.new == expected.new
    assert found.nearest_new == pytest.approx(expected.nearest_new, abs=1e-6)


def test_of_what_says_the_same_the_longest_is_kept() -> None:
    rows = units(6)
    rows[3] = rows[0]
    rows[4] = rows[1]
    texts = ["short", "same", "alone", "much longer", "same", "other"]
    first, second = duplicates(rows, texts)
    assert (first.keep, first.others, first.exact) == (1, (4,), True)
    assert (second.keep, second.others, second.exact) == (3, (0,), False)
    assert second.similarities == pytest.approx((1.0,))


def test_equal_texts_are_duplicates_whatever_their_vectors_but_not_blank_ones() -> None:
    found = duplicates(units(5), ["a", " ", "a", " ", "b"])
    assert [(group.keep, group.others) for group in found] == [(0, (2,))]
    assert duplicates(units(1), ["a"]) == []


def test_unread_texts_are_duplicates_of_equal_ones_alone() -> None:
    rows = np.tile(units(1), (6, 1))
    texts = ["longest", "b", "long", "b", " ", "other"]
    found = duplicates(rows, texts, unread=[False, True, False, True, True, True])
    assert [(group.keep, group.others, group.exact) for group in found] == [
        (0, (2,), False),
        (1, (3,), True),
    ]
    assert duplicates(rows, list("abcdef"), unread=np.ones(6, np.bool_)) == []
    with pytest.raises(ValueError, match="for each of 6 texts whether it is unread, got shape"):
        duplicates(rows, texts, unread=[True])


def test_what_is_near_is_joined_however_many_there_are() -> None:
    one, other = units(2, seed=4)
    between = (one + 0.2 * other) / np.linalg.norm(one + 0.2 * other)
    clumps = np.concatenate([np.tile(one, (40, 1)), np.tile(between, (40, 1))])
    rows = clumps + 1e-3 * units(80, seed=6)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    threshold = float((rows[:40] @ rows[40:].T).min())
    (group,) = duplicates(rows, [str(n) for n in range(80)], threshold=threshold)
    assert len(group.others) == 79


@given(st.integers(0, 60), st.integers(0, 200), st.sampled_from([0.5, 0.8, 0.95]))
def test_what_is_given_up_has_a_near_one_that_is_kept(n: int, seed: int, threshold: float) -> None:
    rows = units(n, d=3, seed=seed)
    texts = ["x" * (1 + row % 7) + f" {row % 40:02}" for row in range(n)]
    first = [texts.index(text) for text in texts]  # a text has one vector
    rows = rows[first] if n else rows
    spare: set[int] = set()
    for group in duplicates(rows, texts, threshold=threshold):
        assert not spare & {group.keep, *group.others}
        spare |= set(group.others)
        near = rows[list(group.others)] @ rows[group.keep]
        assert near == pytest.approx(group.similarities, abs=1e-6)
        assert (near >= threshold - 1e-6).all()
        assert max(len(texts[row]) for row in group.others) <= len(texts[group.keep])
        assert group.exact == (len({texts[row] for row in (group.keep, *group.others)}) == 1)
    kept = np.array(sorted(set(range(n)) - spare), np.int64)
    cosines = rows[kept] @ rows[kept].T
    np.fill_diagonal(cosines, -1)
    assert (cosines < threshold + 1e-6).all()


def test_a_chain_of_near_ones_gives_up_only_what_is_near_to_a_kept_one() -> None:
    angles = np.radians([0, 15, 30, 45])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = duplicates(rows, ["longest", "longer", "long", "lo"])
    assert [(group.keep, group.others) for group in found] == [(0, (1,)), (2, (3,))]


def test_the_threshold_of_duplicates_is_a_cosine() -> None:
    rows = np.array([[1, 0], [0.96, 0.28], [0, 1]], np.float32)
    assert duplicates(rows, ["a", "b", "c"], threshold=0.97) == []
    (group,) = duplicates(rows, ["a", "b", "c"], threshold=0.95)
    assert (group.keep, group.others) == (0, (1,))
    with pytest.raises(ValueError, match="threshold above 0 and at most 1, got 2"):
        duplicates(rows, ["a", "b", "c"], threshold=2)


def test_drift_tells_what_is_new_and_gone_the_farthest_first() -> None:
    a, b = groups(4, 30)[30:], groups(4, 30)[:90]
    moved = drift(a, b)
    assert sorted(moved.new) == list(range(30))
    assert sorted(moved.gone) == list(range(60, 90))
    assert moved.nearest_new == sorted(moved.nearest_new)
    assert moved.p_value == 0.001


def test_clusters_that_grew_and_shrank_are_told_the_most_changed_first() -> None:
    rows = groups(2, 60)
    texts = ["refund money"] * 60 + ["lost password"] * 60
    a, b = np.r_[0:50, 60:70], np.r_[50:60, 70:120]
    found = shifts(rows[a], rows[b], [texts[row] for row in (*a, *b)], k=2)
    assert {(s.before, s.after, round(s.change, 4)) for s in found} == {
        (50, 10, -0.6667),
        (10, 50, 0.6667),
    }
    assert "refund" in next(s.terms for s in found if s.change < 0)


def test_what_moved_all_documents_a_little_is_seen_in_their_pairs() -> None:
    then = groups(4, 60)
    now = then + 0.02 * np.eye(len(then[0]), dtype=np.float32)[0]
    now /= np.linalg.norm(now, axis=1, keepdims=True)
    pairs = [(row, row) for row in range(240)]
    assert drift(then, now).p_value > 0.9
    assert drift(then, now, pairs=pairs).p_value == 0.001
    assert drift(then, then, pairs=pairs).p_value == 1
    # A topic that went, and nothing else: no pair has moved, and the whole has.
    assert drift(then, then[60:], pairs=[(row + 60, row) for row in range(180)]).p_value == 0.001
    # As many, of all topics.
    gone = np.flatnonzero(np.arange(240) % 4)
    kept = [(int(row), place) for place, row in enumerate(gone)]
    assert drift(then, then[gone], pairs=kept).p_value > 0.05


@pytest.mark.parametrize("both", [0, 20, 60])
def test_what_chance_moved_is_said_to_have_moved_in_one_of_twenty(both: int) -> None:
    found = []
    for seed in range(30):
        draw = np.random.default_rng(seed)
        then = draw.normal(size=(60, 8)) + 3
        now = np.concatenate([then[60 - both :], draw.normal(size=(60 - both, 8)) + 3])
        sides = [rows + 0.2 * draw.normal(size=rows.shape) for rows in (then, now)]
        a, b = ((r / np.linalg.norm(r, axis=1, keepdims=True)).astype(np.float32) for r in sides)
        pairs = [(60 - both + row, row) for row in range(both)]
        found.append(drift(a, b, pairs=pairs).p_value)
    assert sum(p <= 0.05 for p in found) <= 4  # of 30: more in 2 %
    assert 0.3 < float(np.median(found)) < 0.7


def test_rows_dealt_at_random_have_not_moved() -> None:
    rows = groups(4, 60)
    order = np.random.default_rng(3).permutation(len(rows))
    moved = drift(rows[order[:120]], rows[order[120:]])
    assert (moved.new, moved.gone) == ([], [])
    assert moved.p_value > 0.05
    assert moved.similarity > 0.95
    for pairs in ([(0, 120)], [(-1, 0)]):
        with pytest.raises(ValueError, match="expected pairs of positions below 120 and 120"):
            drift(rows[:120], rows[120:], pairs=pairs)
    assert drift(np.concatenate([rows, -rows]), rows).similarity == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="expected near from -1 to 1, got 80"):
        drift(rows, rows, near=80)
    with pytest.raises(ValueError, match="documents on both sides, got 0 and 240"):
        drift(rows[:0], rows)
    with pytest.raises(ValueError, match="documents on both sides, got 240 and 0"):
        shifts(rows, rows[:0], [""] * 240)


def test_what_is_wanted_is_near_the_liked_and_away_from_the_rest() -> None:
    axes = np.eye(3, dtype=np.float32)
    vector = wanted(axes[:1], axes[1:2])
    assert vector.tolist() == pytest.approx([2 / 5**0.5, -1 / 5**0.5, 0])
    assert wanted(axes[:2]).tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0])
    for less in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"expected less to be 0 or more, got {less}"):
            wanted(np.eye(2, dtype=np.float32), less=less)
    with pytest.raises(ValueError, match="at least one document to be like"):
        wanted(axes[:0])
    with pytest.raises(ValueError, match="nothing is left to look for"):
        wanted(axes[:1], axes[:1], less=1)


def test_a_map_keeps_the_directions_in_which_rows_vary_most() -> None:
    rows = np.zeros((100, 5), np.float32)
    rows[:, 3] = np.linspace(-0.3, 0.3, 100)
    rows[:, 1] = 0.1 * np.sin(np.arange(100))
    rows[:, 0] = np.sqrt(1 - np.square(rows).sum(axis=1))
    places = layout(rows)
    assert abs(np.corrcoef(places[:, 0], rows[:, 3])[0, 1]) == pytest.approx(1, abs=1e-3)
    assert abs(np.corrcoef(places[:, 1], rows[:, 1])[0, 1]) == pytest.approx(1, abs=1e-2)
    assert np.abs(places).max() == pytest.approx(1)
    with pytest.raises(ValueError, match="at least three documents for a map, got 2"):
        layout(rows[:2])
    with pytest.raises(ValueError, match="unknown method 'tsne'"):
        layout(rows, "tsne")  # type: ignore[arg-type] # the point


@pytest.mark.skipif(find_spec("umap") is not None, reason="umap-learn is installed")
def test_umap_says_what_it_needs() -> None:
    with pytest.raises(MissingDependency, match="needs umap-learn"):
        layout(units(5), "umap")


@pytest.mark.skipif(find_spec("umap") is None, reason="umap-learn is not installed")
@pytest.mark.parametrize("n", [3, 4, 60])
def test_umap_places_few_rows_and_many(n: int) -> None:
    places = layout(units(n), "umap")
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()
    assert np.abs(places).max() == pytest.approx(1)


def test_the_page_holds_every_document_and_none_can_break_out() -> None:
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add(
            Document(f"d{n}", f"</script><b>text {n}", {"lang": "en" if n else "de"})
            for n in range(5)
        )
        index.label({"d1": "x"})
        found = index.document_vectors()
        for by, expected in {
            "label": {"x": 1, "(none)": 4},
            "lang": {"en": 4, "de": 1},
        }.items():
            html = page(points(index, found, by=by), by=by)
            assert html.count("</script>") == 1
            data = json.loads(re.search(r"const data = (.*);\n", html)[1])  # type: ignore[index] # it is there
            assert {g["name"]: g["count"] for g in data["groups"]} == expected
            assert data["texts"][3] == "</script><b>text 3"
            assert len(data["x"]) == len(data["of"]) == 5


def test_the_page_shows_some_of_many_documents_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedsearch.compare.page.DRAWN", 6)
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add(Document(f"d{n}", f"text {n}") for n in range(20))
        drawn = points(index, index.document_vectors())
    assert (len(drawn.ids), drawn.places.shape, drawn.total) == (6, (6, 2), 20)
    assert [text.split()[1] for text in drawn.texts] == [id_[1:] for id_ in drawn.ids]
    html = page(drawn)
    assert '"total": 20' in html
    assert "drawn at random from" in html


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, 3.0])
@pytest.mark.parametrize(
    "compare",
    [
        lambda rows: clusters(rows, k=2),
        lambda rows: duplicates(rows, [f"text {n}" for n in range(len(rows))]),
        lambda rows: drift(rows[:4], rows[4:]),
        oddity,
        lambda rows: diverse(rows, 3),
        diversity,
        layout,
        wanted,
    ],
)
def test_what_is_no_unit_vector_is_refused_by_its_position(
    compare: Callable[[Vectors], object], bad: float
) -> None:
    rows = np.tile(np.eye(4, dtype=np.float32), (2, 1))
    compare(rows)
    rows[3] = bad
    with pytest.raises(ValueError, match=r"expected unit vectors, got one of .* at position 3"):
        compare(rows)


def test_numbers_and_texts_may_be_numpys() -> None:
    rows, two = groups(3, 10), cast("Any", np.int64(2))
    texts = [f"{'abc'[n // 10] * 3} text {n}" for n in range(30)]
    asked: list[tuple[Any, ...]] = [(texts, 3, 7), (np.array(texts), np.int64(3), np.int64(7))]
    found = [
        [(cluster.rows.tolist(), cluster.terms) for cluster in clusters(rows, said, k, seed=seed)]
        for said, k, seed in asked
    ]
    assert found[0] == found[1]
    assert {terms[0] for _, terms in found[0]} == {"aaa", "bbb", "ccc"}
    assert oddity(rows, two).tolist() == oddity(rows, 2).tolist()
    assert diverse(rows, two) == diverse(rows, 2)
    assert duplicates(rows, cast("Any", np.array(texts))) == duplicates(rows, texts)
    made: list[tuple[Callable[[], object], str]] = [
        (lambda: clusters(rows, k=2.5), "k as a whole number, got 2.5"),  # type: ignore[arg-type]
        (lambda: clusters(rows, seed=None), "seed as a whole number, got None"),  # type: ignore[arg-type]
        (lambda: clusters(rows, [5] * 30), "a list of texts, got 5 in it"),  # type: ignore[list-item]
        (lambda: oddity(rows, 2.5), "k as a whole number, got 2.5"),  # type: ignore[arg-type]
        (lambda: diverse(rows, 2.5), "n as a whole number, got 2.5"),  # type: ignore[arg-type]
        (lambda: duplicates(rows, "a" * 30), "a list of texts, got one: put 'a"),
    ]
    for make, told in made:
        with pytest.raises(TypeError, match=f"^expected {told}"):
            make()


def test_vectors_of_two_spaces_are_not_compared() -> None:
    a, b = np.eye(4, dtype=np.float32), np.eye(7, dtype=np.float32)
    with pytest.raises(DimensionMismatch, match="of one space, got 4 and 7 components"):
        drift(a, b)
    with pytest.raises(DimensionMismatch, match="of one space, got 4 and 7 components"):
        wanted(a, b)


def test_clusters_want_a_text_for_each_vector() -> None:
    with pytest.raises(ValueError, match="a text for each vector, got 2 for 4"):
        clusters(np.eye(4, dtype=np.float32), ["one", "two"], k=2)
