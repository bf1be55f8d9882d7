"""Calibration, abstention, sets of labels, and labels that are probably wrong.

Blobs of 12 components are no texts, and many are near all others: hence ``alike=1``.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.stats import betabinom, binom
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.preprocessing import normalize

from embedsearch.classify import (
    KNNClassifier,
    ProbeClassifier,
    SelectiveClassifier,
    coverage_table,
    expected_calibration_error,
    suspects,
)
from embedsearch.classify.calibration import fitted_temperature, reliability, softened
from embedsearch.classify.logistic import TEMPERATURE
from embedsearch.classify.saving import dumps, loads
from embedsearch.evaluate import evaluate_several
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from numpy.typing import NDArray


def blobs(
    n: int, seed: int = 0, noise: float = 0.45
) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(4, 12))
    y = rng.integers(4, size=n)
    rows = centres[y] + 2 * noise * rng.normal(size=(n, 12))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float32), np.array(["north", "east", "south", "west"])[y]


def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    sure = [0.6, 0.6, 0.9, 0.9]
    right = [True, False, True, True]
    assert expected_calibration_error(sure, right, bins=2) == pytest.approx(0.1)
    assert expected_calibration_error([1.0], [True]) == 0


def test_the_order_of_texts_of_one_confidence_means_nothing() -> None:
    right = np.arange(100) < 50
    assert expected_calibration_error([0.5] * 100, right) == 0
    assert expected_calibration_error([0.5] * 100, right[::-1]) == 0
    parts = reliability([0.5] * 90 + [1.0] * 10, [*right[5:95], *[True] * 10], bins=5)
    assert [part.accuracy for part in parts] == pytest.approx([0.5] * 4 + [0.75])


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_it_lies_between_0_and_1(pairs: list[tuple[float, bool]]) -> None:
    sure, right = zip(*pairs, strict=True)
    assert 0 <= expected_calibration_error(sure, right) <= 1


@pytest.mark.parametrize(
    ("sure", "right", "fault"),
    [
        ([], [], "at least one text"),
        ([1.5], [True], "from 0 to 1"),
        ([float("nan")], [True], "from 0 to 1"),
        ([0.5, 0.5], [True], "shape"),
    ],
)
def test_what_is_no_confidence_is_refused(sure: list[float], right: list[bool], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        expected_calibration_error(sure, right)


def test_no_bins_and_no_shares_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 1 bin, got 0"):
        expected_calibration_error([0.5], [True], bins=0)
    with pytest.raises(ValueError, match=r"expected coverages from 0 to 1, got 1\.5"):
        coverage_table([0.5], [True], coverages=[1.5])


def test_the_surest_answers_come_first_in_the_table() -> None:
    rows = coverage_table([0.9, 0.8, 0.7, 0.6], [True, True, False, False], coverages=[0.5, 1])
    assert [(row.coverage, row.confidence, row.accuracy, row.texts) for row in rows] == [
        (0.5, 0.8, 1.0, 2),
        (1.0, 0.6, 0.5, 4),
    ]


def test_equal_confidences_are_answered_together() -> None:
    (row,) = coverage_table([0.5, 0.5, 0.5], [True, True, False], coverages=[0.3])
    assert (row.coverage, row.texts) == (1, 3)


def test_the_temperature_that_made_the_labels_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = 4 * rng.normal(size=(5_000, 6))
    true = softened(logits, 2.5)
    labels = (true.cumsum(axis=1) > rng.random((5_000, 1))).argmax(axis=1)

    def loss(temperature: float) -> float:
        return float(-np.log(softened(logits, temperature)[np.arange(5_000), labels]).mean())

    assert fitted_temperature(loss, 0.4, 5_000) == pytest.approx(2.5, rel=0.1)
    assert fitted_temperature(lambda _: 0.0, 0.4, 1) == pytest.approx(0.4, rel=0.01)


@pytest.fixture(scope="module")
def selective() -> SelectiveClassifier:
    return SelectiveClassifier(LogisticRegression(C=10), unlike=None, alike=1).fit(*blobs(3_000))


def test_the_promises_hold_in_a_hundred_draws(selective: SelectiveClassifier) -> None:
    rows, y = blobs(5_000, seed=1)
    rng = np.random.default_rng(0)
    broken, covered, answered = 0, [], []
    for _ in range(100):
        order = rng.permutation(len(rows))
        own, others = order[:500], order[500:]
        selective.calibrate(rows[own], y[own])
        answers = selective.predict(rows[others])
        told = np.array([answer is not None for answer in answers])
        broken += float((answers[told] != y[others][told]).mean()) > 0.05
        answered.append(told.mean())
        columns = np.searchsorted(selective.classes_, y[others])
        held = selective.predict_set(rows[others])[np.arange(len(others)), columns]
        covered.append(int(held.sum()))
    low, high = betabinom.ppf([0.025, 0.975], 4_500, 501 - 50, 50)
    inside = sum(low <= count <= high for count in covered)
    assert broken <= binom.ppf(0.99, 100, 0.05)
    assert np.mean(answered) > 0.5
    assert binom.ppf(0.001, 100, 0.95) <= inside
    assert np.mean(covered) / 4_500 == pytest.approx(0.9, abs=0.01)


def test_what_is_not_answered_is_none(selective: SelectiveClassifier) -> None:
    rows, y = blobs(1_000, seed=2)
    answers = selective.predict(rows)
    told = np.array([answer is not None for answer in answers])
    assert 0 < told.mean() < 1
    sure = selective.predict_proba(rows).max(axis=1)
    assert (told == (sure > selective.threshold_)).all()
    assert selective.score(rows, y) == (answers[told] == y[told]).mean() > 0.95


def test_too_few_examples_answer_nothing_and_say_so() -> None:
    rows, y = blobs(60)
    told = (
        "^nothing will be answered: to show that at most 5% of the answers are wrong takes 59 "
        "held-out examples or more, got 12; label more, or allow more errors$"
    )
    with pytest.warns(UserWarning, match=told):
        model = SelectiveClassifier(LogisticRegression()).fit(rows, y)
    assert set(model.predict(rows)) == {None}
    assert np.isnan(model.score(rows, y))


def test_so_few_are_enough_for_a_promise_as_is_said() -> None:
    rows, y = blobs(2_000, noise=0.1)
    model = SelectiveClassifier(LogisticRegression(C=10), unlike=None, alike=1).fit(rows, y)
    rows, y = blobs(200, seed=1, noise=0.1)
    right = np.flatnonzero(model.estimator_.predict(rows) == y)
    assert set(model.calibrate(rows[right[:59]], y[right[:59]]).predict(rows[:5])) == set(y[:5])
    with pytest.warns(UserWarning, match="takes 59 held-out examples or more, got 58;"):
        model.calibrate(rows[right[:58]], y[right[:58]])


def test_sets_hold_every_label_where_too_few_examples_can_promise(
    selective: SelectiveClassifier,
) -> None:
    rows, y = blobs(2_000, seed=1)
    selective.calibrate(rows, y)
    assert selective.predict_set(rows[:5], alpha=1e-4).all()


def test_a_text_unlike_all_examples_is_not_answered() -> None:
    embedder = HashEmbedder(256)
    rng = np.random.default_rng(0)
    words = {
        "money": ["refund", "cash", "fee", "pay", "bill", "charge", "coin", "bank"],
        "card": ["pin", "chip", "lost", "limit", "stolen", "block", "swipe", "expire"],
    }
    y = ["money", "card"] * 600
    texts = [" ".join(rng.choice(words[label], 6)) + f" {label}" for label in y]
    asked = ["refund cash fee pay bill coin money", "glacier moraine"]
    model = SelectiveClassifier(KNNClassifier(), embedder=embedder).fit(texts, y)
    assert model.predict(asked).tolist() == ["money", None]
    kept = SelectiveClassifier(KNNClassifier(), embedder=embedder, unlike=None).fit(texts, y)
    assert kept.predict(asked[:1]).tolist() == ["money"]


@pytest.mark.filterwarnings("ignore:nothing will be answered")
@pytest.mark.filterwarnings("ignore:.* are not learned")
def test_a_class_of_one_example_is_held_out_as_often_as_any_other() -> None:
    rows, y = blobs(30, noise=0.1)
    y = y.astype(object)
    y[0] = "pole"
    model = SelectiveClassifier(KNNClassifier(), unlike=None, alike=1)
    models = [clone(model).set_params(random_state=n).fit(rows, y) for n in range(50)]
    learned = sum("pole" in model.classes_ for model in models)
    assert binom.ppf(0.001, 50, 0.8) <= learned <= binom.ppf(0.999, 50, 0.8)


def test_a_class_that_is_not_learned_is_told_of() -> None:
    rows, y = blobs(600, noise=0.2)
    y = y.astype(object)
    y[:5] = [f"pole {n}" for n in range(5)]  # of five in a row one is held out
    told = (
        "^1 of 9 labels are not learned, as all of their examples are held out: label 1 more of"
        " 'pole .'$"
    )
    with pytest.warns(UserWarning, match=told):
        model = SelectiveClassifier(KNNClassifier(), unlike=None, alike=1).fit(rows, y)
    assert len(model.classes_) == 8


def long_tailed(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return rows of 400 classes, most of which are rare."""
    rng = np.random.default_rng(seed)
    shares = np.arange(1, 401) ** -1.3
    y = rng.choice(400, size=n, p=shares / shares.sum())
    centres = np.random.default_rng(5).normal(size=(400, 24))
    return (centres[y] + 0.5 * rng.normal(size=(n, 24))).astype(np.float32), y


