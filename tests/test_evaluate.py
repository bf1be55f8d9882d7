"""Evaluation: figures against oracles, folds that do not leak, and what can't be measured."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csr_array, csr_matrix
from scipy.stats import binomtest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_info

from embedsearch.classify import FewShotClassifier, ProbeClassifier, suspects
from embedsearch.classify.folds import split
from embedsearch.classify.threads import WORTH_SHARING, one_thread
from embedsearch.evaluate import (
    evaluate,
    evaluate_several,
    leakproof_groups,
    page,
    retrieval,
)
from embedsearch.evaluate.learning import PowerLaw, fitted, nested
from embedsearch.evaluate.scores import Bootstrap, label_scores
from embedsearch.evaluate.scores import confusion_matrix as counted
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

QUICK = LogisticRegression(C=10)


def clouds(
    n: int = 240, labels: int = 4, noise: float = 0.35, seed: int = 0
) -> tuple[NDArray[np.float32], list[str]]:
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(labels, 16))
    codes = draw.integers(labels, size=n)
    rows = centres[codes] / 4 + noise * draw.normal(size=(n, 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), [f"label {code}" for code in codes]


codes = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@given(codes)
@settings(max_examples=60, deadline=None)
def test_scores_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    true, said = (np.array(column) for column in zip(*pairs, strict=True))
    matrix = counted(true, said, 5)
    assert (matrix == confusion_matrix(true, said, labels=range(5))).all()
    expected = precision_recall_fscore_support(true, said, labels=range(5), zero_division=0)
    own = label_scores(np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0), list("abcde"))
    found = np.array([(s.precision, s.recall, s.f1, s.support) for s in own]).T
    np.testing.assert_allclose(found, np.array(expected))
    drawn = Bootstrap(true, np.arange(len(true))).draws(said)
    assert drawn.accuracy[0] == drawn.micro_f1[0] == pytest.approx(accuracy_score(true, said))
    assert np.nanmean(drawn.f1[0]) == pytest.approx(
        f1_score(true, said, average="macro", zero_division=0)
    )


def test_an_interval_is_that_of_the_binomial() -> None:
    true = np.zeros(1_000, np.int64)
    said = (np.arange(1_000) < 200).astype(np.int64)
    draw = Bootstrap(true, np.arange(1_000))
    found = draw.share(draw.draws(said).accuracy)
    half = 1.96 * np.sqrt(0.8 * 0.2 / 1_000)
    assert found.value == 0.8
    assert (found.low, found.high) == pytest.approx((0.8 - half, 0.8 + half), abs=0.003)


def test_an_interval_of_few_groups_is_wide() -> None:
    true = np.zeros(1_000, np.int64)
    said = (np.arange(1_000) < 200).astype(np.int64)
    draw = Bootstrap(true, np.arange(1_000) // 100)
    found = draw.share(draw.draws(said).accuracy)
    half = 1.96 * np.sqrt(0.8 * 0.2 / 10)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.2)


def test_where_no_mistake_was_seen_there_may_be_some_all_the_same() -> None:
    alone, copied = (
        Bootstrap(np.zeros(20, int), np.arange(20)),
        Bootstrap(np.zeros(20, int), np.arange(20) // 2),
    )
    for draw, count in ((alone, 20), (copied, 10)):
        found = draw.share(draw.draws(np.zeros(20, int)).accuracy)
        low, high = proportion(count, count)
        assert (found.value, found.low, found.high) == pytest.approx((1, low, high), abs=1e-6)


def proportion(right: int, count: int) -> tuple[float, float]:
    """Return Wilson's interval of a share, as SciPy has it."""
    found = binomtest(right, count).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


@given(st.integers(1, 199))
@settings(max_examples=20, deadline=None)
def test_the_interval_of_independent_texts_is_wilsons(right: int) -> None:
    draw = Bootstrap(np.zeros(200, int), np.arange(200))
    found = draw.share(draw.draws((np.arange(200) >= right).astype(int)).accuracy)
    assert (found.low, found.high) == pytest.approx(proportion(right, 200), abs=0.006)


@pytest.mark.parametrize(
    ("sizes", "recalls"), [([25] * 4 + [10], [0.97] * 4 + [0.1]), ([95, 5], [0.99, 0.2])]
)
def test_the_interval_of_macro_f1_knows_of_a_rare_label_told_badly(
    sizes: list[int], recalls: list[float]
) -> None:
    true, k = np.repeat(np.arange(len(sizes)), sizes), len(sizes)
    shares = np.array([[(1 - r) / (k - 1)] * k for r in recalls])
    np.fill_diagonal(shares, recalls)
    counts = np.array(sizes)[:, None] * shares
    truth = (2 * np.diag(counts) / (counts.sum(axis=0) + counts.sum(axis=1))).mean()
    draw, held = np.random.default_rng(0), []
    for seed in range(100):
        said = np.concatenate([draw.choice(k, n, p=p) for n, p in zip(sizes, shares, strict=True)])
        drawn = Bootstrap(true, np.arange(len(true)), seed=seed)
        found = drawn.macro_f1(drawn.draws(said))
        held.append(found.low <= truth <= found.high)
    assert sum(held) >= 95


@pytest.mark.filterwarnings("ignore")
def test_six_texts_prove_nothing_of_what_was_won() -> None:
    rows, _ = clouds(n=6)
    always = DummyClassifier(strategy="most_frequent")
    found = evaluate(rows, ["a"] * 4 + ["b"] * 2, always, threshold=1.0, curve=False)
    (majority,) = found.baselines
    # One text of eight gained and one lost: 1.96 * sqrt(2 / 8) / sqrt(8)
    assert majority.gain.value == 0
    assert (majority.gain.low, majority.gain.high) == pytest.approx((-0.3465, 0.3465), abs=1e-4)
    assert majority.macro_f1.high < 0.5  # it never says "b"
    assert found.macro_f1.high > 0.5  # the classifier may