@pytest.mark.filterwarnings("ignore:nothing will be answered")
@pytest.mark.filterwarnings("ignore:.* labels are not learned")
def test_the_promises_hold_where_many_classes_have_one_example() -> None:
    rows, y = long_tailed(2_000, seed=1)
    broken, covered, answered = 0, [], []
    for seed in range(20):
        model = SelectiveClassifier(KNNClassifier(5), unlike=None, alike=1, random_state=seed)
        model.fit(*long_tailed(1_000, seed=seed + 2))
        answers = model.predict(rows)
        told = np.array([answer is not None for answer in answers])
        broken += (answers[told] != y[told]).sum() > 0.05 * told.sum()
        answered.append(told.mean())
        among = model.predict_set(rows, alpha=0.15)
        columns = np.searchsorted(model.classes_, y) % len(model.classes_)
        known = model.classes_[columns] == y
        covered.append((known & among[np.arange(len(y)), columns]).mean())
    assert broken <= binom.ppf(0.99, 20, 0.05)
    assert np.mean(answered) > 0.2  # with a standard error of .09
    assert np.mean(covered) == pytest.approx(0.85, abs=0.02)


def of_several(n: int, seed: int) -> tuple[NDArray[np.float32], list[list[str]]]:
    """Return vectors with the labels of those of three components that are above 0, if unsurely."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 6)).astype(np.float32)
    has = rows[:, :3] + 0.15 * rng.normal(size=(n, 3)) > 0
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows, [["abc"[column] for column in np.flatnonzero(row)] for row in has]


def test_the_promises_hold_for_texts_with_several_labels() -> None:
    model = SelectiveClassifier(ProbeClassifier(strength=10.0), error=0.1, unlike=None, alike=1)
    model.fit(*of_several(2_000, seed=0))
    rows, labels = of_several(5_000, seed=1)
    rng = np.random.default_rng(0)
    broken, answered, covered = 0, [], []
    for _ in range(50):
        order = rng.permutation(len(rows))
        own, others = order[:500], order[500:2_500]
        model.calibrate(rows[own], [labels[row] for row in own])
        true = [labels[row] for row in others]
        given = np.array([answer is not None for answer in model.predict(rows[others])])
        answered.append(given.mean())
        broken += 1 - model.score(rows[others], true) > 0.1
        among = model.predict_set(rows[others])
        all_of = np.array([[name in own for name in "abc"] for own in true])
        covered.append((among | ~all_of).all(axis=1).mean())
    assert broken <= binom.ppf(0.99, 50, 0.05)
    assert np.mean(answered) > 0.5
    assert np.mean(covered) == pytest.approx(0.9, abs=0.01)


def test_several_labels_are_answered_together_or_not_at_all() -> None:
    rows, labels = of_several(2_000, seed=0)
    model = SelectiveClassifier(ProbeClassifier(), error=0.1, unlike=None, alike=1).fit(
        rows, labels
    )
    sure = (np.eye(6, dtype=np.float32)[:3].sum(axis=0) / 3**0.5)[None]
    assert model.predict(np.concatenate([sure, -sure])).tolist() == [("a", "b", "c"), ()]
    unsure = np.array([[1, -1, 0.01, 0, 0, 0]], np.float32)
    assert model.predict(unsure).tolist() == [None]
    assert model.score(sure, [["c", "b", "a"]]) == 1
    assert model.score(sure, [["a", "b"]]) == 0
    again = loads(dumps(model))
    assert (again.predict(rows) == model.predict(rows)).all()
    with pytest.raises(TypeError, match="expected a list of labels for each text, got 'a'"):
        model.calibrate(rows[:1], ["a"])
    with pytest.raises(ValueError, match="got None at position 1"):
        model.calibrate(rows[:1], [["a", None]])
    with pytest.raises(ValueError, match="evaluate one that always answers"):
        evaluate_several(rows, labels, clone(model))


def test_a_label_of_several_that_is_not_learned_is_told_of() -> None:
    rows, labels = of_several(400, seed=0)
    labels[:5] = [["a", f"pole {n}"] for n in range(5)]
    told = "^1 of 8 labels are not learned, as all of their examples are held out: label 1 more of"
    with pytest.warns(UserWarning, match=told):
        model = SelectiveClassifier(ProbeClassifier(), error=0.2, unlike=None, alike=1).fit(
            rows, labels
        )
    assert len(model.classes_) == 7


@pytest.mark.filterwarnings("ignore:nothing will be answered")
def test_sets_that_can_not_hold_the_label_are_told_of(selective: SelectiveClassifier) -> None:
    rows, y = blobs(500, seed=1)
    strange = np.where(np.arange(500) < 60, "pole", y)
    selective.calibrate(rows, strange)
    assert not selective.predict_set(rows, alpha=0.13).all()
    told = "^no set keeps the promise: 12% of the held-out examples have labels that were not "
    with pytest.warns(UserWarning, match=told):
        assert selective.predict_set(rows, alpha=0.1).all()


@pytest.mark.parametrize("option", ["error", "delta", "holdout", "unlike"])
def test_options_are_shares(option: str) -> None:
    with pytest.raises(ValueError, match=f"expected {option} between 0 and 1, got 1.5"):
        SelectiveClassifier(KNNClassifier()).set_params(**{option: 1.5}).fit(*blobs(50))
    with pytest.raises(TypeError, match=f"expected {option} as a number, got 'x'"):
        SelectiveClassifier(KNNClassifier()).set_params(**{option: "x"}).fit(*blobs(50))


def test_nothing_can_be_held_out_of_single_examples() -> None:
    with pytest.raises(ValueError, match="expected examples to hold out"):
        SelectiveClassifier(KNNClassifier()).fit(np.eye(4), list("abcd"))


@pytest.mark.filterwarnings("ignore:nothing will be answered")
def test_labels_may_be_more_than_the_groups_they_are_in() -> None:
    rows, y = blobs(12, noise=0.1)
    groups = np.arange(12) % 4  # as many as there are labels
    model = SelectiveClassifier(KNNClassifier(k=3), unlike=None, alike=1).fit(
        rows, y, groups=groups
    )
    assert len(model.classes_) == 4


def test_copies_of_what_is_learned_from_are_no_proof() -> None:
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(200, 16)), 5, axis=0)
    y = np.repeat(rng.integers(2, size=200), 5)  # nothing is to be learned
    with pytest.warns(UserWarning, match="nothing will be answered"):
        SelectiveClassifier(KNNClassifier(5), unlike=None, alike=1).fit(rows, y)


def test_a_group_is_held_out_as_one_or_learned_from() -> None:
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(200, 16)), 5, axis=0) + 0.01 * rng.normal(size=(1000, 16))
    y, groups = np.repeat(rng.integers(2, size=200), 5), np.repeat(np.arange(200), 5)
    with pytest.warns(UserWarning, match="held-out examples or more, got 40;"):
        SelectiveClassifier(KNNClassifier(5), unlike=None, alike=1).fit(rows, y, groups=groups)
    with pytest.raises(ValueError, match="a group for each of 1000 texts"):
        SelectiveClassifier(KNNClassifier(5)).fit(rows, y, groups=groups[:10])


def test_groups_that_share_near_duplicates_stay_apart() -> None:
    rows, y = blobs(2_000, noise=0.2)
    groups = np.arange(2_000) // 10
    rows[::10] = rows[0]  # with which each begins
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SelectiveClassifier(LogisticRegression(C=10), unlike=None, error=0.25)
        model.fit(rows, y, groups=groups)
        probe = ProbeClassifier().fit(rows, y, groups=groups)
    assert 36 <= len(model._conformity) <= 40  # of 200 groups, in which few others are alike
    assert probe.temperature_ != TEMPERATURE


def versions(n: int, nearness: float = 0.98) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return 5 versions of each of n texts that are like no other, and whose version each is."""
    rng = np.random.default_rng(0)
    texts, noise = (normalize(rng.normal(size=(size, 64))) for size in (n, 5 * n))
    rows = nearness * np.repeat(texts, 5, axis=0) + (1 - nearness**2) ** 0.5 * noise
    return normalize(rows).astype(np.float32), np.repeat(np.arange(n), 5)


def test_versions_of_what_is_learned_from_are_no_proof() -> None:
    rows, texts = versions(150)
    y = np.random.default_rng(0).integers(2, size=150)[texts]  # nothing is to be learned
    told = "of 30 held-out examples too few are surely told right to show that at most 10% of"
    with pytest.warns(UserWarning, match=told):
        SelectiveClassifier(KNNClassifier(), error=0.1).fit(rows, y)
    told = SelectiveClassifier(KNNClassifier(), error=0.1, alike=1, unlike=None).fit(rows, y)
    assert None not in told.predict(rows).tolist()


def test_versions_do_not_say_how_far_a_new_text_may_be() -> None:
    rows, texts = versions(300)
    own = np.unique(texts, return_index=True)[1]
    y = np.arange(300) % 2
    model = SelectiveClassifier(LogisticRegression(), error=0.9)
    alone = clone(model).fit(rows[own], y).least_similarity_
    assert clone(model).fit(rows, y[texts]).least_similarity_ == pytest.approx(alone, abs=0.03)
    apart, texts = versions(300, nearness=0.9)
    together = clone(model).fit(apart, y[texts], groups=texts).least_similarity_
    assert together == pytest.approx(alone, abs=0.06)
    assert clone(model).fit(apart, y[texts]).least_similarity_ > 0.75