@given(st.floats(0.5, 1))
@settings(max_examples=10, deadline=None)
def test_what_many_texts_won_has_the_interval_of_their_difference(share: float) -> None:
    draw = Bootstrap(np.zeros(2_000, int), np.arange(2_000))
    right = (np.arange(2_000) >= 2_000 * share).astype(int)
    found = draw.gain(draw.draws(right).accuracy - draw.draws(1 - right).accuracy)
    half = 1.96 * np.sqrt((1 - found.value**2) / 2_000)
    assert (found.low, found.high) == pytest.approx(
        (found.value - half, found.value + half), abs=0.006
    )


def test_groups_join_documents_and_what_is_nearly_the_same() -> None:
    rows = np.eye(6, dtype=np.float32)
    rows[3] = rows[0]
    found = leakproof_groups(rows, ["a", "b", "b", "c", "d", "e"], texts=list("uvwxyv"))
    assert found[0] == found[3]
    assert found[1] == found[2] == found[5]
    assert len(set(found.tolist())) == 3
    words = np.array(list("uvwxyv"))
    assert leakproof_groups(rows, texts=words).tolist() == [0, 1, 2, 0, 3, 1]


@given(st.integers(0, 99), st.integers(2, 5))
@settings(max_examples=20, deadline=None)
def test_no_group_is_on_both_sides_and_each_text_is_tested_once(seed: int, folds: int) -> None:
    groups = np.random.default_rng(seed).integers(30, size=200)
    parts = split(np.arange(200) % 3, groups, folds, seed=seed).splits
    for train, test in parts:
        assert not set(groups[train]) & set(groups[test])
    assert sorted(np.concatenate([test for _, test in parts]).tolist()) == list(range(200))


class Recorder(DummyClassifier):  # type: ignore[misc] # sklearn has no types
    """Notes what it learned from and was asked, for all of its clones."""

    seen: ClassVar[list[list[Any]]] = []

    def fit(self, *given: Any) -> Recorder:
        self.seen.append([given[0]])
        fitted: Recorder = super().fit(*given)
        return fitted

    def predict(self, *given: Any) -> Any:
        self.seen[-1] += given
        return super().predict(*given)


def thanking() -> tuple[NDArray[np.float32], list[str], NDArray[np.int64]]:
    """Return ten texts of each of forty authors, of whom each begins with the same thanks."""
    rows, labels = clouds(400)
    draw = np.random.default_rng(1)
    authors = np.repeat(np.arange(40), 10)
    thanks = np.flatnonzero(np.arange(400) % 10 == 0)
    rows[thanks] = rows[0] + 0.01 * draw.normal(size=(40, 16)) / 4
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), labels, authors


@pytest.mark.parametrize("several", [False, True])
def test_groups_that_share_near_duplicates_stay_apart(*, several: bool) -> None:
    rows, labels, authors = thanking()
    assert leakproof_groups(rows, authors).max() == 0  # as one they could not be held out
    Recorder.seen.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if several:
            indicator = np.array(labels)[:, None] == np.unique(labels)
            assert evaluate_several(rows, indicator, Recorder(), groups=authors).groups == 40
        else:
            assert evaluate(rows, labels, Recorder(), groups=authors, curve=False).groups == 40
    author = {row.tobytes(): int(who) for row, who in zip(rows, authors, strict=True)}
    for learned, asked in (pair for pair in Recorder.seen if len(pair) == 2):
        assert len(learned) == 400 - len(asked) - 32  # the thanks of the other 32
        assert (learned @ asked.T).max() < 0.95
        names = ({author[row.tobytes()] for row in part} for part in (learned, asked))
        assert set.isdisjoint(*names)


def test_few_texts_to_learn_from_are_told_of() -> None:
    rows, labels, authors = thanking()
    told = "some texts are told by what learned from 81 of 400 texts alone, as 310 are of one group"
    with pytest.warns(UserWarning, match=told):
        found = evaluate(rows, labels, QUICK, groups=np.maximum(authors, 30), curve=False)
    assert told in found.notes
    rows[:300] = rows[0]
    told = "of 400 texts alone, as 310 are near duplicates of each other: a higher threshold parts"
    with pytest.warns(UserWarning, match=told):
        evaluate(rows, [labels[0]] * 300 + labels[300:], QUICK, curve=False)
    rows[200:] = rows[301]
    with pytest.raises(ValueError, match="nothing can be measured: what is no near duplicate"):
        evaluate(rows, ["a"] * 200 + ["b"] * 200, QUICK, groups=authors, curve=False)


def test_copies_do_not_make_a_classifier_look_good() -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(60, 16)).astype(np.float32)
    labels = draw.permutation(["a", "b"] * 30).tolist()
    copies, said = np.repeat(rows, 5, axis=0), [label for label in labels for _ in range(5)]
    found = evaluate(copies, said, QUICK, curve=False)
    assert found.groups == 60
    assert 0.3 < found.accuracy.value < 0.7