def test_a_text_counts_once_in_a_calibration() -> None:
    rows, y = blobs(2_000, noise=0.1)
    model = SelectiveClassifier(LogisticRegression(C=10), unlike=None, alike=1).fit(rows, y)
    new, label = blobs(200, seed=1, noise=0.1)
    right = np.flatnonzero(model.estimator_.predict(new) == label)[:100]
    told = "held-out examples or more, got 1;"
    with pytest.warns(UserWarning, match=told):
        model.calibrate(np.repeat(new[right[:1]], 100, axis=0), np.repeat(label[right[:1]], 100))
    with pytest.warns(UserWarning, match="held-out examples or more, got 10;"):
        model.calibrate(new[right], label[right], groups=np.arange(100) // 10)
    assert None not in model.calibrate(new[right], label[right]).predict(new).tolist()
    with pytest.raises(ValueError, match="a group for each of 100 texts, got 2"):
        model.calibrate(new[right], label[right], groups=[0, 1])


def test_what_was_learned_from_calibrates_nothing() -> None:
    rows, y = blobs(2_000, noise=0.1)
    model = SelectiveClassifier(LogisticRegression(C=10), unlike=None, alike=1).fit(rows, y)
    learned = model._examples.vectors[:100]
    with pytest.raises(
        ValueError, match="but 100 of 100 examples were learned from, or say nearly"
    ):
        model.calibrate(learned, y[:100])
    new, label = blobs(200, seed=1, noise=0.1)
    with pytest.warns(UserWarning, match="^100 of 300 examples were learned from, or say nearly"):
        model.calibrate(np.concatenate([learned, new]), [*y[:100], *label])
    assert model.threshold_ == model.calibrate(new, label).threshold_


def test_weights_reach_what_it_is_made_of_by_scikit_learns_metadata_routing() -> None:
    rows, y = blobs(600)
    weights = np.where(y == "north", 9.0, 1.0)
    model = SelectiveClassifier(ProbeClassifier(strength=1.0), unlike=None, alike=1, error=0.3)
    with pytest.raises(ValueError, match=r"only supported if enable_metadata_routing=True"):
        model.fit(rows, y, sample_weight=weights)
    with config_context(enable_metadata_routing=True):
        asking = ProbeClassifier(strength=1.0).set_fit_request(sample_weight=True)
        weighed = clone(model).set_params(estimator=asking)
        weighed.set_fit_request(groups=True).set_score_request(sample_weight=False)
        given = {"sample_weight": weights, "groups": np.arange(600) // 2}
        scores = cross_validate(weighed, rows, y, params=given, cv=3, error_score="raise")
        fitted = weighed.fit(rows, y, **given)
    assert scores["test_score"].min() > 0.7
    plain = model.fit(rows, y, groups=np.arange(600) // 2)
    north = plain.classes_.tolist().index("north")
    assert (fitted.predict_proba(rows) - plain.predict_proba(rows))[:, north].mean() > 0.03


def test_labels_that_differ_by_case_are_told_of_once() -> None:
    rows, y = blobs(600, noise=0.1)
    y = np.where(np.arange(600) % 2, y, np.char.upper(y))
    with pytest.warns(UserWarning, match="differ only by case") as told:
        SelectiveClassifier(ProbeClassifier(), error=0.9, unlike=None, alike=1).fit(rows, y)
    assert sum("'NORTH' and 'north' differ only by case" in str(one.message) for one in told) == 1


def test_it_is_calibrated_after_it_is_fitted() -> None:
    with pytest.raises(NotFittedError):
        SelectiveClassifier(KNNClassifier()).calibrate(*blobs(50))


def test_flipped_labels_are_suspects() -> None:
    rows, y = blobs(600, noise=0.2)
    flipped = np.random.default_rng(1).choice(600, 30, replace=False)
    wrong = y.copy()
    wrong[flipped] = np.where(y[flipped] == "north", "south", "north")
    found = suspects(rows, wrong)
    places = {suspect.position for suspect in found}
    assert len(places & set(flipped.tolist())) >= 25
    assert len(places - set(flipped.tolist())) <= 3
    first = found[0]
    assert first.label == wrong[first.position]
    assert first.suggested == y[first.position]
    assert first.suggested_probability > first.probability
    assert first.disagreeing
    assert all(near.label == wrong[near.position] != first.label for near in first.disagreeing)
    near = [neighbour.similarity for neighbour in first.disagreeing]
    assert near == sorted(near, reverse=True)


def test_a_group_is_wanted_for_each_text_that_may_be_suspect() -> None:
    with pytest.raises(ValueError, match="a group for each of 4 texts, got 3"):
        suspects(np.eye(4, dtype=np.float32), ["a", "b", "a", "b"], groups=[0, 1, 2])


def test_labels_that_are_missing_or_too_much_are_suspects_of_several() -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(300, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    true = vectors[:, :3] > 0
    given = true.copy()
    wrong = [(5, 0), (17, 1), (40, 2), (99, 0)]
    assert all(abs(vectors[row, column]) > 0.2 for row, column in wrong)
    for row, column in wrong:
        given[row, column] ^= True
    lists = [["abc"[column] for column in np.flatnonzero(row)] for row in given]
    for labels, names in ((lists, "abc"), (given, range(3)), (given.tolist(), range(3))):
        found = suspects(vectors, labels)
        assert {(s.position, s.label, s.suggested) for s in found} >= {
            (row, names[column], None) if given[row, column] else (row, None, names[column])
            for row, column in wrong
        }
        assert len(found) <= 12
        odds = [s.probability / s.suggested_probability for s in found]
        assert odds == sorted(odds)
        assert all(s.probability + s.suggested_probability == pytest.approx(1) for s in found)
        for suspect in found:
            assert {near.label for near in suspect.disagreeing} <= {suspect.suggested}
    with pytest.raises(ValueError, match="labels for each of 299 texts, got 300"):
        suspects(vectors[1:], lists)
    with pytest.raises(ValueError, match="nothing can be held out"):
        suspects(vectors[:4], lists[:4], groups=[0] * 4)


def test_a_label_of_one_text_is_no_suspect_among_several() -> None:
    vectors = np.eye(8, dtype=np.float32)[np.arange(40) % 8]
    lists = [["even"] if n % 2 else ["odd", "even"] for n in range(40)]
    lists[3] = ["even", "lone"]
    with pytest.warns(UserWarning, match="^1 of 3 labels can't be judged, .* 1 more of 'lone'"):
        assert {s.label for s in suspects(vectors, lists)} <= {None, "odd", "even"}


def test_blank_texts_are_no_suspects_and_told() -> None:
    texts = [f"{kind} {kind}s{n}" for n in range(8) for kind in ("cat", "dog")]
    labels = ["cat", "dog"] * 8
    labels[2] = "dog"
    shown = suspects(texts, labels, embedder=HashEmbedder(64))
    assert [s.position for s in shown] == [2]
    blank = [" ", *texts[:8], "", *texts[8:]]
    said = ["dog", *labels[:8], "cat", *labels[8:]]
    columns = np.array([[label == "cat", label == "dog"] for label in said], int)
    for y in (said, np.array(said), [[label] for label in said], columns, csr_array(columns)):
        with pytest.warns(
            UserWarning, match=r"^2 of 18 texts left out: they have no words, the fir"
        ):
            found = suspects(blank, y, embedder=HashEmbedder(64), groups=np.arange(18))
        assert {s.position for s in found} == {3}
    assert not {0, 9} & {near.position for s in found for near in s.disagreeing}
    with pytest.raises(ValueError, match=r"^expected a label for each of 18 texts, got 17$"):
        suspects(blank, said[1:], embedder=HashEmbedder(64))


def test_clean_labels_have_no_suspects() -> None:
    assert suspects(*blobs(400, noise=0.05)) == []


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(400), 5)])
def test_copies_of_a_wrong_label_do_not_vouch_for_each_other(
    groups: NDArray[np.int64] | None,
) -> None:
    rows, y = blobs(400, noise=0.3)
    rows = np.repeat(rows, 5, axis=0)
    y = np.repeat(y, 5)
    wrong = y.copy()
    wrong[:50] = np.where(y[:50] == "north", "south", "north")
    found = {s.position for s in suspects(rows, wrong, groups=groups)}
    assert len(found & set(range(50))) >= 45


def test_a_single_example_of_a_class_is_no_suspect() -> None:
    rows, y = blobs(200, noise=0.2)
    labels = y.astype(object)
    labels[3] = "pole"
    told = "^1 of 5 labels can't be judged, as they have a single text, or copies of it"
    with pytest.warns(UserWarning, match=told):
        assert 3 not in {s.position for s in suspects(rows, labels)}
    groups = np.arange(200)
    labels[4], groups[4] = "pole", 3
    with pytest.warns(UserWarning, match=told):
        assert not {3, 4} & {s.position for s in suspects(rows, labels, groups=groups)}


def test_folds_are_as_many_as_labels_allow() -> None:
    rows, y = blobs(60)
    with pytest.warns(UserWarning, match="3 folds instead of 5, as 'east' has 3 different texts"):
        assert suspects(rows, y, groups=np.arange(60) % 3) == []
    most = max(np.unique(y, return_counts=True)[1])
    with pytest.warns(UserWarning, match=f"{most} folds instead of 90"):
        suspects(rows, y, folds=90)
    with pytest.warns(UserWarning, match="3 folds instead of 5, as 'a' has 3 different texts"):
        suspects(rows[:12], [*"abcd"] * 3, groups=np.arange(12))
    with pytest.raises(ValueError, match=r"nothing can be held out, .* 1 more of each of 'a', 'b'"):
        suspects(rows[:2], ["a", "b"])
    with pytest.raises(ValueError, match="expected at least 2 folds, got 1"):
        suspects(rows, y, folds=1)


def test_as_many_labels_as_texts() -> None:
    with pytest.raises(ValueError, match="a label for each of 60 texts, got 2"):
        suspects(blobs(60)[0], ["a", "b"])