def test_texts_that_are_nearly_near_duplicates_are_counted() -> None:
    turned = np.deg2rad([0, 22] * 20)  # a cosine of 0.927 within each pair
    rows = np.zeros((40, 40), np.float32)
    rows[np.arange(40), np.arange(40) // 2] = np.cos(turned)
    rows[np.arange(40), 20 + np.arange(40) // 2] = np.sin(turned)
    labels = ["a", "a", "b", "b"] * 10
    found = evaluate(rows, labels, QUICK, curve=False)
    assert (found.groups, found.near_texts) == (40, 40)
    assert "40 texts have one of cosine 0.9 and more in another fold" in page(found)
    together = evaluate(rows, labels, QUICK, curve=False, threshold=0.9)
    assert (together.groups, together.near_texts) == (20, 0)
    several = [[label] for label in labels]
    those = evaluate_several(rows, several)  # whose folds have two of the pairs whole
    assert (those.groups, those.near_texts) == (40, 36)
    assert evaluate_several(rows, several, threshold=0.9).near_texts == 0


def test_figures_hang_together() -> None:
    rows, labels = clouds()
    found = evaluate(rows, labels, QUICK)
    right = int(np.diag(found.confusion).sum())
    assert found.accuracy.value == right / 240
    assert found.accuracy.low < found.accuracy.value < found.accuracy.high
    (majority,) = found.baselines
    assert majority.name == "majority"
    assert majority.gain.value == pytest.approx(found.accuracy.value - majority.accuracy.value)
    assert majority.gain.low > 0
    assert sum(pair.count for pair in found.confused) == 240 - right
    assert sum(part.texts for part in found.reliability) == 240
    assert found.coverage[-1].accuracy == found.accuracy.value
    sure = [mistake.confidence or 0 for mistake in found.mistakes]
    assert sure == sorted(sure, reverse=True)
    assert found.curve is not None
    assert found.curve.accuracies[-1] == found.accuracy.value
    assert found.notes == ("no zero-shot baseline: say as embedder what made the vectors",)


@given(st.integers(2, 12), st.integers(2, 12))
@settings(max_examples=20, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_the_majority_reaches_the_share_of_the_most_frequent_label(first: int, other: int) -> None:
    rows, _ = clouds(n=first + other)
    labels = ["x"] * first + ["y"] * other
    (majority,) = evaluate(rows, labels, QUICK, threshold=1.0, curve=False).baselines
    assert majority.accuracy.value == max(first, other) / (first + other)


def test_the_majority_of_several_labels_is_that_of_all_texts() -> None:
    rows, _ = clouds(n=15)
    found = evaluate_several(rows, [["x"]] * 7 + [["y"]] * 8, threshold=1.0)
    assert found.majority.value == pytest.approx(8 / 15)


@pytest.mark.parametrize("values", [[3, 7], [False, True], ["no", "yes"]])
def test_labels_are_what_they_were(values: list[Any]) -> None:
    rows, labels = clouds(n=80, labels=2, noise=0.5)
    y = [values[label == "label 1"] for label in labels]
    found = evaluate(rows, y, LogisticRegression(class_weight={values[0]: 9, values[1]: 1}))
    assert [score.label for score in found.labels] == values
    assert {mistake.label for mistake in found.mistakes} <= set(values)
    assert found.labels[0].recall > found.labels[1].recall  # nine times as dear to miss
    said = f"accuracy {found.accuracy.value:.3f}, macro F1 {found.macro_f1.value:.3f}"
    assert repr(found) == f"<Evaluation: {said}; 80 texts, 2 labels>"
    read = json.loads(json.dumps(found.to_dict()))
    assert [score["label"] for score in read["labels"]] == values
    assert f">{values[0]}</span>" in page(found)


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        ([1, "a"], "one kind, got texts and 1"),
        ([(1,), 2.0], "several"),
        ([b"a", b"b"], "got b'a'"),
        ([0.5, 1.5], "texts or whole numbers, got 0.5"),
    ],
)
def test_labels_of_no_kind_or_two_are_refused(labels: list[Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        evaluate(np.eye(8, dtype=np.float32), labels * 4, QUICK)


def test_what_has_another_length_is_named_with_it() -> None:
    rows, labels = clouds(n=40)
    with pytest.raises(ValueError, match="a label for each text, got 40 for 39"):
        evaluate(rows[1:], labels, QUICK)
    with pytest.raises(ValueError, match="a label for each text, got 40 for 38"):
        evaluate(rows, labels, QUICK, texts=["text"] * 38)


def test_a_column_of_labels_is_one_label_a_text() -> None:
    rows, labels = clouds(n=40)
    found = evaluate(rows, np.array(labels)[:, np.newaxis], QUICK, curve=False)
    assert found.accuracy == evaluate(rows, labels, QUICK, curve=False).accuracy


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_text_without_a_group_is_refused(missing: Any) -> None:
    rows, labels = clouds(n=40)
    groups = [*map(str, range(38)), missing, missing]
    message = (
        f"^expected a group for each text, got {missing} at position 38: give what stands alone a"
        " group of its own$"
    )
    with pytest.raises(ValueError, match=message):
        evaluate(rows, labels, QUICK, groups=groups)
    with pytest.raises(ValueError, match=message):
        evaluate_several(rows, [[label] for label in labels], groups=groups)


def test_names_of_what_is_no_label_are_told() -> None:
    texts = [f"the {animal} number {n}" for n in range(12) for animal in ("cat", "car")]
    message = "^names are given of what is no label, 'cta': write it as the label is$"
    ways: list[dict[str, Any]] = [
        {"names": {"cta": "a cat"}},
        {"estimator": FewShotClassifier(names={"cta": "a cat"})},
    ]
    for options in ways:
        with pytest.warns(UserWarning, match=message):
            found = evaluate(texts, ["cat", "car"] * 12, curve=False, threshold=1.0, **options)
        assert re.match(message, found.notes[0])
        assert found.baselines[1].accuracy.value == 1.0
    with pytest.warns(UserWarning, match=message):
        FewShotClassifier(names={"cta": "a cat", "car": "a car"}).fit(texts, ["cat", "car"] * 12)


def test_names_that_say_nothing_are_no_baseline() -> None:
    texts = [f"the {animal} number {n}" for n in range(12) for animal in ("cat", "car")]
    found = evaluate(texts, [0, 1] * 12, QUICK, curve=False, threshold=1.0)
    assert [rival.name for rival in found.baselines] == ["majority"]
    assert found.notes == ("no zero-shot baseline: labels as 0 do not say what they mean",)
    named = {0: "cat", 1: ["car", "a car"]}
    found = evaluate(texts, [0, 1] * 12, QUICK, names=named, curve=False, threshold=1.0)
    assert found.baselines[1].accuracy.value == 1.0


def test_progress_is_told_to_the_end() -> None:
    rows, labels = clouds(n=60)
    heard: list[tuple[int, int]] = []
    evaluate(rows, labels, QUICK, folds=3, progress=lambda *now: heard.append(now))
    assert heard == [(n, 15) for n in range(16)]


def test_ids_are_as_many_as_texts() -> None:
    with pytest.raises(ValueError, match="an id for each of 60 texts, got 2"):
        evaluate(*clouds(n=60), QUICK, ids=["a", "b"])


def test_the_same_seed_measures_the_same() -> None:
    rows, labels = clouds(n=80)
    one, other = (evaluate(rows, labels, QUICK, seed=3).to_dict() for _ in range(2))
    assert json.dumps(one, allow_nan=False) == json.dumps(other, allow_nan=False)
    assert one["schema_version"] == 1
    assert sum(count for _, _, count in one["confusion"]) == 80


def test_texts_are_compared_with_what_their_labels_names_would_do() -> None:
    texts = [f"the {animal} number {n}" for n in range(12) for animal in ("cat", "car")]
    found = evaluate(texts, ["cat", "car"] * 12, QUICK, curve=False, threshold=1.0)
    assert [rival.name for rival in found.baselines] == ["majority", "zero-shot"]
    assert found.baselines[1].accuracy.value == 1.0


def test_an_estimator_without_probabilities_has_no_confidence() -> None:
    rows, labels = clouds(n=80)
    found = evaluate(rows, labels, LinearSVC(), curve=False)
    assert found.calibration_error is None
    assert found.calibration_by_chance is None
    assert found.calibration_p_value is None
    assert not found.reliability
    assert not found.coverage
    assert "Does it know" not in page(found)


class Sure(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Says of each text the label of its first component's sign, with one confidence."""

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence

    def fit(self, _rows: Any, y: Any) -> Sure:
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, rows: Any) -> Any:
        first = np.where(rows[:, 0] > 0, 1 - self.confidence, self.confidence)
        return np.column_stack([first, 1 - first])

    def predict(self, rows: Any) -> Any:
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]


def right_in_three_of_four(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(n, 16)).astype(np.float32)
    positive = (rows[:, 0] > 0) ^ (draw.random(n) > 0.75)
    return rows, np.where(positive, "b", "a")


def test_what_chance_explains_is_no_fault_of_the_confidences() -> None:
    exact = [evaluate(*right_in_three_of_four(20, n), Sure(0.75), curve=False) for n in range(9)]
    assert all("Chance explains it" in page(found) for found in exact)
    assert all(0.05 < (found.calibration_by_chance or 0) < 0.1 for found in exact)
    far = evaluate(*right_in_three_of_four(200, 1), Sure(0.95), curve=False)
    assert far.calibration_p_value == 1 / 200
    assert "It is mostly too sure." in page(far)
    modest = evaluate(*right_in_three_of_four(200, 1), Sure(0.55), curve=False)
    assert "It is mostly too modest." in page(modest)
    many = evaluate(*right_in_three_of_four(1_000, 1), Sure(0.75), curve=False)
    assert "Confidences can be taken as they are." in page(many)


@given(st.floats(0, 0.3), st.floats(0.5, 3), st.sampled_from([0.2, 0.35, 0.5, 0.8, 1.2]))
@settings(max_examples=40, deadline=None)
def test_a_power_law_is_recovered(floor: float, scale: float, exponent: float) -> None:
    sizes = np.array([50.0, 100, 200, 400, 800])
    law = fitted(sizes, floor + scale * sizes**-exponent)
    assert law.error(1_600) == pytest.approx(floor + scale * 1_600**-exponent, abs=0.005)


def test_a_power_law_tells_how_many_are_needed() -> None:
    law = PowerLaw(floor=0.1, scale=2.0, exponent=0.5)
    assert law.needed(0.2) == pytest.approx(400)
    assert law.error(400) == pytest.approx(0.2)
    assert law.needed(0.1) == float("inf")


def test_nothing_is_foretold_of_noise() -> None:
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(120, 8)).astype(np.float32)
    found = evaluate(rows, draw.permutation(["a", "b"] * 60), QUICK).curve
    assert found is not None
    assert found.law is None
    assert found.forecast == ()
    assert all(need.more is None for need in found.needs)


def test_what_two_mistakes_seem_to_ask_for_is_not_foretold() -> None:
    told, words = 0, "as low a recall may be chance at so few texts: can't be told"
    for seed in range(3):  # four labels that are told equally well, 25 texts of each
        rows = np.random.default_rng(seed).normal(size=(100, 16))
        rows = np.repeat(np.eye(4, 16), 25, axis=0) * 2.8 + rows
        curve = evaluate(rows, [f"label {n // 25}" for n in range(100)], QUICK).curve
        assert curve is not None
        assert {(need.more, need.why) for need in curve.needs} <= {(None, words)}
        told += len(curve.needs)
    assert told == 2


def test_what_a_label_told_badly_asks_for_is_foretold() -> None:
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(400, 40))
    codes = np.repeat(np.arange(4), 100)
    rows[np.arange(400), codes] += np.where(codes == 3, 2, 8)
    rows[300:, 0] += 4  # nearly as much as those of label 0 have
    curve = evaluate(rows, [f"label {code}" for code in codes], QUICK).curve
    assert curve is not None
    (need,) = curve.needs
    assert need.label == "label 3"
    assert need.why == "about 300 more would help"


@pytest.mark.filterwarnings("ignore")
def test_a_curve_has_one_point_a_size() -> None:
    rows = np.eye(9, dtype=np.float32)
    found = [evaluate(rows[:n], ["a", "b", "c"] * (n // 3), QUICK).curve for n in (6, 9)]
    assert [curve and curve.examples for curve in found] == [(3,), (3, 6)]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_shares_are_nested_and_hold_each_label(labels: list[int], seed: int) -> None:
    known = np.array(labels)
    smaller, larger = (nested(known, share, seed) for share in (0.25, 0.5))
    assert set(smaller.tolist()) <= set(larger.tolist())
    assert set(known[smaller]) == set(labels)


BAD: list[tuple[list[Any], str]] = [
    (["a"] * 40, "at least two labels, got one, 'a': label texts of another"),
    ([None] * 40, "none of 40 has a label and words"),
    (["a"] * 39 + ["b"], "two different texts each, got 1: label 1 more of 'b'$"),
    (
        [*map(str, range(40))],
        "got 0: label 1 more of each of '0', '1', .* and 35 more",
    ),
    (["a"] * 30, "a label for each text, got 30 for 40"),
]


@pytest.mark.parametrize(("labels", "message"), BAD)
@pytest.mark.filterwarnings("ignore")
def test_what_can_not_be_measured_is_an_error(labels: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(clouds(n=40)[0], labels, QUICK)


@pytest.mark.parametrize("several", [[["a"], ["a", "b"]] * 20, np.eye(40)[:, :3]])
def test_several_labels_a_text_are_an_error(several: Any) -> None:
    with pytest.raises(ValueError, match="expected one label a text, got several"):
        evaluate(clouds(n=40)[0], several, QUICK)


def test_a_label_of_the_page_breaks_at_its_signs_and_no_word() -> None:
    rows, labels = clouds(n=40)
    names = {label: f"paid_{label}/<by>.card-" for label in set(labels)}
    shown = page(evaluate(rows, [names[label] for label in labels], QUICK, curve=False))
    assert '<span class="name">paid_<wbr>label 0/<wbr>&lt;by&gt;.<wbr>card-</span>' in shown


@pytest.mark.parametrize("kind", [csr_matrix, csr_array, coo_array])
def test_a_sparse_indicator_is_for_evaluate_several(kind: Any) -> None:
    rows, _ = clouds(n=40)
    with pytest.raises(ValueError, match=r"got several: .*, evaluate_several measures them$"):
        evaluate(rows, kind(np.eye(40, 3, dtype=int)), QUICK)


def of_several(n: int = 200) -> tuple[NDArray[np.float32], list[list[str]]]:
    """Return texts that have a label for each positive one of their first three components."""
    rows = np.random.default_rng(0).normal(size=(n, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows, [["abc"[column] for column in np.flatnonzero(row[:3] > 0)] for row in rows]


def test_vectors_of_zeros_are_told_of_once_where_they_were_given() -> None:
    rows, labels = clouds()
    rows[[0, 170]], labels[0] = 0, ""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = evaluate(rows, labels, embedder=HashEmbedder(16), curve=False)
    left_out = "1 of 240 texts left out: they have no label"
    zeros = (
        "1 of 239 vectors are all zeros, the first at position 170: what is said of them means"
        " nothing, leave them out"
    )
    assert [str(warning.message) for warning in told] == [left_out, zeros]
    assert found.notes[:2] == (left_out, zeros)
    several, lists = of_several()
    several[150] = 0
    with pytest.warns(UserWarning, match="^1 of 200 vectors are all zeros.* 150: ") as own:
        measured = evaluate_several(several, lists)
    assert [str(warning.message) for warning in own] == list(measured.notes)


def test_several_labels_a_text_are_measured_each_for_itself() -> None:
    rows, labels = of_several()
    found = evaluate_several(rows, labels)
    assert (found.estimator, found.texts, found.folds) == ("ProbeClassifier", 200, 5)
    assert [score.label for score in found.labels] == ["a", "b", "c"]
    assert [score.support for score in found.labels] == (rows[:, :3] > 0).sum(axis=0).tolist()
    assert 0.85 < found.subset_accuracy.value < found.micro_f1.value
    assert found.gain.value == pytest.approx(found.micro_f1.value - found.majority.value)
    assert json.loads(json.dumps(found.to_dict()))["schema_version"] == 1
    f1 = f"micro F1 {found.micro_f1.value:.3f}, macro F1 {found.macro_f1.value:.3f}"
    assert repr(found) == f"<SeveralEvaluation: {f1}; 200 texts, 3 labels>"
    first = found.mistakes[0]
    right = tuple("abc"[column] for column in np.flatnonzero(rows[first.position, :3] > 0))
    assert (first.labels, first.id, first.text) == (right, "", "")
    assert {*first.missed} <= {*right}
    assert not {*first.extra} & {*right}
    wrong = [len(mistake.missed) + len(mistake.extra) for mistake in found.mistakes]
    assert wrong == sorted(wrong, reverse=True)
    assert sum(n == 0 for n in wrong) == 0


def test_an_indicator_as_lists_is_measured_as_one() -> None:
    rows, _ = of_several()
    right = rows[:, :3] > 0
    expected = evaluate_several(rows, right)
    assert evaluate_several(rows, right.astype(int).tolist()) == expected
    assert [score.label for score in expected.labels] == [0, 1, 2]


def test_labels_of_a_fold_that_look_like_an_indicator_are_labels() -> None:
    rows = np.eye(10, dtype=np.float32)
    labels = [[0, 1]] * 9 + [[2]]  # without the last all hold 0 and 1
    with pytest.warns(UserWarning, match="1 of 3 labels have a single text"):
        found = evaluate_several(rows, labels, ProbeClassifier(strength=1.0), folds=5)
    assert [(score.label, score.predicted) for score in found.labels] == [(0, 10), (1, 10), (2, 0)]


def test_progress_of_several_labels_is_told_and_texts_are_named() -> None:
    rows, labels = of_several(40)
    told: list[tuple[int, int]] = []
    ids = [f"t{n}" for n in range(40)]
    found = evaluate_several(
        rows, labels, ids=ids, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(done, 5) for done in range(6)]
    assert all(mistake.id == f"t{mistake.position}" for mistake in found.mistakes)
    with pytest.raises(ValueError, match="an id for each of 40 texts, got 39"):
        evaluate_several(rows, labels, ids=ids[1:])


def test_what_figures_of_several_labels_lack_is_told() -> None:
    rows, labels = of_several(4)
    labels = [["a"], ["a", "b"], ["a", "b"], ["c"]]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = evaluate_several(rows, labels)
    single = "1 of 3 labels have a single text, or copies of it, and are never told"
    assert found.notes == (
        "4 folds instead of 5, as there are 4 different texts: label more",
        f"{single}: label 1 more of 'c'",
        "2 of 3 labels have less than 4 texts, too few for figures of their own: 'a', 'b'",
    )
    assert found.notes == tuple(str(warning.message) for warning in heard)


def test_copies_do_not_make_chance_a_rising_curve() -> None:
    draw = np.random.default_rng(2)
    rows = draw.normal(size=(80, 8)).astype(np.float32)
    y = draw.integers(2, size=80)  # nothing is to be learned
    groups = np.repeat(np.arange(80), 6)
    found = evaluate(
        rows[groups], y[groups], QUICK, groups=groups, threshold=1.0, names={0: "no", 1: "yes"}
    )
    assert found.curve
    assert (found.curve.law, found.curve.forecast) == (None, ())


def test_copies_are_no_more_texts_of_a_label() -> None:
    rows, y = clouds(50)
    rare = np.repeat(-rows[:3], 5, axis=0)
    vectors, labels = np.concatenate([rows, rare]), [*y, *["rare"] * 15]
    told = "1 of 5 labels have less than 5 texts, too few for figures of their own: 'rare'"
    with pytest.warns(UserWarning, match=told):
        evaluate(vectors, labels, QUICK, threshold=0.999, curve=False)


@given(st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_several_labels_are_scored_as_scikit_learn_does(seed: int) -> None:
    true, said = np.random.default_rng(seed).random((2, 30, 4)) < 0.3
    drawn = Bootstrap(true, np.arange(30)).draws(said)
    assert drawn.accuracy[0] == pytest.approx(accuracy_score(true, said))
    micro, macro = (f1_score(true, said, average=a, zero_division=0) for a in ("micro", "macro"))
    assert drawn.micro_f1[0] == pytest.approx(micro)
    present = (true | said).any(axis=0).mean()  # a label that is nowhere is no label
    assert np.nanmean(drawn.f1[0]) * present == pytest.approx(macro)


def test_an_indicator_is_measured_by_any_estimator_that_takes_one() -> None:
    rows, _ = of_several()
    found = evaluate_several(rows, rows[:, :3] > 0, OneVsRestClassifier(QUICK))
    assert found.estimator == "OneVsRestClassifier"
    assert [score.label for score in found.labels] == [0, 1, 2]
    assert found.micro_f1.value > 0.9
    # Its classes_ are a list of one array a column.
    assert evaluate_several(rows, rows[:, :3] > 0, KNeighborsClassifier()).micro_f1.value > 0.8


def test_copies_with_several_labels_do_not_make_a_classifier_look_good() -> None:
    rows, _ = of_several(60)
    labels = [
        ["ab"[n] for n in np.flatnonzero(row)]
        for row in np.random.default_rng(1).random((60, 2)) < 0.5
    ]
    copied = [own for own in labels for _ in range(4)]
    found = evaluate_several(np.repeat(rows, 4, axis=0), copied, threshold=0.999)
    assert found.groups == 60
    assert found.subset_accuracy.value < 0.5


def test_what_is_no_list_of_labels_is_refused_by_its_position() -> None:
    rows, labels = of_several(20)
    for odd in ("ab", None):
        with pytest.raises(TypeError, match=f"got {odd!r} at position 19: write .. for none"):
            evaluate_several(rows, [*labels[:-1], odd])
    with pytest.raises(ValueError, match="labels for each of 20 texts, got 19"):
        evaluate_several(rows, labels[:-1])
    with pytest.raises(ValueError, match="nothing can be held out"):
        evaluate_several(rows[:1], [["a", "b"]])
    with pytest.raises(ValueError, match="two classes, got no label"):
        evaluate_several(rows, [[]] * 20)
    told = (
        "^nothing can be measured: without the texts of a fold a single label, 'a', is left to"
        " learn from: label more of 'b'$"
    )
    with pytest.raises(ValueError, match=told):
        evaluate_several(rows, [*[["a"]] * 19, ["a", "b"]])
    with pytest.raises(ValueError, match="got ' ' at position 19: leave it out"):
        evaluate_several(rows, labels, texts=[*"abcdefghijklmnopqrs", " "])


def test_nan_is_an_error() -> None:
    rows, labels = clouds(n=40)
    rows[3, 2] = np.nan
    with pytest.raises(ValueError, match="finite"):
        evaluate(rows, labels, QUICK)


def test_no_texts_are_an_error() -> None:
    with pytest.raises(ValueError, match="expected labelled texts, but nothing came"):
        evaluate(np.empty((0, 4)), [], QUICK)


def noted(labels: list[Any], **said: Any) -> tuple[str, ...]:
    rows, _ = clouds(n=len(labels))
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = evaluate(rows, labels, QUICK, curve=False, **said)
    assert set(found.notes[:-1]) == {str(warning.message) for warning in heard}
    return found.notes


def test_what_is_left_out_is_told() -> None:
    notes = noted([*["a", "b"] * 20, None, "lone", "A"], texts=[*map(str, range(42)), " "])
    assert notes[0] == "1 of 43 texts left out: they have no label"
    assert notes[1] == "1 of 43 texts left out: they have no words"
    assert notes[2].startswith("1 of 3 labels are left out, as they have a single text")


def test_labels_that_differ_by_case_are_told() -> None:
    (note, _) = noted(["refund", "Refund"] * 10)
    assert note.startswith("the labels 'Refund' and 'refund' differ only by case")


def test_labels_that_differ_by_blanks_are_told_and_kept_apart() -> None:
    rows, labels = clouds(n=40)[0], ["a", "b", "a ", "b"] * 10
    message = "^the labels 'a' and 'a ' differ only by case or blanks and are kept apart: if they"
    with pytest.warns(UserWarning, match=message):
        found = evaluate(rows, labels, QUICK, curve=False)
    with pytest.warns(UserWarning, match=message):
        several = evaluate_several(rows, [[label] for label in labels])
    for measured in (found, several):
        assert [score.label for score in measured.labels] == ["a", "a ", "b"]


def test_labels_of_one_text_each_that_differ_by_case_are_told() -> None:
    rows, _ = clouds(n=4)
    with pytest.raises(ValueError, match=r"1 more of each of 'R', 'r'; the labels 'R' and 'r' dif"):
        evaluate(rows, ["r", "R", "x", "x"], QUICK)


def test_fewer_groups_than_folds_are_fewer_folds() -> None:
    (note, _) = noted(["a", "b"] * 20, groups=np.arange(40) // 10)
    assert note.startswith("4 folds instead of 5, as 'a' has 4 different texts and no label has")


def test_folds_are_as_many_as_labels_allow() -> None:
    (note, _) = noted(["a", "b", "c"] * 3)
    assert note == (
        "3 folds instead of 5, as 'a' has 3 different texts and no label has more:"
        " label 2 more of each"
    )
    (note, _) = noted(["a"] * 20 + ["b"] * 2)
    assert note.startswith("1 of 2 labels have less than 5 texts")  # a rare one lowers nothing
    (note, _) = noted([f"label {n // 2}" for n in range(80)])
    assert note.startswith("2 folds instead of 5, as 'label 0' has 2 different texts")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8)), min_size=2, max_size=24))
@settings(max_examples=60, deadline=None)
def test_folds_leave_two_labels_to_learn_from_or_say_what_to_label(
    pairs: list[tuple[int, int]],
) -> None:
    labels, groups = (np.array(column) for column in zip(*pairs, strict=True))
    try:
        cut = split(labels, groups, 5)
    except ValueError as error:
        assert str(error).startswith("nothing can be held out")  # noqa: PT017 -- or it succeeds
        return
    assert len(cut.splits) == 5 or cut.note
    for train, held in cut.splits:
        assert len(held)
        assert len(set(labels[train].tolist())) > 1


def test_a_text_that_is_labelled_in_two_ways_is_told() -> None:
    notes = noted(["a", "b"] * 10, texts=["same", "same", *map(str, range(18))])
    assert notes[0] == "1 text is labelled in more than one way: one of the labels is wrong"


@pytest.mark.filterwarnings("ignore")
def test_one_group_is_an_error() -> None:
    rows, labels = clouds(n=40)
    with pytest.raises(ValueError, match="near duplicates and texts of one group count once"):
        evaluate(rows, labels, QUICK, groups=np.zeros(40))


class Watching(LogisticRegression):  # type: ignore[misc]  # sklearn has no types
    """Notes how many threads BLAS has while it learns."""

    seen: ClassVar[list[int]] = []

    def fit(self, X: Any, y: Any) -> Watching:  # noqa: N803 -- scikit-learn's word
        self.seen.extend(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")
        return super().fit(X, y)  # type: ignore[no-any-return]


def test_small_products_are_not_shared_by_threads_that_wait_for_each_other() -> None:
    rows, labels = clouds()
    before = threadpool_info()
    evaluate(rows, labels, Watching(), curve=False)
    assert set(Watching.seen) == {1}
    assert threadpool_info() == before
    with one_thread(WORTH_SHARING):
        assert threadpool_info() == before


def test_the_page_needs_nothing_else_and_believes_no_text() -> None:
    rows, labels = clouds(noise=1.0)
    texts = [f"<script>alert({n})</script>" for n in range(240)]
    ids = [f"<i>{n}.md" for n in range(240)]
    found = evaluate(rows, ["<b>" + label for label in labels], QUICK, texts=texts, ids=ids)
    drawn = page(found, title="A & B")
    assert "<script" not in drawn
    assert "<b>label" not in drawn
    assert "&lt;script&gt;" in drawn
    first = found.mistakes[0]
    assert first.id == f"<i>{first.position}.md"
    assert f"<small>&lt;i&gt;{first.position}.md</small>" in drawn
    assert "http" not in drawn
    assert "<title>A &amp; B</title>" in drawn
    assert drawn.count("<svg") == 4


QRELS = {"q1": {"a": 3, "b": 1, "c": 0}, "q2": {"d": 1}, "q3": {"x": 0}, "q4": {"e": 2}}


def test_rankings_are_measured_as_by_hand() -> None:
    found = retrieval({"q1": ["c", "b", "a"], "q2": ["z", "d"], "q3": ["x"]}, QRELS, k=10)
    assert found.queries == 3
    assert found.recall == pytest.approx((1 + 1 + 0) / 3)
    assert found.mrr == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    first = (1 / np.log2(3) + 3 / 2) / (3 + 1 / np.log2(3))
    assert found.ndcg == pytest.approx((first + 1 / np.log2(3) + 0) / 3)


def test_a_ranking_is_cut_at_k() -> None:
    found = retrieval({"q": ["b", "a"]}, {"q": {"a": 1, "b": 1}}, k=1)
    assert (found.recall, found.mrr, found.ndcg) == (0.5, 1.0, 1.0)


@pytest.mark.parametrize(
    ("run", "qrels", "k", "message"),
    [
        ({"q": ["a", "a"]}, {"q": {"a": 1}}, 10, "twice"),
        ({"q": ["a"]}, {"q": {"a": 0}}, 10, "relevant"),
        ({"q": ["a"]}, {"q": {"a": 1}}, 0, "k of at least 1, got 0"),
    ],
)
def test_rankings_that_can_not_be_measured(run: Any, qrels: Any, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        retrieval(run, qrels, k=k)


@pytest.mark.parametrize(
    ("run", "qrels", "message"),
    [
        ([["a"]], {"q": {"a": 1}}, "run by query, as {'q': ...}, got [['a']]"),
        ({"q": ["a"]}, [], "qrels by query, as {'q': ...}, got []"),
        (
            {"q": {"a"}},
            {"q": {"a": 1}},
            "ids that query 'q' found in a list, the best first, got {",
        ),
        (
            {"q": "a"},
            {"q": {"a": 1}},
            "ids that query 'q' found in a list, the best first, got 'a'",
        ),
        ({"q": 5}, {"q": {"a": 1}}, "ids that query 'q' found in a list, the best first, got 5"),
        ({"q": ["a"]}, {"q": {"a"}}, "relevant to query 'q', as {'a': 1}, got {'a'}"),
        ({"q": ["a"]}, {"q": {"a": "1"}}, "relevant to query 'q', as {'a': 1}, got {'a': '1'}"),
    ],
)
def test_rankings_of_another_shape_are_refused(run: Any, qrels: Any, message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        retrieval(run, qrels)


def test_folds_and_seeds_are_whole_numbers_numpys_too() -> None:
    rows, labels = clouds(n=80)
    model = ProbeClassifier(strength=1.0)
    several = [[label] for label in labels]
    measures: list[tuple[Any, Any]] = [(evaluate, labels), (evaluate_several, several)]
    for measure, y in measures:
        ids = np.array([f"t{n}" for n in range(80)])
        found = measure(rows, y, model, folds=np.int64(3), seed=np.int64(1), ids=ids)
        assert (found.folds, found.seed) == (3, 1)
        same = measure(rows, y, model, folds=3, seed=1, ids=list(ids))
        assert json.dumps(found.to_dict()) == json.dumps(same.to_dict())
        for option in ("folds", "seed"):
            for odd in (None, 2.5, "5"):
                with pytest.raises(TypeError, match=f"{option} as a whole number, got {odd!r}"):
                    measure(rows, y, model, **{option: odd})
        with pytest.raises(ValueError, match="expected at least 2 folds, got 1"):
            measure(rows, y, model, folds=1)
    with pytest.raises(ValueError, match="expected at least 2 folds, got 1"):
        suspects(rows, several, folds=1)


KINDS = [a + b for a in "bdfglm" for b in ("aker", "eed", "illow", "ook", "urn") * 2]
KINDS = [f"{kind}{n}" for n, kind in enumerate(KINDS)]


def command(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "embedsearch", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def write(path: Path, rows: list[tuple[str, str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


def test_a_table_is_evaluated_without_an_index(tmp_path: Path) -> None:
    animals = [("feed", "cat"), ("pet", "cat"), ("drive", "car"), ("park", "car")]
    write(
        tmp_path / "a.csv",
        [(f"{verb} my {noun} on day {n}", noun) for n in range(8) for verb, noun in animals]
        + [("no label", "")],
    )
    words = ("evaluate", "--labels", "a.csv", "--no-curve", "--html", "page.html", "--json")
    run = command(*words, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert said["texts"] == 32
    assert "1 of 33 texts left out: they have no label" in run.stderr
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert not (tmp_path / ".embedsearch").exists()
    assert command(*words, folder=tmp_path).returncode == 0  # in place of the page before
    table = (tmp_path / "a.csv").read_bytes()
    over = ("evaluate", "--labels", "a.csv", "--html", "a.csv", "--force")
    refused = command(*over, folder=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "error: a.csv is what is read here: write to another file\n" in refused.stderr
    (tmp_path / "b.csv").write_bytes(table)
    refused = command(*over[:3], "--html", "b.csv", folder=tmp_path)
    assert "error: b.csv is there already: --force writes over it\n" in refused.stderr
    assert [(tmp_path / name).read_bytes() for name in ("a.csv", "b.csv")] == [table, table]


def test_many_labels_are_cut_and_that_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [(f"{kind} {n} {kind}", kind) for kind in KINDS for n in range(2)])
    words = ("evaluate", "--labels", "a.csv", "--no-curve", "--threshold", "1")
    run = command(*words, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "... and 10 more (--format json or --html FILE has all)" in run.stdout
    assert re.search(
        r"\d+ of 120 texts have one of cosine 0.9 or more in another fold: .* --threshold 0.9",
        run.stdout,
    )
    assert re.search(
        r"calibration error 0\.\d{3}: exact confidences would show 0\.\d{3} by chance", run.stdout
    )
    run = command(*words, "--format", "jsonl", folder=tmp_path)
    scores = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(scores) == 60
    assert {"label", "f1", "support"} <= scores[0].keys()
    assert [score["f1"] for score in scores] == sorted(score["f1"] for score in scores)


def test_rows_of_one_label_may_be_lists_or_bools(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"text": f"{n} {w} more", "label": w == "pay"} for n in range(9) for w in ("pay", "go")
    ]
    rows[2]["label"], rows[3]["label"] = [True], {"a": 1}
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = command("evaluate", "--labels", "a.jsonl", "--no-curve", "--json", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert """a.jsonl:4: 'label' is no text but {"a": 1}""" in run.stderr
    said = json.loads(run.stdout)
    assert (said["texts"], [s["label"] for s in said["labels"]]) == (17, ["False", "True"])
    assert said["accuracy"]["value"] > 0.9


def test_rows_of_several_labels_are_measured_each_by_itself(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"text": f"{n} {w} more", "label": w} for n in range(9) for w in ("pay", "go")
    ]
    rows += [{"text": "neither", "label": []}, {"text": "unknown"}, {"text": " ", "label": "go"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = command("evaluate", "--labels", "a.jsonl", "--json", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    told = [line for line in run.stderr.splitlines() if not line.startswith("evaluating: ")]
    assert told[:3] == [
        "1 of 21 texts left out: they have no label",
        "1 of 21 texts left out: they have no words",
        (
            "1 of 19 texts do not have one label, so each label is measured by itself: a text may"
            " be told none or several, so fewer are told rightly"
        ),
    ]
    said = json.loads(run.stdout)
    assert (said["texts"], [s["support"] for s in said["labels"]]) == (19, [9, 9])


def test_a_table_without_the_column_says_which_there_are(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [("one", "a")])
    run = command("evaluate", "--labels", "a.csv", "--label-column", "topic", folder=tmp_path)
    assert run.returncode == 2
    assert "no column 'topic': the columns are text, label" in run.stderr
